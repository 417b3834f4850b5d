"""The MQA: every indicator by hand, the export read by another reader, both rules against brute force."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import DCAT, DCTERMS, RDF, Graph, Namespace, URIRef

from bench.recorded import Recording, recordings
from harvester import registry
from harvester.connector import Source, Walk
from harvester.errors import RecordError, SourceError
from harvester.http import Http
from harvester.model import Dataset
from harvester.quality import BY_NAME, INDICATORS, MOST, Dimension, Level, Reading, Score, band, score
from harvester.quality.aggregating import Rule, Tally, fixes, mended, result
from harvester.quality.formats import MACHINE_READABLE, NON_PROPRIETARY
from harvester.quality.indicators import FILLED_IN, MOST_OF, names_of, with_needs
from harvester.quality.mqa import lacking, pattern_of
from harvester.rdf.writing import write
from harvester.samples.serving import as_transport
from harvester.settings import Settings
from harvester.validate.feeds import Feed
from harvester.validate.findings import Severity
from harvester.validate.running import Asked, checked, parts_of, quieten
from harvester.vocabularies import VOCABULARIES
from tests.rdf_datasets import DATASET

CSV = "https://data.example/tides.csv"
PAGE = "https://data.example/tides"
PERFECT: dict[str, Any] = {
    "title": {"en": "Tides"},
    "description": {"en": "High and low water"},
    "keyword": ["water"],
    "theme": ["TRAN"],
    "spatial": [{"place": "France"}],
    "temporal": [{"start": "2024"}],
    "access_rights": "PUBLIC",
    "contact_point": [{"name": "Desk", "email": "desk@harbour.example"}],
    "publisher": {"name": "The port"},
    "issued": "2024-01-01",
    "modified": "2024-05-01",
    "distribution": [
        {
            "access_url": [PAGE],
            "download_url": [CSV],
            "format": "csv",
            "media_type": "text/csv",
            "license": "CC-BY-4.0",
            "rights": "Name the port.",
            "byte_size": 12,
        }
    ],
}


def works(address: str) -> bool:
    return True


def never(address: str) -> None:
    return None


def dataset(change: dict[str, Any], part: dict[str, Any] | None = None) -> Dataset:
    """The perfect dataset with some fields otherwise; None takes a field away."""
    raw = {**PERFECT, **change}
    if part is not None:
        raw["distribution"] = [{**PERFECT["distribution"][0], **part}]
    raw = {name: value for name, value in raw.items() if value is not None}
    for item in raw.get("distribution") or ():
        for name in [name for name, value in item.items() if value is None]:
            del item[name]
    return Dataset.of(raw)


def missed(found: Score, reading: Reading = Reading.NOW) -> set[str]:
    return set(BY_NAME) - set(found.met(reading))


def test_the_table_adds_up() -> None:
    assert len(INDICATORS) == 23
    assert MOST == 405
    assert list(MOST_OF.values()) == [100, 100, 110, 75, 20]
    assert all(need in BY_NAME for item in INDICATORS for need in item.needs)


def test_a_perfect_dataset_has_all_405_points_and_an_empty_one_has_those_of_a_valid_export() -> None:
    perfect = score(dataset({}), works)
    assert (perfect.points(), perfect.band(), perfect.filled) == (405, "excellent", ())
    assert perfect.dimensions() == MOST_OF
    # What is mandatory we fill in, and say so: the export conforms.
    empty = score(Dataset.of({"identifier": ["x"]}), works)
    assert (empty.met(), empty.points(), empty.band()) == (("dcat_ap_compliance",), 30, "bad")
    assert empty.filled == ("title", "description")


def test_the_stored_form_scores_the_same() -> None:
    found = dataset({})
    assert score(found.plain(), works) == score(found, works)


# What is taken from the perfect dataset, and the points that are gone then, added up by hand.
WITHOUT: list[tuple[str, dict[str, Any], dict[str, Any] | None, int, str]] = [
    ("no keyword", {"keyword": None}, None, 30, "keyword"),
    ("ten keywords", {"keyword": list("abcdefghij")}, None, 0, ""),
    ("no theme", {"theme": None}, None, 30, "category"),
    ("a theme in words that mean none", {"theme": ["Divers et variés"]}, None, 30, "category"),
    ("a theme of the portal's own", {"theme": ["https://portal.example/themes/7"]}, None, 0, ""),
    ("a theme in words that mean one", {"theme": ["Transports"]}, None, 0, ""),
    ("no place", {"spatial": None}, None, 20, "spatial"),
    ("a place by name", {"spatial": [{"name": "Somewhere"}]}, None, 0, ""),
    ("a box", {"spatial": [{"bbox": [1, 2, 3, 4]}]}, None, 0, ""),
    ("no period", {"temporal": None}, None, 20, "temporal"),
    ("a period with an end alone", {"temporal": [{"end": "2024"}]}, None, 0, ""),
    ("a period without dates", {"temporal": [{}]}, None, 20, "temporal"),
    ("no access rights", {"access_rights": None}, None, 15, "access_rights access_rights_vocabulary"),
    ("access rights in words", {"access_rights": "sur demande, le mardi"}, None, 5, "access_rights_vocabulary"),
    ("no contact point", {"contact_point": None}, None, 20, "contact_point"),
    ("no publisher", {"publisher": None}, None, 10, "publisher"),
    ("no date of issue", {"issued": None}, None, 5, "date_issued"),
    ("the date of issue on the distribution", {"issued": None}, {"issued": "2024"}, 0, ""),
    ("no modification date", {"modified": None}, None, 5, "date_modified"),
    ("the modification date on the distribution", {"modified": None}, {"modified": "2024"}, 0, ""),
    ("no description", {"description": None}, None, 0, ""),
    ("no download URL", {}, {"download_url": None}, 50, "download_url download_url_status"),
    ("no access URL: the download URL stands for it", {}, {"access_url": None}, 0, ""),
    ("no format", {}, {"format": None}, 30, "format format_vocabulary"),
    ("a format that means nothing", {}, {"format": "qwertz"}, 30, "format format_vocabulary"),
    ("a format of the portal's own", {}, {"format": "https://portal.example/f"}, 30, "format format_vocabulary"),
    ("no media type", {}, {"media_type": None}, 20, "media_type format_vocabulary"),
    ("a media type that is none", {}, {"media_type": "text/qwertz"}, 20, "media_type format_vocabulary"),
    (
        "neither format nor media type", {}, {"format": None, "media_type": None}, 80,
        "format media_type format_vocabulary non_proprietary machine_readable",
    ),
    (
        "a PDF", {}, {"format": "PDF", "media_type": "application/pdf"}, 40, "non_proprietary machine_readable",
    ),
    ("a workbook: readable, not open", {}, {"format": "XLSX", "media_type": None}, 40,
     "media_type format_vocabulary non_proprietary"),
    ("a picture: open, not readable", {}, {"format": "PNG", "media_type": "image/png"}, 20, "machine_readable"),
    ("a PDF said to be text/csv", {}, {"format": "PDF"}, 0, ""),
    ("no licence", {}, {"license": None}, 30, "licence known_licence"),
    ("a licence of no table", {}, {"license": "House rules"}, 10, "known_licence"),
    ("a licence of the portal's own", {}, {"license": "https://portal.example/terms"}, 10, "known_licence"),
    ("a licence we know and the EU does not", {}, {"license": "Licence Mobilités"}, 10, "known_licence"),
    ("no rights", {}, {"rights": None}, 5, "rights"),
    ("no size", {}, {"byte_size": None}, 5, "byte_size"),
    (
        "no distribution", {"distribution": None}, None, 220,
        " ".join(item.name for item in INDICATORS if item.level is Level.DISTRIBUTION),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "part", "lost", "names"), [row[1:] for row in WITHOUT], ids=[r[0] for r in WITHOUT])
def test_each_indicator_by_hand(change: dict[str, Any], part: dict[str, Any] | None, lost: int, names: str) -> None:
    found = score(dataset(change, part), works)
    assert missed(found) == set(names.split())
    assert found.points() == 405 - lost


def test_every_indicator_is_lost_in_some_example() -> None:
    told = {name for row in WITHOUT for name in row[4].split()}
    # No export of ours fails the shapes; link checks have examples of their own.
    assert set(BY_NAME) - told == {"dcat_ap_compliance"}


LINKS: list[tuple[str, dict[str, bool], int, int, str]] = [
    ("never checked", {}, 325, 405, "access_url_status download_url_status"),
    ("both work", {PAGE: True, CSV: True}, 405, 405, ""),
    ("both broken", {PAGE: False, CSV: False}, 325, 325, ""),
    ("the file is broken", {PAGE: True, CSV: False}, 375, 375, ""),
    ("the page is broken, the file not checked", {PAGE: False}, 325, 355, "download_url_status"),
]


@pytest.mark.parametrize(("checks", "now", "then", "unknown"), [row[1:] for row in LINKS], ids=[r[0] for r in LINKS])
def test_links_that_were_never_checked_are_unknown(checks: dict[str, bool], now: int, then: int, unknown: str) -> None:
    found = score(dataset({}), checks.get)
    assert (found.points(), found.points(Reading.CHECKED)) == (now, then)
    assert found.unknown == tuple(unknown.split())
    for name in ("access_url_status", "download_url_status"):
        assert lacking(found.pattern, name) == (not (found.now & BY_NAME[name].bit) and name not in unknown)


def test_one_address_that_works_is_enough() -> None:
    other = "https://data.example/other"
    found = dataset({}, {"access_url": [other, PAGE]})
    assert "access_url_status" in score(found, {other: False, PAGE: True}.get).met()
    assert "access_url_status" in score(found, {other: False}.get).unknown
    assert "access_url_status" in missed(score(found, {other: False, PAGE: False}.get), Reading.CHECKED)


def test_only_the_best_distribution_counts() -> None:
    best, other = PERFECT["distribution"][0], {"access_url": [PAGE], "format": "PDF"}
    for order in ([best, other], [other, best]):
        assert score(dataset({"distribution": order}), works).points() == 405
    # What two of them have is not added up: 20 for the licence of one, 45 for the size and rights of none.
    halves = [{"access_url": [PAGE], "license": "CC-BY-4.0"}, {"access_url": [PAGE], "byte_size": 1, "rights": "r"}]
    found = score(dataset({"distribution": halves}), works)
    assert {"licence", "known_licence"} <= set(found.met())
    assert not {"byte_size", "rights"} & set(found.met())


def test_what_is_filled_in_is_told() -> None:
    nameless = dataset({"publisher": {"homepage": "https://port.example"}}, {"access_url": None})
    found = score(nameless, works)
    assert set(found.filled) == {"publisher.name", "distribution.access_url"}
    assert "dcat_ap_compliance" in found.met()
    assert lacking(found.pattern, FILLED_IN.name)


@pytest.mark.parametrize(
    ("points", "name"),
    [(0, "bad"), (120, "bad"), (120.4, "bad"), (120.5, "sufficient"), (121, "sufficient"), (220, "sufficient"),
     (221, "good"), (350, "good"), (350.5, "excellent"), (351, "excellent"), (405, "excellent")],
)  # fmt: skip
def test_bands(points: float, name: str) -> None:
    assert band(points) == name


def test_the_lists_of_formats_are_of_the_eu_table() -> None:
    table = {concept.uri for concept in VOCABULARIES["file-type"]}
    assert table >= MACHINE_READABLE | NON_PROPRIETARY
    assert (len(MACHINE_READABLE), len(NON_PROPRIETARY)) == (20, 29)


DQV_FREE = Namespace("http://publications.europa.eu/resource/authority/")
FILE_TYPES, ACCESS = str(DQV_FREE) + "file-type/", str(DQV_FREE) + "access-right/"
IANA = "iana.org/assignments/media-types/"


def read_from_export(body: bytes) -> set[str]:
    """What a reader who only sees the RDF finds, by the definitions of the metrics; links and shapes aside."""
    graph = Graph().parse(data=body, format="nt")
    node = next(graph.subjects(RDF.type, DCAT.Dataset, unique=True))
    has: Callable[[Any, URIRef], bool] = lambda of, path: graph.value(of, path, any=True) is not None  # noqa: E731
    own = {
        "keyword": DCAT.keyword, "category": DCAT.theme, "spatial": DCTERMS.spatial, "temporal": DCTERMS.temporal,
        "access_rights": DCTERMS.accessRights, "contact_point": DCAT.contactPoint, "publisher": DCTERMS.publisher,
        "date_issued": DCTERMS.issued, "date_modified": DCTERMS.modified,
    }  # fmt: skip
    found = {name for name, path in own.items() if has(node, path)}
    if any(str(right).startswith(ACCESS) for right in graph.objects(node, DCTERMS.accessRights)):
        found.add("access_rights_vocabulary")
    parts = [found | _read_part(graph, part, has) for part in graph.objects(node, DCAT.distribution)]
    return max(parts, key=lambda names: sum(BY_NAME[name].points for name in names), default=found)


def _read_part(graph: Graph, part: Any, has: Callable[[Any, URIRef], bool]) -> set[str]:
    stated = {
        "download_url": DCAT.downloadURL, "format": DCTERMS.format, "media_type": DCAT.mediaType,
        "licence": DCTERMS.license, "rights": DCTERMS.rights, "byte_size": DCAT.byteSize,
        "date_issued": DCTERMS.issued, "date_modified": DCTERMS.modified,
    }  # fmt: skip
    found = {name for name, path in stated.items() if has(part, path)}
    formats = {str(value) for value in graph.objects(part, DCTERMS.format)}
    types = {str(value) for value in graph.objects(part, DCAT.mediaType)}
    if any(f.startswith(FILE_TYPES) for f in formats) and any(IANA in t for t in types):
        found.add("format_vocabulary")
    kinds = formats | {_kind(t) for t in types}
    found |= {"non_proprietary"} if kinds & NON_PROPRIETARY else set()
    found |= {"machine_readable"} if kinds & MACHINE_READABLE else set()
    licences = (str(value) for value in graph.objects(part, DCTERMS.license))
    if any(value.startswith(f"{DQV_FREE}licence/") for value in licences):
        found.add("known_licence")
    return found


def _kind(media_type: str) -> str:
    concept = VOCABULARIES["file-type"].resolve(media_type.partition(IANA)[2])
    return concept.uri if concept else ""


@given(DATASET)
def test_another_reader_of_the_export_finds_the_same(raw: dict[str, Any]) -> None:
    found = Dataset.of({**raw, "kind": "dataset", "in_series": [], "has_version": [], "qualified_relation": []})
    alone = {"dcat_ap_compliance", "access_url_status", "download_url_status"}
    told = read_from_export(write(found, iri="https://data.example/the-dataset"))
    mine = score(found, lambda address: False)
    assert sum(BY_NAME[name].points for name in told) == mine.points() - 30
    assert told == set(mine.met()) - alone or len(found.distribution) > 1


RANDOM = st.lists(DATASET.map(lambda raw: Dataset.of({**raw, "title": {"en": "T"}})), max_size=6)
KNOWN = st.dictionaries(st.integers(0, 9), st.booleans())


def checks_of(known: dict[int, bool]) -> Callable[[str], bool | None]:
    return lambda address: known.get(len(address) % 10)


def tallied(scores: list[Score]) -> Tally:
    parts = Counter(pattern_of(part) for found in scores for part in found.parts)
    return Tally(Counter(found.pattern for found in scores), parts)


@given(RANDOM, KNOWN)
def test_the_mean_is_that_of_the_scores(found: list[Dataset], known: dict[int, bool]) -> None:
    scores = [score(one, checks_of(known)) for one in found]
    for reading in Reading:
        total = sum(each.points(reading) for each in scores)
        mean = result(tallied(scores), Rule.MEAN, reading)
        assert mean.points == pytest.approx(total / len(scores) if scores else 0)
        for dimension in Dimension:
            of = sum(each.dimensions(reading)[dimension] for each in scores)
            assert mean.dimensions[dimension] == pytest.approx(of / len(scores) if scores else 0)


@given(RANDOM, KNOWN)
def test_the_shares_are_those_of_datasets_and_distributions(found: list[Dataset], known: dict[int, bool]) -> None:
    scores = [score(one, checks_of(known)) for one in found]
    parts = [part for each in scores for part in each.parts]
    for share in result(tallied(scores), Rule.SHARE).shares:
        item = share.indicator
        if item.level is Level.DISTRIBUTION:
            of = [part for part in parts if not part.unknown & item.bit]
            if item.name == "download_url_status":
                of = [part for part in of if part.met & BY_NAME["download_url"].bit]
            met = [part for part in of if part.met & item.bit]
            assert (share.met, share.of) == (len(met), len(of))
        else:
            met_all = [each for each in scores if each.now & item.bit]
            assert (share.met, share.of) == (len(met_all), len(scores))
        assert share.points == pytest.approx(item.points * share.met / share.of if share.of else 0)


@given(RANDOM, KNOWN)
def test_what_a_fix_wins_is_what_the_mended_datasets_have_more(found: list[Dataset], known: dict[int, bool]) -> None:
    scores = [score(one, checks_of(known)) for one in found]
    counted = tallied(scores)
    before = result(counted, Rule.MEAN).points
    told = fixes(counted)
    assert [fix.to_win for fix in told] == sorted((fix.to_win for fix in told), reverse=True)
    for fix in told:
        name = fix.indicator.name
        without = [each for each in scores if lacking(each.pattern, name)]
        assert fix.datasets == len(without)
        won = 0
        if name != FILLED_IN.name:
            gained = [with_needs((name,)) & ~each.now for each in without]
            won = sum(BY_NAME[one].points for bits in gained for one in names_of(bits))
        assert fix.to_win == pytest.approx(won / len(scores))
        assert fix.after[Rule.MEAN] == pytest.approx(before + fix.to_win)
        then = mended(counted, [name])
        assert {rule: result(then, rule).points for rule in Rule} == pytest.approx(dict(fix.after))


def test_a_fix_in_words() -> None:
    scores = [score(dataset({"keyword": None}), works) for _ in range(847)]
    [fix] = fixes(tallied([*scores, score(dataset({}), works)]))
    assert fix.words == "these 847 datasets lack keywords: 30 points each"
    assert fix.to_win == pytest.approx(30 * 847 / 848)
    assert fix.after[Rule.MEAN] == pytest.approx(405)
    assert fix.after[Rule.SHARE] == pytest.approx(405)


def test_the_words_of_a_fix_add_up_to_what_it_wins() -> None:
    scores = [score(dataset({"access_rights": None}), works) for _ in range(2)]
    found = {fix.indicator.name: fix for fix in fixes(tallied([*scores, score(dataset({}), works)]))}
    assert found["access_rights"].words.endswith("10 points each")
    fix = found["access_rights_vocabulary"]
    assert fix.words.endswith("5 points each, and 20 more for what comes with it")
    assert fix.to_win == pytest.approx((2 * 5 + 20) / 3)


def test_both_rules_by_hand() -> None:
    # Two distributions, one with all there is and one PDF with a licence: the dataset has all, the shares do not.
    other = {"access_url": [PAGE], "format": "PDF", "license": "CC-BY-4.0"}
    both = score(dataset({"distribution": [PERFECT["distribution"][0], other]}), works)
    counted = tallied([both])
    assert result(counted, Rule.MEAN).points == 405
    # Half of: download URL 20, media type 10, vocabulary 10, open 20, readable 20, rights 5, size 5.  The only
    # download URL works.
    assert result(counted, Rule.SHARE).points == 405 - 45
    assert result(mended(counted, ["machine_readable"]), Rule.SHARE).points == 405 - 35


def test_nothing_scores_nothing() -> None:
    assert result(Tally(), Rule.MEAN).points == result(Tally(), Rule.SHARE).points == 0
    assert fixes(Tally()) == []


def violations(body: bytes) -> list[str]:
    quieten()
    asked, feed = Asked("dcat-ap-3.0.1", closed=True), Feed()
    feed.parse(body, "https://data.example/")
    found = [item for _, several in checked(parts_of(feed, asked, asked.graph()), asked) for item in several]
    return [item.path for item in found if item.severity is Severity.VIOLATION]


@pytest.mark.parametrize("raw", [{"identifier": ["x"]}, {**PERFECT, "publisher": {"email": "a@b.example"}}, PERFECT])
def test_what_counts_as_conforming_conforms(raw: dict[str, Any]) -> None:
    found = Dataset.of(raw)
    assert "dcat_ap_compliance" in score(found).met()
    assert violations(write(found, iri="https://data.example/the-dataset")) == []


HOST = "recorded.example"


def recorded(recording: Recording) -> Iterator[Dataset]:
    """The datasets of a recording, read by the real connector from a portal that plays it."""
    module = registry.connector(recording.connector)
    source = Source("recorded", f"http://{HOST}{recording.path}", module.Options())
    quiet = Settings(private_hosts=(HOST,), retries=0)
    with Http(quiet, transport=as_transport(recording.portal()), sleep=lambda _: None) as http:
        records = (record for page in module.fetch(source, http, Walk()) for record in page.records)
        with suppress(SourceError):
            for record in records:
                with suppress(RecordError):
                    yield module.normalise(record, source)


def test_datasets_of_recorded_portals_are_scored(shared: Path) -> None:
    bands = Counter[str]()
    for recording in recordings(shared / "corpus"):
        for found in recorded(recording) if not recording.broken else ():
            told = score(found)
            assert told == score(found.plain())
            assert 30 <= told.points() <= told.points(Reading.CHECKED) <= MOST
            bands[told.band()] += 1
    sys.stdout.write(f"{dict(bands)}\n")
    # Links are not checked: 80 points are missing in each.
    assert set(bands) == {"bad", "sufficient", "good"}
    assert bands.total() > 1000
