"""One suite for every connector that ships: what a run may rely on, whatever portal stands behind it."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from itertools import islice

import pytest
from pydantic import ValidationError
from pyoxigraph import NamedNode

from harvester import jsonio, registry
from harvester.connector import Connector, Page, Record, Source, Walk
from harvester.errors import RecordError, SourceError
from harvester.fields.languages import preferred
from harvester.fields.when import instant
from harvester.http import Http
from harvester.model import Catalogue, Dataset, Part
from harvester.samples import SAMPLES, Sample
from harvester.samples.faults import FAULTS, faulty
from harvester.samples.serving import Portal, Reply, Request, as_transport
from harvester.settings import Settings

# Nothing here opens a catalogue.
pytestmark = pytest.mark.one_database("sqlite")

SLOW = ("slow",)
# What is there is another catalogue, of which the walk can say nothing; the run compares it with what it knows.
OTHER = ("removed", "gone-midway", "added-midway", "half", "halved-midway", "empty")


class Bench:
    """A connector before its sample portal, in memory: nothing waits, every request is counted."""

    def __init__(self, sample: Sample, settings: Settings) -> None:
        self.sample, self.settings = sample, settings
        self.connector: Connector = registry.connector(sample.connector)
        self.source = Source(sample.name, f"http://portal.example{sample.path}", self.connector.Options())
        self.portal = sample.portal()
        self.requests: list[str] = []

    def http(self, portal: Portal | None = None) -> Http:
        inner = portal or self.portal

        def counted(request: Request) -> Reply:
            self.requests.append(request.url())
            return inner(request)

        clock = [0.0]

        def sleep(seconds: float) -> None:
            clock[0] += seconds

        return Http(self.settings, transport=as_transport(counted), sleep=sleep, now=lambda: clock[0])

    def pages(self, walk: Walk | None = None, portal: Portal | None = None) -> list[Page]:
        with self.http(portal) as http:
            return list(self.connector.fetch(self.source, http, walk or Walk()))

    def records(self, walk: Walk | None = None, portal: Portal | None = None) -> list[Record]:
        return [record for page in self.pages(walk, portal) for record in page.records if not record.deleted]

    def datasets(self) -> list[Dataset]:
        return [self.connector.normalise(record, self.source) for record in self.records()]


@pytest.fixture(params=SAMPLES, ids=lambda sample: sample.name)
def bench(request: pytest.FixtureRequest, settings: Settings) -> Bench:
    return Bench(request.param, settings)


def test_every_connector_has_a_sample() -> None:
    assert {sample.connector for sample in SAMPLES} == set(registry.names())


def test_everything_is_walked_once(bench: Bench) -> None:
    guids = [record.guid for record in bench.records()]
    assert len(guids) == len(set(guids)) == bench.sample.count
    assert all(isinstance(guid, str) and guid.strip() for guid in guids)


def test_the_total_is_stated(bench: Bench) -> None:
    assert {page.advertised for page in bench.pages()} == {bench.sample.count}


def test_the_walk_is_lazy(bench: Bench) -> None:
    with bench.http() as http:
        walk = iter(bench.connector.fetch(bench.source, http, Walk()))
        assert bench.requests == []
        next(walk)
        first = len(bench.requests)
    pages = bench.pages()
    assert first < len(bench.requests) - first or len(pages) == 1


def test_the_walk_is_repeatable(bench: Bench) -> None:
    assert [(r.guid, jsonio.digest(r.payload)) for r in bench.records()] == [
        (r.guid, jsonio.digest(r.payload)) for r in bench.records()
    ]


def test_payloads_survive_storage_and_map_the_same(bench: Bench) -> None:
    for record in bench.records():
        stored = Record(record.guid, jsonio.loads(jsonio.dumps(record.payload)))
        assert bench.connector.normalise(stored, bench.source) == bench.connector.normalise(record, bench.source)


def test_a_walk_resumes_after_any_of_its_pages(bench: Bench) -> None:
    pages = bench.pages()
    everything = {record.guid for page in pages for record in page.records}
    for number, page in enumerate(pages[:-1]):
        if page.cursor is None:
            continue
        before = {record.guid for earlier in pages[: number + 1] for record in earlier.records}
        after = {record.guid for record in bench.records(Walk(cursor=page.cursor))}
        assert before | after == everything


def test_an_incremental_walk_brings_what_changed(bench: Bench) -> None:
    dated = sorted((record.modified, record.guid) for record in bench.records() if record.modified)
    if not dated:
        pytest.skip("this source states no dates")
    since = dated[len(dated) // 2][0]
    brought = {record.guid for record in bench.records(Walk(since=since))}
    assert {guid for modified, guid in dated if modified > since} <= brought


def test_record_dates_are_aware(bench: Bench) -> None:
    assert all(record.modified is None or record.modified.tzinfo for record in bench.records())


def test_datasets_have_titles_addresses_and_dates_that_hold(bench: Bench) -> None:
    for dataset in bench.datasets():
        assert dataset.title
        assert dataset.landing_page or dataset.uri
        for url in addresses(dataset):
            NamedNode(url)
        for date in (dataset.issued, dataset.modified, *(d.modified for d in dataset.distribution)):
            assert date is None or (instant(date) or datetime.max.replace(tzinfo=UTC)).year < 2100


def addresses(part: Part) -> list[str]:
    own = [*getattr(part, "access_url", ()), *getattr(part, "download_url", ()), *getattr(part, "landing_page", ())]
    return own + [url for inner in getattr(part, "distribution", ()) for url in addresses(inner)]


def test_most_fields_are_filled(bench: Bench) -> None:
    datasets = bench.datasets()
    for field in ("description", "keyword", "publisher", "distribution", "modified"):
        assert sum(bool(getattr(d, field)) for d in datasets) > 0.6 * len(datasets), field


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in SLOW])
def test_a_fault_ends_in_our_errors_or_in_the_truth(bench: Bench, name: str) -> None:
    """Either everything that is there arrives, or the walk says that it does not: never a silent half."""
    if bench.sample.connector not in FAULTS[name].kinds:
        pytest.skip("a fault of other portals")
    records: set[str] = set()
    advertised: int | None = None
    problems: list[RecordError] = []
    complete = False
    with contextlib.suppress(SourceError), bench.http(faulty(bench.sample, name)) as http:
        for page in islice(bench.connector.fetch(bench.source, http, Walk()), 1000):
            records |= {record.guid for record in page.records}
            problems += page.problems
            advertised = page.advertised if page.advertised is not None else advertised
        complete = True
    if complete and name not in OTHER:
        whole = len(records) + len(problems) >= bench.sample.count
        assert whole or not records or (advertised is not None and advertised > len(records))


@pytest.mark.parametrize("nonsense", [{"no_such_option": 1}, {"public_url": ["a"]}])
def test_nonsense_options_are_refused(bench: Bench, nonsense: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        bench.connector.Options.model_validate(nonsense)


@pytest.mark.parametrize(
    "payload", [None, [], {}, "text", 7, {"title": []}, {"id": {}}, {"metas": []}, {"@id": 3}, {"pod": 1}]
)
def test_a_payload_of_any_shape_is_mapped_or_refused(bench: Bench, payload: object) -> None:
    with contextlib.suppress(RecordError):
        bench.connector.normalise(Record("g", payload), bench.source)


def test_the_portal_says_what_it_is(bench: Bench) -> None:
    told = [page.catalogue for page in bench.pages() if page.catalogue]
    assert told
    about = Catalogue.of(told[0])
    assert preferred(about.title) == bench.sample.title
    assert about.problems == ()
    assert Catalogue.of(about.plain()) == about
    assert all(page.catalogue in (None, told[0]) for page in bench.pages())


def test_it_is_asked_only_once_and_may_be_silent(bench: Bench) -> None:
    whole = bench.records()
    asked = [url for url in bench.requests if is_introduction(url)]
    assert len(asked) <= 1
    if not asked:
        pytest.skip("this portal says it along with its datasets")

    def silent(request: Request) -> Reply:
        return Reply(500) if is_introduction(request.url()) else bench.portal(request)

    pages = bench.pages(portal=silent)
    assert [record for page in pages for record in page.records if not record.deleted] == whole
    assert [note.code for page in pages for note in page.notes] == ["no-introduction"]
    assert [page.problems for page in pages if page.problems] == []
    assert {page.catalogue for page in pages} == {None}


def is_introduction(url: str) -> bool:
    return url.endswith(("/status_show", "/api/1/site/", "portal.example/"))


def test_a_dataset_tells_how_its_portal_registered_it(bench: Bench) -> None:
    records = [dataset.record for dataset in bench.datasets() if dataset.record]
    if bench.sample.connector != "dcat":
        assert len(records) == bench.sample.count
    for record in records:
        assert record.uri or record.conforms_to or record.modified
        assert record.uri is None or NamedNode(record.uri).value == record.uri


def test_its_own_portal_is_recognised_and_no_other(bench: Bench) -> None:
    with bench.http() as http:
        found = bench.connector.recognise(http, bench.source.url)
    assert found is not None
    assert (found.connector, found.advertised) == (bench.sample.connector, bench.sample.count)
    assert found.sample
    assert found.title == bench.sample.title
    for other in SAMPLES:
        if other != bench.sample:
            with bench.http(other.portal()) as http:
                assert bench.connector.recognise(http, f"http://portal.example{other.path}") is None
