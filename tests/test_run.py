"""Runs over a real database with a programmable connector: what is written, what never is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from harvester import sources, worker
from harvester.catalogue import claims, queries, store
from harvester.catalogue.database import writing
from harvester.catalogue.tables import (
    blocks,
    changes,
    datasets,
    identifiers,
    notices,
    problems,
    records,
    runs,
    signs,
    unmatched,
)
from harvester.catalogue.tables import (
    sources as source_rows,
)
from harvester.connector import Body, Page, Record
from harvester.errors import SourceError, UsageError
from harvester.harvest import Change, Harvest, Result
from harvester.http import Http
from harvester.notices import notify
from harvester.run import run
from harvester.settings import Settings
from harvester.walks import nothing
from tests.programmable import Programmable, packages

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Bench:
    """A catalogue with programmable sources, and a clock that a test moves."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings, self.now = engine, settings, NOW

    def source(self, name: str = "one") -> None:
        with writing(self.engine) as connection:
            url = f"http://{name}.example/"
            row = {"name": name, "title": name, "connector": "programmable", "url": url, "options": {}}
            store.add_source(connection, row | {"created_at": self.now})

    def run(self, connector: Programmable, name: str = "one", mode: str = "full", dry: bool = False) -> Result:
        self.now += timedelta(days=1)
        self.told: list[Change] = []
        with writing(self.engine) as connection:
            row = sources.named(connection, name)
            began = (row, mode, self.now)
            claim = claims.unrecorded(*began) if dry else worker.begin(connection, *began)
        with Http(self.settings) as http:
            harvest = Harvest(
                self.engine,
                self.settings,
                http,
                lambda: self.now,
                dry,
                connectors=lambda _: connector,
                on_change=self.told.append,
            )
            return run(harvest, row, claim)

    def count(self, table: Any, *where: Any) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())

    def visible(self) -> int:
        with self.engine.connect() as connection:
            return queries.visible_count(connection)

    def names(self, number: int = 0) -> set[tuple[str | None, str | None]]:
        """Every identifier of a dataset, by the order in which they are visible."""
        with self.engine.connect() as connection:
            view = queries.visible_page(connection)[number]
            found = queries.identifiers_of(connection, [view.id]).get(view.id, ())
        return {(known.notation, known.agency) for known in found}

    def about(self, name: str = "one") -> dict[str, Any]:
        """What the catalogue knows of a source as a whole."""
        with self.engine.connect() as connection:
            found = queries.source_catalogues(connection, [name])
        return found[name].plain() if name in found else {}

    def titles(self) -> list[str]:
        with self.engine.connect() as connection:
            views = queries.visible_page(connection)
        return [view.dataset.title[""] for view in views if view.dataset]


@pytest.fixture
def bench(engine: Engine, settings: Settings) -> Bench:
    made = Bench(engine, settings)
    made.source()
    return made


def counts(result: Result) -> dict[str, int]:
    return {name: number for name, number in result.tally.counts.items() if number}


def test_first_run_creates_and_second_writes_nothing(bench: Bench) -> None:
    connector = Programmable(packages(7))
    first = bench.run(connector)
    assert (first.status, counts(first)) == ("succeeded", {"created": 7})
    logged = bench.count(changes)
    second = bench.run(connector)
    assert (second.status, counts(second)) == ("succeeded", {"unchanged": 7})
    assert bench.count(changes) == logged == bench.visible() == 7


def test_a_change_updates_one_dataset_and_keeps_its_identity(bench: Bench) -> None:
    connector = Programmable(packages(3))
    bench.run(connector)
    with bench.engine.connect() as connection:
        before = [view.key for view in queries.visible_page(connection)]
    connector.packages["g1"]["title"] = "Nouveau titre"
    assert counts(bench.run(connector)) == {"updated": 1, "unchanged": 2}
    assert bench.titles() == ["Jeu 0", "Nouveau titre", "Jeu 2"]
    with bench.engine.connect() as connection:
        assert [view.key for view in queries.visible_page(connection)] == before


def test_a_view_counter_writes_no_dataset(bench: Bench) -> None:
    connector = Programmable(packages(2, views=1))
    bench.run(connector)
    logged = bench.count(changes)
    for package in connector.packages.values():
        package["views"] = 99
    assert counts(bench.run(connector)) == {"unchanged": 2}
    assert bench.count(changes) == logged
    assert counts(bench.run(connector)) == {"unchanged": 2}


def test_a_broken_record_is_a_row_and_the_rest_goes_on(bench: Bench) -> None:
    connector = Programmable(packages(5))
    connector.packages["g1"] = {"keyword": ["sans titre"]}
    connector.packages["g3"]["title"] = "BOOM"
    result = bench.run(connector)
    assert (result.status, counts(result)) == ("partial", {"created": 3, "failed": 2})
    with bench.engine.connect() as connection:
        rows = connection.execute(select(problems).order_by(problems.c.guid)).all()
    assert [(row.guid, row.code, row.stage, row.field) for row in rows] == [
        ("g1", "no-title-no-identifier", "normalise", "title"),
        ("g3", "unexpected", "normalise", None),
    ]


def test_a_failed_record_is_accepted_once_it_is_mended(bench: Bench) -> None:
    connector = Programmable(packages(2))
    connector.packages["g1"]["title"] = "BOOM"
    bench.run(connector)
    connector.packages["g1"]["title"] = "Réparé"
    assert counts(bench.run(connector)) == {"unchanged": 1, "created": 1}
    assert bench.titles() == ["Jeu 0", "Réparé"]


def test_a_record_that_breaks_keeps_its_last_good_dataset(bench: Bench) -> None:
    connector = Programmable(packages(2))
    bench.run(connector)
    connector.packages["g1"]["title"] = "BOOM"
    assert counts(bench.run(connector)) == {"unchanged": 1, "failed": 1}
    assert bench.titles() == ["Jeu 0", "Jeu 1"]


def test_bad_values_are_warnings_with_field_and_value(bench: Bench) -> None:
    result = bench.run(Programmable(packages(1, issued="10/12/2019")))
    assert (result.status, result.tally.warnings) == ("succeeded", 1)
    with bench.engine.connect() as connection:
        row = connection.execute(select(problems)).one()
    assert (row.severity, row.guid, row.field, row.value, row.code) == (
        "warning", "g0", "issued", "10/12/2019", "bad-date",
    )  # fmt: skip


@pytest.mark.parametrize("vanished", [1, 8])
def test_what_vanishes_is_retired_and_comes_back(bench: Bench, vanished: int) -> None:
    connector = Programmable(packages(30), size=7)
    bench.run(connector)
    gone = {guid: connector.packages.pop(guid) for guid in list(connector.packages)[:vanished]}
    assert counts(bench.run(connector)) == {"unchanged": 30 - vanished, "retired": vanished}
    assert bench.visible() == 30 - vanished
    connector.packages |= gone
    assert counts(bench.run(connector)) == {"unchanged": 30 - vanished, "restored": vanished}
    assert bench.visible() == 30


def empty(connector: Programmable) -> None:
    connector.packages = {}


def half(connector: Programmable) -> None:
    connector.packages = dict(list(connector.packages.items())[:15])


def failing(connector: Programmable) -> None:
    del connector.packages["g0"]
    connector.fail_after = 12


def short_of_total(connector: Programmable) -> None:
    del connector.packages["g0"]
    connector.advertised = 30


def unreadable(connector: Programmable) -> None:
    del connector.packages["g0"]
    connector.unreadable, connector.nameless = ("g5",), True


@pytest.mark.parametrize(
    ("misbehave", "status", "code"),
    [
        (empty, "held", "empty-answer"),
        (half, "held", "too-many-vanished"),
        (failing, "failed", "unavailable"),
        (short_of_total, "held", "count-gap"),
        (unreadable, "held", "walk-with-errors"),
    ],
)
def test_a_bad_answer_retires_nothing(
    bench: Bench, misbehave: Callable[[Programmable], None], status: str, code: str
) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    misbehave(connector)
    result = bench.run(connector)
    assert (result.status, result.code, result.tally.counts["retired"]) == (status, code, 0)
    assert bench.visible() == 30


def test_a_record_that_cannot_be_read_but_has_a_name_is_kept(bench: Bench) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    del connector.packages["g0"]
    connector.unreadable = ("g5",)
    result = bench.run(connector)
    assert (result.status, counts(result)) == ("partial", {"unchanged": 28, "retired": 1, "failed": 1})
    assert bench.visible() == 29


def test_an_incremental_walk_retires_nothing_and_asks_with_an_overlap(bench: Bench) -> None:
    connector = Programmable(packages(5))
    bench.run(connector)
    started = bench.now
    connector.packages = {"g9": {"title": "Neuf"}}
    assert counts(bench.run(connector, mode="incremental")) == {"created": 1}
    assert connector.walks[-1].since == started - timedelta(hours=1)
    assert bench.visible() == 6


def test_what_the_source_itself_deletes_is_retired(bench: Bench) -> None:
    connector = Programmable(packages(3))
    bench.run(connector)
    connector.deleted = ("g1",)
    assert counts(bench.run(connector)) == {"unchanged": 2, "retired": 1}
    assert bench.titles() == ["Jeu 0", "Jeu 2"]


@pytest.mark.parametrize(("total", "most"), [(50, 16_000), (0, None)])
def test_a_source_that_makes_up_records_without_end_fails(bench: Bench, total: int, most: int | None) -> None:
    class Endless(Programmable):
        def fetch(self, *args: Any) -> Any:
            for start in range(0, 20_000, 500):
                yield Page(tuple(Record(f"made-up-{start + n}", {}, deleted=True) for n in range(500)), total)

    result = bench.run(Endless())
    # A total of nothing counts nothing: it says nothing of where the end would be.
    assert (result.status, result.code) == (("failed", "paging-loop") if most else ("succeeded", None))
    assert most is None or result.tally.fetched < most


def test_an_empty_answer_to_the_question_for_changes_is_no_good_run(bench: Bench) -> None:
    class Empty(Programmable):
        def fetch(self, *args: Any) -> Any:
            yield Page((), notes=(nothing(),))

    assert bench.run(Empty()).status == "succeeded"
    bench.run(Programmable(packages(3)))
    with bench.engine.connect() as connection:
        since = sources.named(connection, "one").since_at
    result = bench.run(Empty(), mode="incremental")
    assert (result.status, result.code) == ("partial", "empty-answer")
    with bench.engine.connect() as connection:
        assert sources.named(connection, "one").since_at == since
    assert bench.visible() == 3


def test_a_guid_listed_twice_counts_once(bench: Bench) -> None:
    class Twice(Programmable):
        def fetch(self, *args: Any) -> Any:
            yield from super().fetch(*args)
            yield from super().fetch(*args)

    connector = Twice(packages(4))
    assert counts(bench.run(connector)) == {"created": 4, "repeated": 4}
    assert bench.visible() == 4


def test_one_dataset_on_two_portals_stands_once(bench: Bench) -> None:
    bench.source("two")
    uri = "https://data.example.org/id/dataset/water"
    bench.run(Programmable({"a": {"title": "Eau", "uri": uri}, "b": {"title": "Air"}}))
    other = Programmable(
        {"z": {"title": "L'eau", "other_identifier": [{"notation": uri, "agency": "data.example.org"}]}}
    )
    bench.run(other, "two")
    assert bench.titles() == ["Eau", "Air"]
    with bench.engine.connect() as connection:
        view = queries.visible_page(connection)[0]
    assert [(r.source, r.guid, r.shown) for r in view.records] == [("one", "a", True), ("two", "z", False)]
    assert view.iri == uri


def test_a_joined_dataset_lives_on_with_its_other_record(bench: Bench) -> None:
    bench.source("two")
    one = Programmable({"a": {"title": "Eau", "uri": "https://e.example/id/1"}, "b": {"title": "Air"}})
    two = Programmable({"z": {"title": "Onde", "uri": "https://e.example/id/1"}})
    bench.run(one)
    bench.run(two, "two")
    del one.packages["a"]
    bench.run(one)
    assert bench.titles() == ["Onde", "Air"]


def test_a_record_that_links_two_datasets_makes_them_one(bench: Bench) -> None:
    for name in ("two", "three"):
        bench.source(name)
    uris = [f"https://e.example/id/{n}" for n in (1, 2)]
    bench.run(Programmable({"a": {"title": "Eau", "uri": uris[0]}}))
    bench.run(Programmable({"b": {"title": "Water", "uri": uris[1]}}), "two")
    with bench.engine.connect() as connection:
        ended = queries.visible_page(connection)[1].key
    bench.run(Programmable({"c": {"title": "Onde", "uri": uris[0], "identifier": uris[1]}}), "three")
    assert bench.titles() == ["Eau"]
    with bench.engine.connect() as connection:
        view = queries.dataset_by_key(connection, ended)
    assert view is not None
    assert [record.source for record in view.records] == ["one", "two", "three"]


def test_two_datasets_that_share_a_source_are_not_made_one(bench: Bench) -> None:
    bench.source("two")
    uris = [f"https://e.example/id/{n}" for n in (1, 2)]
    bench.run(Programmable({"a": {"title": "Un", "uri": uris[0]}, "b": {"title": "Deux", "uri": uris[1]}}))
    bench.run(Programmable({"c": {"title": "Les deux", "uri": uris[0], "identifier": uris[1]}}), "two")
    assert bench.titles() == ["Un", "Deux", "Les deux"]


def test_two_records_of_one_source_are_never_joined(bench: Bench) -> None:
    shared_uri = "https://data.example.org/id/series"
    bench.run(Programmable({g: {"title": g, "uri": shared_uri} for g in ("a", "b", "c", "d")}))
    assert bench.visible() == 4


def test_a_dry_run_tells_the_same_and_writes_nothing(bench: Bench) -> None:
    connector = Programmable(packages(3))
    bench.run(connector)
    tables = (records, datasets, changes, runs, problems, signs, blocks)
    before = [bench.count(table) for table in tables]
    connector.packages["g1"]["title"] = "Autre"
    connector.packages["g7"] = {"title": "Sept"}
    result = bench.run(connector, dry=True)
    assert counts(result) == {"created": 1, "updated": 1, "unchanged": 2}
    assert [(c.action, c.guid) for c in bench.told] == [("updated", "g1"), ("created", "g7")]
    assert [bench.count(table) for table in tables] == before


def test_replay_maps_kept_payloads_again(bench: Bench) -> None:
    connector = Programmable(packages(4))
    bench.run(connector)

    class Better(Programmable):
        def normalise(self, record: Any, source: Any) -> Any:
            return super().normalise(record, source).model_copy(update={"version": "2"})

    result = bench.run(Better(), mode="replay")
    assert (result.status, counts(result)) == ("succeeded", {"updated": 4})
    assert counts(bench.run(Better(), mode="replay")) == {"unchanged": 4}
    assert bench.visible() == 4


def test_unmatched_values_are_counted_and_forgotten_when_mended(bench: Bench) -> None:
    connector = Programmable(packages(2, license="Licence de la maison"))
    bench.run(connector)
    with bench.engine.connect() as connection:
        assert [tuple(row) for row in queries.unmatched_values(connection)] == [
            ("one", "licence", "Licence de la maison", 2)
        ]
    for package in connector.packages.values():
        del package["license"]
    bench.run(connector)
    assert bench.count(unmatched) == 0


def test_one_live_run_per_source_until_its_worker_is_lost(bench: Bench) -> None:
    with writing(bench.engine) as connection:
        row = sources.named(connection, "one")
        lost = worker.begin(connection, row, "full", bench.now)
        with pytest.raises(UsageError, match="is being harvested"):
            worker.begin(connection, row, "full", bench.now)
    with writing(bench.engine) as connection:
        again = worker.begin(connection, row, "full", bench.now + claims.Terms().lease + timedelta(seconds=1))
        assert (again.ref.id, again.ref.attempt) == (lost.ref.id, lost.ref.attempt + 1)
        assert not claims.advance(connection, lost.ref, {"fetched": 1})
        assert claims.advance(connection, again.ref, {"fetched": 1})


def test_a_cancelled_run_stops_and_keeps_what_it_wrote(bench: Bench) -> None:
    connector = Programmable(packages(30))

    class Cancelling(Programmable):
        def fetch(self, *args: Any) -> Any:
            for number, page in enumerate(super().fetch(*args)):
                if number == 3:
                    with writing(bench.engine) as connection:
                        connection.execute(update(runs).values(status="cancelled"))
                yield page

    result = bench.run(Cancelling(connector.packages))
    assert result.status == "cancelled"
    assert 3 <= bench.visible() < 30


def test_a_removed_source_takes_its_datasets_and_gives_them_back(bench: Bench) -> None:
    connector = Programmable(packages(3))
    bench.run(connector)
    with bench.engine.connect() as connection:
        keys = [view.key for view in queries.visible_page(connection)]
    with writing(bench.engine) as connection:
        assert sources.remove(connection, "one", bench.now) == 3
    assert bench.visible() == 0
    bench.source()
    bench.run(connector)
    with bench.engine.connect() as connection:
        assert [view.key for view in queries.visible_page(connection)] == keys


def test_a_walk_that_lost_something_is_made_whole_again(bench: Bench) -> None:
    connector = Programmable(packages(10))
    for misbehave in (unreadable, short_of_total, failing):
        misbehave(connector)
        connector.fail_after = connector.fail_after and 6
        bench.run(connector)
        with bench.engine.connect() as connection:
            assert sources.named(connection, "one").complete_at is None
        connector.__init__(packages(10))  # type: ignore[misc]
    bench.run(connector)
    with bench.engine.connect() as connection:
        assert sources.named(connection, "one").complete_at is not None


def test_totals_that_cannot_be_are_not_believed(bench: Bench) -> None:
    connector = Programmable(packages(3))
    connector.advertised = 10**30
    assert (bench.run(connector).status, bench.visible()) == ("succeeded", 3)


def test_a_failed_run_is_an_error_in_the_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "harvester.settle")
    connector = Programmable(packages(30))
    bench.run(connector)
    failing(connector)
    bench.run(connector)
    ends = [record for record in caplog.records if record.message.startswith("run ended")]
    assert [record.levelname for record in ends] == ["INFO", "ERROR"]
    assert "status=failed code=unavailable" in ends[1].message


def test_the_end_of_what_was_held_is_told_as_a_recovery(bench: Bench) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    rules = notify.checked([{"channel": "email", "to": "ops@example.org"}])
    with writing(bench.engine) as connection:
        connection.execute(update(source_rows).values(notify=rules))
    kept = connector.packages
    connector.packages = dict(list(kept.items())[:15])
    assert bench.run(connector).status == "held"
    connector.packages = kept
    assert bench.run(connector).status == "succeeded"
    with bench.engine.connect() as connection:
        events = list(connection.execute(select(notices.c.event).order_by(notices.c.id)).scalars())
    assert events == ["held", "recovery"]


def test_a_portal_that_pages_for_ever_is_left(bench: Bench) -> None:
    class Endless(Programmable):
        def fetch(self, *args: Any) -> Any:
            while True:
                yield from super().fetch(*args)

    result = bench.run(Endless(packages(3)))
    assert (result.status, result.code) == ("failed", "paging-loop")
    assert bench.visible() == 3


def test_what_is_left_of_a_broken_answer_replaces_nothing(bench: Bench) -> None:
    class Broken(Programmable):
        def fetch(self, *args: Any) -> Any:
            yield from (replace(page, doubtful=True) for page in super().fetch(*args))
            raise SourceError("the answer is cut", code="broken-document")

    bench.run(Programmable(packages(2, description="Entier")))
    stumps = packages(3)
    assert counts(bench.run(Broken(stumps))) == {"unchanged": 2, "created": 1}
    with bench.engine.connect() as connection:
        views = queries.visible_page(connection)
    assert [bool(view.dataset and view.dataset.description) for view in views] == [True, True, False]


def test_a_source_of_which_nothing_can_be_used_failed(bench: Bench) -> None:
    result = bench.run(Programmable(packages(3, title="BOOM")))
    assert (result.status, result.code) == ("failed", "all-failed")


def test_a_dry_run_tells_what_would_go(bench: Bench) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    del connector.packages["g3"]
    result = bench.run(connector, dry=True)
    assert [(c.action, c.guid) for c in bench.told] == [("retired", "g3")]
    assert bench.visible() == 30
    empty(connector)
    assert bench.run(connector, dry=True).status == "held"
    assert result.status == "succeeded"


def test_the_same_bytes_need_not_be_read_again(bench: Bench) -> None:
    class Remembering(Programmable):
        def fetch(self, source: Any, http: Any, walk: Any) -> Any:
            for number, page in enumerate(super().fetch(source, http, walk)):
                digest = bytes([number]) * 16
                if known := walk.known(digest):
                    yield Page((), page.advertised, unchanged=known)
                else:
                    yield replace(page, body=digest, whole=Body(digest, len(page.records)))

    connector = Remembering(packages(7))
    bench.run(connector)
    broken = {guid: {"title": "BOOM"} for guid in connector.packages}
    connector.packages = broken
    assert counts(bench.run(connector)) == {"unchanged": 7}
    with writing(bench.engine) as connection:
        connection.execute(update(records).where(records.c.guid == "g0").values(status="failed"))
    assert counts(bench.run(connector)) == {"unchanged": 4, "failed": 3}


URI = "https://one.example/id/7"
OTHER = {"notation": "FR-7", "agency": "INSPIRE"}


def test_every_identifier_is_kept_with_who_gave_it(bench: Bench) -> None:
    raw = {"title": "Jeu", "uri": URI, "identifier": ["7", "7b"], "other_identifier": [OTHER, {"notation": "x"}]}
    bench.run(Programmable({"g7": raw}))
    assert bench.names() == {
        ("g7", "one.example"),
        ("7", "one.example"),
        ("7b", "one.example"),
        (URI, None),
        ("FR-7", "INSPIRE"),
        ("x", None),
    }


def test_identifiers_of_earlier_revisions_and_of_retired_records_stay(bench: Bench) -> None:
    connector = Programmable({"g": {"title": "Jeu", "uri": URI, "other_identifier": [OTHER]}, "h": {"title": "Autre"}})
    bench.run(connector)
    connector.packages["g"] = {"title": "Jeu", "uri": f"{URI}/new"}
    bench.run(connector)
    assert {(URI, None), (f"{URI}/new", None), ("FR-7", "INSPIRE"), ("g", "one.example")} <= bench.names()
    before = bench.count(identifiers)
    del connector.packages["g"]
    bench.run(connector)
    assert bench.count(identifiers) == before


def test_a_known_identifier_keeps_the_date_of_its_first_sight(bench: Bench) -> None:
    connector = Programmable({"g": {"title": "Jeu"}})
    bench.run(connector)
    first = bench.now
    connector.packages["g"] = {"title": "Nouveau", "uri": URI}
    bench.run(connector)
    with bench.engine.connect() as connection:
        rows = connection.execute(select(identifiers.c.notation, identifiers.c.first_seen_at))
        seen = {row.notation: row.first_seen_at for row in rows}
    assert seen == {"g": first, URI: bench.now}


def test_a_dataset_has_the_identifiers_of_those_merged_into_it(bench: Bench) -> None:
    bench.source("two")
    bench.source("three")
    a, b = "https://a.example/d/1", "https://b.example/d/1"
    bench.run(Programmable({"g": {"title": "Jeu", "uri": a, "other_identifier": [OTHER]}}))
    bench.run(Programmable({"h": {"title": "Jeu", "uri": b, "other_identifier": [OTHER | {"notation": "x"}]}}), "two")
    assert bench.visible() == 2
    both = [{"notation": a}, {"notation": b}]
    bench.run(Programmable({"i": {"title": "Jeu", "other_identifier": both}}), "three")
    assert bench.visible() == 1
    expected = {("g", "one.example"), ("h", "two.example"), ("i", "three.example"), (a, None), (b, None)}
    assert bench.names() == expected | {("FR-7", "INSPIRE"), ("x", "INSPIRE")}
    with bench.engine.connect() as connection:
        assert len(set(connection.execute(select(identifiers.c.dataset_id)).scalars())) == 1


def test_what_no_index_can_hold_is_no_identifier(bench: Bench) -> None:
    bench.run(Programmable({"g": {"title": "Jeu", "other_identifier": [{"notation": "n" * 501}]}}))
    assert bench.names() == {("g", "one.example")}


def test_what_a_source_says_of_itself_is_kept(bench: Bench) -> None:
    connector = Programmable(packages(7))
    connector.catalogue = {"title": {"fr": "Portail", "fr-t-nl": "Portail"}, "homepage": "https://one.example/"}
    bench.run(connector)
    assert bench.about() == {
        "title": {"fr": "Portail", "fr-t-nl": "Portail"},
        "homepage": "https://one.example/",
    }
    connector.catalogue = None
    bench.run(connector)
    assert bench.about()["homepage"] == "https://one.example/"
    connector.catalogue = {"title": "Neu"}
    bench.run(connector)
    assert bench.about() == {"title": {"": "Neu"}}


def test_a_bad_value_of_the_catalogue_is_reported_once_with_field_and_value(bench: Bench) -> None:
    connector = Programmable(packages(7))
    connector.catalogue = {"title": "Portail", "homepage": "nowhere", "issued": None}
    result = bench.run(connector)
    assert (result.status, bench.about()) == ("succeeded", {"title": {"": "Portail"}})
    with bench.engine.connect() as connection:
        rows = connection.execute(select(problems.c.field, problems.c.value, problems.c.severity)).all()
    assert [tuple(row) for row in rows] == [("catalogue.homepage", "nowhere", "warning")]


def test_a_connector_that_describes_its_catalogue_in_other_words_loses_only_that(bench: Bench) -> None:
    connector = Programmable(packages(2))
    connector.catalogue = {"no_such_field": 1}
    assert bench.run(connector).status == "succeeded"
    assert bench.about() == {}
    assert bench.count(problems, problems.c.code == "unreadable-catalogue") == 1


def test_a_dry_run_keeps_nothing_that_a_source_says_of_itself(bench: Bench) -> None:
    connector = Programmable(packages(2))
    connector.catalogue = {"title": "Portail"}
    bench.run(connector, dry=True)
    assert bench.about() == {}
    assert bench.count(source_rows, source_rows.c.catalogue.is_not(None)) == 0
