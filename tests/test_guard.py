"""The deletion guard over a real database: what is never retired, what is held, and what lets it go."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, Row, insert, select

from connectors import dcat
from harvester import held
from harvester.catalogue import history, leaving, queries
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.store import RunRef
from harvester.catalogue.tables import datasets, documents, problems, records, revisions
from harvester.connector import Page, Record, Source, Walk
from harvester.errors import RecordError, SourceError, UsageError
from harvester.harvest import Tally
from harvester.http import Http
from harvester.model import Dataset
from harvester.samples.serving import Reply, as_transport
from harvester.settings import Settings
from tests.programmable import Programmable, packages
from tests.test_run import Bench, counts

ME = "somebody"


class Asked(Programmable):
    """Can be asked whether a record is gone: `there` still answers, `silent` gives no answer."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.there: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[str] = []

    def gone(self, source: Source, http: Http, guids: list[str]) -> dict[str, bool] | None:
        self.asked += guids
        return {g: g not in self.packages and g not in self.there for g in guids if g not in self.silent}


class Guarded(Bench):
    """A bench with the last run at hand."""

    def last(self) -> Row[Any]:
        with self.engine.connect() as connection:
            return queries.run_list(connection, limit=1)[0]

    def status(self, connector: Programmable, **more: Any) -> tuple[str, str | None]:
        result = self.run(connector, **more)
        return result.status, result.code

    def row(self, run_id: int) -> Row[Any]:
        with self.engine.connect() as connection:
            found = queries.run_by_id(connection, run_id)
        assert found is not None
        return found

    def since_when(self, connector: Programmable) -> datetime | None:
        """When the source began to fail, after one more run."""
        self.run(connector)
        with self.engine.connect() as connection:
            since: datetime | None = queries.source_by_id(connection, self.last().source_id).failing_since
        return since

    def would_go(self, run_id: int) -> list[str]:
        with self.engine.connect() as connection:
            return [row.guid for row in held.would_go(connection, held.held(connection, run_id))]

    def numbers(self) -> set[int]:
        """The numbers of the active records, whatever their identifiers."""
        return {int(guid.partition("-")[2]) for guid in self.active()}

    def active(self) -> set[str]:
        with self.engine.connect() as connection:
            return set(connection.execute(select(records.c.guid).where(records.c.status == "active")).scalars())

    def keys(self) -> set[str]:
        with self.engine.connect() as connection:
            return {view.key for view in queries.visible_page(connection, limit=10_000)}

    def reported(self, code: str) -> list[str]:
        with self.engine.connect() as connection:
            found = select(problems.c.message).where(problems.c.code == code, problems.c.run_id == self.last().id)
            return list(connection.execute(found).scalars())


@pytest.fixture
def bench(engine: Engine, settings: Settings) -> Guarded:
    made = Guarded(engine, settings)
    made.source()
    return made


def without(connector: Programmable, number: int) -> dict[str, dict[str, Any]]:
    """Take the first of the packages away; answers them."""
    return {guid: connector.packages.pop(guid) for guid in list(connector.packages)[:number]}


def files(number: int, prefix: str = "g") -> dict[str, dict[str, Any]]:
    """Datasets with a file each, whose address does not depend on the identifier."""
    return {
        f"{prefix}{n}": {"title": f"Jeu {n}", "distribution": [{"download_url": f"https://files.example/{n}.csv"}]}
        for n in range(number)
    }


def budgets(prefix: str, years: range) -> dict[str, dict[str, Any]]:
    """A series with one page for all its datasets."""
    return {f"{prefix}{y}": {"title": f"Budget {y}", "landing_page": ["https://e.example/budget"]} for y in years}


def test_new_identifiers_in_every_run_change_nothing(bench: Guarded) -> None:
    luck, connector = random.Random(7), Programmable(size=20)
    keys: set[str] = set()
    for _ in range(5):
        connector.packages = {f"{luck.getrandbits(64):x}": raw for raw in files(60).values()}
        result = bench.run(connector)
        assert (result.status, bench.visible(), bench.count(records)) == ("succeeded", 60, 60)
        keys = keys or bench.keys()
        assert bench.keys() == keys
        assert bench.active() == set(connector.packages)
    assert counts(result) == {"updated": 60}
    assert bench.reported("identifiers-changed") == [
        "60 records came under new identifiers and keep their datasets; none is left over"
    ]
    assert bench.count(revisions, revisions.c.action == "created") == 60
    assert bench.count(revisions, revisions.c.action == "renamed") == 240


def test_a_dataset_that_is_renamed_for_ever_keeps_few_names(bench: Guarded) -> None:
    connector = Programmable()
    for number in range(2 * leaving.MOST_NAMES):
        connector.packages = files(1, f"{number}-")
        bench.run(connector)
    assert max(len(bench.names()), bench.count(datasets)) <= leaving.MOST_NAMES
    assert {("0-0", "one.example"), (f"{number}-0", "one.example")} <= bench.names()


def test_a_new_identifier_keeps_key_iri_and_history(bench: Guarded) -> None:
    connector = Programmable({"a": {**files(1)["g0"], "uri": "https://one.example/id/a"}})
    bench.run(connector)
    with bench.engine.connect() as connection:
        before = queries.visible_page(connection)[0]
    connector.packages = {"b": {**files(1)["g0"], "uri": "https://one.example/id/b", "keyword": ["neuf"]}}
    bench.run(connector)
    with bench.engine.connect() as connection:
        after = queries.visible_page(connection)[0]
        lines = history.of_datasets(connection, [after.id])
    assert (after.id, after.key, after.iri) == (before.id, before.key, "https://one.example/id/a")
    assert [(line.action, line.guid, line.was) for line in lines] == [("renamed", "b", "a"), ("created", "a", None)]
    assert "keyword" in str(lines[0].fields)
    assert {("a", "one.example"), ("b", "one.example"), ("https://one.example/id/b", None)} <= bench.names()
    assert [change.action for change in bench.told] == ["created", "renamed"]


def test_identifiers_that_go_to_and_fro_leave_nothing_behind(bench: Guarded) -> None:
    connector = Programmable()
    for prefix in "ababa":
        connector.packages = files(12, prefix)
        assert bench.status(connector) == ("succeeded", None)
        assert (bench.visible(), bench.count(records)) == (12, 12)


def test_a_shift_that_began_in_a_bad_walk_is_carried_over_by_the_next_good_one(bench: Guarded) -> None:
    connector = Programmable(files(12))
    bench.run(connector)
    keys = bench.keys()
    connector.packages, connector.advertised = files(12, "n"), 13
    assert bench.status(connector) == ("held", "count-gap")
    connector.advertised = None
    assert bench.status(connector) == ("succeeded", None)
    assert bench.keys() == keys


def test_a_dataset_of_two_sources_stays_one(bench: Guarded) -> None:
    bench.source("two")
    shared = {"uri": "https://id.example/7"}
    bench.run(Programmable({"x": {"title": "Jeu 0", **shared}}), "two")
    connector = Programmable({"a": {**files(1)["g0"], **shared}})
    bench.run(connector)
    assert bench.visible() == 1
    connector.packages = {"b": connector.packages["a"]}
    bench.run(connector)
    assert (bench.visible(), bench.count(records)) == (1, 2)
    assert bench.active() == {"b", "x"}


def test_a_series_is_not_mixed_up(bench: Guarded) -> None:
    connector = Programmable(budgets("b", range(2001, 2013)))
    bench.run(connector)
    connector.packages = {
        f"c{y}": {"title": f"Budget {y}", "landing_page": ["https://e.example"]} for y in range(2013, 2025)
    }
    assert bench.status(connector) == ("held", "identifiers-changed")
    assert bench.visible() == 24


@pytest.mark.parametrize("bad", ["empty", "short", "failing", "unreadable", "broken", "useless", "doubtful"])
def test_no_bad_answer_ever_retires_however_often_it_is_repeated(bench: Guarded, bad: str) -> None:
    connector = Bad(packages(30), bad)
    bench.run(connector)
    connector.bad = True
    for _ in range(6):
        status = bench.run(connector).status
        assert (status, bench.visible()) == (("failed" if bad in ("failing", "useless") else "held"), 30)
    connector.bad = False
    assert bench.status(connector) == ("succeeded", None)


class Bad(Programmable):
    """Shows 29 of its datasets in a way that proves nothing."""

    def __init__(self, known: dict[str, dict[str, Any]], how: str) -> None:
        super().__init__(known, size=10)
        self.how, self.bad = how, False

    def fetch(self, source: Source, http: Http, walk: Walk) -> Any:
        pages = list(super().fetch(source, http, walk))
        yield from getattr(self, f"_{self.how}")(pages) if self.bad else pages

    def _empty(self, pages: list[Page]) -> list[Page]:
        return []

    def _short(self, pages: list[Page]) -> list[Page]:
        return [replace(pages[0], records=pages[0].records[1:]), *pages[1:]]

    def _failing(self, pages: list[Page]) -> Any:
        yield pages[0]
        raise SourceError("the portal fell over", code="unavailable")

    def _unreadable(self, pages: list[Page]) -> list[Page]:
        return [replace(self._short(pages)[0], problems=(RecordError("cannot be read"),)), *pages[1:]]

    def _broken(self, pages: list[Page]) -> list[Page]:
        return [replace(page, advertised=None, doubtful=True) for page in self._short(pages)]

    def _useless(self, pages: list[Page]) -> list[Page]:
        return [Page((Record("other", {"title": "BOOM"}),))]

    def _doubtful(self, pages: list[Page]) -> list[Page]:
        note = RecordError("the portal ignores the filter", code="filter-ignored")
        return [replace(page, advertised=None, notes=(note,)) for page in self._short(pages)]


def test_walks_that_agree_let_go_of_what_is_held(bench: Guarded) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    without(connector, 20)
    assert [bench.run(connector).status for _ in range(3)] == ["held", "held", "succeeded"]
    assert bench.visible() == 10
    with bench.engine.connect() as connection:
        rows = queries.run_list(connection)
    assert [(row.status, row.decided_by) for row in rows[1:3]] == [("partial", "run 4"), ("partial", "run 3")]
    assert bench.count(revisions, revisions.c.action == "vanished") == 20


def test_what_a_source_withdraws_is_guarded_like_what_vanishes(bench: Guarded) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    connector.deleted = tuple(list(connector.packages)[:20])
    assert bench.status(connector) == ("held", "too-many-vanished")
    assert bench.would_go(bench.last().id) == list(connector.deleted)
    assert bench.status(connector, mode="incremental") == ("succeeded", None)
    assert bench.visible() == 30
    connector.deleted = connector.deleted[:3]
    told = bench.run(connector, dry=True)
    assert counts(bench.run(connector)) == counts(told) == {"unchanged": 27, "retired": 3}
    assert bench.visible() == 27


def test_walks_that_agree_within_hours_do_not_count(bench: Guarded) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    without(connector, 20)
    for _ in range(5):
        assert bench.run(connector).status == "held"
        bench.now -= timedelta(hours=23)
    assert bench.visible() == 30


def test_walks_that_miss_others_each_time_do_not_agree(bench: Guarded) -> None:
    connector = Programmable()
    known = list(packages(30).items())
    connector.packages = dict(known)
    bench.run(connector)
    for start in (0, 10, 20, 0, 10, 20):
        connector.packages = dict(known[:start] + known[start + 10 :])
        assert bench.run(connector).status == "held"
    assert bench.visible() == 30


def test_bad_walks_in_between_neither_agree_nor_disagree(bench: Guarded) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    without(connector, 20)
    assert bench.run(connector).status == "held"
    connector.advertised = 11
    assert [bench.status(connector) for _ in range(4)] == [("held", "count-gap")] * 4
    connector.advertised = None
    assert [bench.run(connector).status for _ in range(2)] == ["held", "succeeded"]


def test_a_held_run_says_by_name_what_would_go_and_confirming_takes_just_that(bench: Guarded) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    gone = without(connector, 20)
    bench.run(connector)
    run = bench.last()
    assert bench.would_go(run.id) == list(gone)
    connector.packages = {guid: gone[guid] for guid in list(gone)[:3]}
    bench.run(connector, mode="incremental")
    assert bench.would_go(run.id) == list(gone)[3:]
    assert held.confirm(bench.engine, run.id, ME, bench.now) == 17
    row = bench.row(run.id)
    assert (row.status, row.retired, row.decided_by, row.code) == ("succeeded", 17, ME, None)
    assert bench.active() == {f"g{n}" for n in (0, 1, 2, *range(20, 30))}
    with pytest.raises(UsageError, match=f"decided by {ME}"):
        held.confirm(bench.engine, run.id, ME, bench.now)
    assert bench.count(revisions, revisions.c.action == "retired", revisions.c.run_id == run.id) == 17


def test_a_later_walk_makes_a_held_run_outdated(bench: Guarded) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    gone = without(connector, 20)
    bench.run(connector)
    connector.packages |= gone
    bench.run(connector)
    for decide in (lambda: held.confirm(bench.engine, 2, ME, bench.now), lambda: held.discard(bench.engine, 2, ME)):
        with pytest.raises(UsageError, match="run 3 has walked one since") as caught:
            decide()
        assert caught.value.code == "outdated-run"
    assert bench.visible() == 30


def test_a_failed_or_incremental_run_does_not_outdate_a_held_one(bench: Guarded) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    without(connector, 20)
    bench.run(connector)
    connector.fail_after = 0
    assert bench.run(connector).status == "failed"
    connector.fail_after = None
    bench.run(connector, mode="incremental")
    assert held.confirm(bench.engine, 2, ME, bench.now) == 20


def test_only_held_runs_are_decided_on(bench: Guarded) -> None:
    bench.run(Programmable(packages(3)))
    for number, code in ((1, "not-held"), (9, "unknown-run")):
        with pytest.raises(UsageError) as caught:
            held.confirm(bench.engine, number, ME, bench.now)
        assert caught.value.code == code


def test_confirming_that_was_cut_off_goes_on(bench: Guarded) -> None:
    connector = Programmable(packages(1300), size=500)
    bench.run(connector)
    without(connector, 1200)
    bench.run(connector)
    with writing(bench.engine) as connection:
        row = held.held(connection, 2)
        ids = [found.id for found in held.would_go(connection, row, limit=500)]
        ref = RunRef(row.id, row.source_id, row.source)
        leaving.retire_unseen(connection, ref, ids, row.id, bench.now)
        leaving.decide(connection, row.id, {"retired": 500})
    assert held.confirm(bench.engine, 2, ME, bench.now) == 700
    assert (bench.visible(), bench.row(2).retired) == (100, 1200)
    with bench.engine.connect() as connection:
        source = queries.source_by_id(connection, row.source_id)
    assert source.complete_at == source.since_at == row.started_at


def test_discarded_they_stay_and_earlier_walks_count_no_more(bench: Guarded) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    without(connector, 20)
    assert [bench.run(connector).status for _ in range(2)] == ["held", "held"]
    held.discard(bench.engine, 3, ME)
    assert (bench.row(3).status, bench.row(3).decided_by) == ("partial", ME)
    assert [bench.run(connector).status for _ in range(3)] == ["held", "held", "succeeded"]


def test_an_empty_source_is_let_go_of_by_a_person_alone(bench: Guarded) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    connector.packages = {}
    for _ in range(5):
        assert bench.status(connector) == ("held", "empty-answer")
    assert held.confirm(bench.engine, bench.last().id, ME, bench.now) == 30
    assert bench.status(connector) == ("succeeded", None)


def test_what_a_run_sees_while_somebody_retires_it_stays(bench: Guarded) -> None:
    class Late(Programmable):
        """Somebody confirms after the page was compared with what is stored, before its records are marked as seen."""

        def normalise(self, record: Record, source: Source) -> Dataset:
            if self.packages[record.guid].get("keyword") == ["neuf"]:
                held.confirm(bench.engine, 2, ME, bench.now)
            return super().normalise(record, source)

    connector = Programmable(packages(30))
    bench.run(connector)
    kept = without(connector, 20)
    bench.run(connector)
    late = Late(kept | connector.packages | {"g3": {"title": "Jeu 3", "keyword": ["neuf"]}}, size=10)
    assert bench.run(late).status == "succeeded"
    assert bench.count(revisions, revisions.c.action == "retired") == 20
    assert bench.visible() == 30
    assert bench.active() == set(late.packages)


def test_what_had_ended_in_a_dataset_ends_where_that_one_does(bench: Guarded) -> None:
    connector = Programmable(files(1))
    bench.run(connector)
    key = bench.keys()
    connector.packages, connector.advertised = files(1, "n"), 2
    bench.run(connector)
    with writing(bench.engine) as connection:
        new = connection.execute(select(records.c.dataset_id).where(records.c.guid == "n0")).scalar_one()
        row = {"id": 99, "key": "stray", "created_at": bench.now, "changed_at": bench.now, "merged_into_id": new}
        connection.execute(insert(datasets).values(row))
    connector.advertised = None
    assert bench.status(connector) == ("succeeded", None)
    with bench.engine.connect() as connection:
        ended = set(connection.execute(select(datasets.c.merged_into_id)).scalars()) - {None}
        home = connection.execute(select(datasets.c.id).where(datasets.c.key.in_(key))).scalar_one()
    assert (bench.keys(), ended) == (key, {home})


def test_a_walk_whose_total_changed_waits_for_the_next(bench: Guarded) -> None:
    class Restless(Programmable):
        def fetch(self, *args: Any) -> Any:
            for number, page in enumerate(super().fetch(*args)):
                yield replace(page, advertised=len(self.packages) + (number == 0))

    connector = Restless(packages(30))
    bench.run(connector)
    without(connector, 2)
    assert bench.status(connector) == ("partial", "total-changed")
    assert bench.visible() == 30
    assert bench.status(connector) == ("succeeded", None)
    assert bench.visible() == 28


def test_the_vanished_are_asked_for_and_those_that_answer_stay(bench: Guarded) -> None:
    connector = Asked(packages(30))
    bench.run(connector)
    without(connector, 4)
    connector.there, connector.silent = {"g1"}, {"g2"}
    assert bench.status(connector) == ("partial", "still-there")
    assert len(bench.reported("still-there")) == 2
    assert (bench.visible(), bench.last().retired) == (28, 2)
    assert bench.row(2).warnings == 2
    connector.there, connector.silent = set(), set()
    assert bench.status(connector) == ("succeeded", None)
    assert bench.visible() == 26


def test_silence_keeps_until_walks_agree_an_answer_for_ever(bench: Guarded) -> None:
    connector = Asked(packages(30))
    bench.run(connector)
    without(connector, 12)
    connector.there, connector.silent = {"g1"}, {"g2"}
    assert [bench.run(connector).status for _ in range(3)] == ["held", "held", "partial"]
    assert "g1" in bench.active()
    assert "g2" not in bench.active()


def test_a_portal_that_denies_what_it_shows_is_not_believed(bench: Guarded) -> None:
    connector = Asked(packages(30))
    bench.run(connector)
    without(connector, 2)
    connector.gone = lambda source, http, guids: dict.fromkeys(guids, True)  # type: ignore[method-assign]
    assert [bench.status(connector) for _ in range(2)] == [("partial", "still-there")] * 2
    assert bench.visible() == 30
    assert bench.status(connector) == ("succeeded", None)
    assert bench.visible() == 28


def test_a_portal_that_cannot_be_asked_is_not(bench: Guarded) -> None:
    connector = Asked(packages(30))
    bench.run(connector)
    without(connector, 2)
    connector.gone = lambda source, http, guids: None  # type: ignore[method-assign]
    assert bench.status(connector) == ("succeeded", None)
    assert bench.visible() == 28


def test_of_many_a_sample_is_asked_for(bench: Guarded) -> None:
    connector = Asked(packages(400), 200)
    bench.run(connector)
    without(connector, 30)
    bench.settings = bench.settings.model_copy(update={"ask_at_most": 5})
    connector.there = {"g3"}
    assert bench.status(connector) == ("held", "still-there")
    assert (len(connector.asked), bench.visible()) == (6, 400)
    connector.there = set()
    assert bench.status(connector) == ("succeeded", None)
    assert bench.visible() == 370


def test_content_is_forgotten_and_the_identifier_gets_its_dataset_back(bench: Guarded) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    keys = bench.keys()
    gone = without(connector, 5)
    bench.run(connector)
    with writing(bench.engine) as connection:
        assert leaving.forget(connection, bench.now, bench.now) == 0
        assert leaving.forget(connection, bench.now + timedelta(seconds=1), bench.now) == 5
        assert leaving.forget(connection, bench.now + timedelta(seconds=1), bench.now) == 0
    assert (bench.count(documents), bench.count(records), bench.count(datasets)) == (25, 30, 30)
    connector.packages |= gone
    bench.now += timedelta(days=3000)
    assert counts(bench.run(connector)) == {"unchanged": 25, "restored": 5}
    assert (bench.keys(), bench.count(documents)) == (keys, 30)
    assert all(view for view in bench.titles())


def test_the_contract_of_a_run_is_in_its_row(bench: Guarded) -> None:
    connector = Programmable(packages(30) | {"bad": {"title": "BOOM"}})
    connector.unreadable = ("g7",)
    bench.run(connector)
    row = bench.last()
    assert (row.advertised, row.fetched, row.distinct, row.accepted, row.visible) == (31, 31, 31, 29, 29)
    assert row.sound is True


def test_a_source_knows_since_when_it_fails(bench: Guarded) -> None:
    connector = Programmable(packages(3))
    connector.fail_after = 0
    bench.run(connector)
    since = bench.now
    assert [bench.since_when(connector), bench.since_when(connector)] == [since, since]
    connector.fail_after = None
    assert bench.since_when(connector) is None


def test_a_dry_run_is_as_careful(bench: Guarded) -> None:
    connector = Programmable(packages(30))
    bench.run(connector)
    without(connector, 20)
    for _ in range(2):
        assert bench.run(connector).status == "held"
    assert bench.run(connector, dry=True).status == "succeeded"
    assert sum(change.action == "retired" for change in bench.told) == 20
    assert bench.visible() == 30


KINDS = ["complete", "short", "empty", "failing", "unreadable", "broken", "incremental", "shifted", "restless"]


@given(
    walks=st.lists(
        st.tuples(st.sampled_from(KINDS), st.sets(st.integers(0, 11)), st.booleans()), min_size=2, max_size=9
    )
)
# Each example is a catalogue of its own: shrinking one would take minutes.
@hypothesis.settings(
    max_examples=25, phases=(hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate)
)
def test_whatever_walks_come_nothing_is_lost(
    walks: list[tuple[str, set[int], bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No dataset that the last sound walk showed is ever retired, and none without a sound walk that lacked it."""
    engine, settings = catalogue(tmp_path_factory)
    bench, generation = Guarded(engine, settings), 0
    bench.source()
    bench.run(Scripted("complete", numbered(set(range(12)), 0)))
    shown: set[int] = set(range(12))
    lacked: set[int] = set()
    for kind, absent, confirmed in walks:
        generation += kind == "shifted"
        here = set(range(12)) - absent
        before = bench.numbers()
        bench.run(Scripted(kind, numbered(here, generation)), mode="incremental" if kind == "incremental" else "full")
        row = bench.last()
        if row.sound:
            shown, lacked = here, lacked | (set(range(12)) - here)
            lacked -= here
        elif kind == "incremental":
            shown, lacked = shown | here, lacked - here
        assert bool(row.sound) == (kind in ("complete", "shifted", "restless") and bool(here))
        after = bench.numbers()
        assert shown <= after
        assert before - after <= lacked
        # Old and new identifiers of one dataset, while both are there, are one dataset or two.
        assert len(after) <= bench.visible() <= len(bench.active())
        if confirmed and row.status == "held" and row.sound:
            listed = bench.would_go(row.id)
            assert held.confirm(bench.engine, row.id, ME, bench.now) == len(listed)
            assert shown <= bench.numbers()
    engine.dispose()


class Scripted(Programmable):
    """One walk of a kind."""

    def __init__(self, kind: str, known: dict[str, dict[str, Any]]) -> None:
        super().__init__(known, size=5)
        self.kind = kind

    def fetch(self, source: Source, http: Http, walk: Walk) -> Any:
        if self.kind == "empty":
            return
        total = len(self.packages) + (self.kind == "short")
        for number, page in enumerate(super().fetch(source, http, walk)):
            wrong = (RecordError("cannot be read"),) if self.kind == "unreadable" else ()
            moved = self.kind == "restless" and number == 0
            yield replace(page, advertised=total - moved, problems=wrong, doubtful=self.kind == "broken")
        if self.kind == "failing":
            raise SourceError("the portal fell over", code="unavailable")


def numbered(numbers: set[int], generation: int) -> dict[str, dict[str, Any]]:
    """The datasets of these numbers, under identifiers of a generation."""
    return {f"{generation}-{n}": raw for n, raw in enumerate(files(12).values()) if n in numbers}


def catalogue(factory: pytest.TempPathFactory) -> tuple[Engine, Settings]:
    """An empty catalogue of its own for one example."""
    settings = Settings(data=factory.mktemp("walks"))
    engine = open_engine(settings)
    migrate(engine)
    return engine, settings


class Captures:
    """The real feed of one portal, as it was at different times."""

    NAME, Options = "dcat", dcat.Options
    normalise = staticmethod(dcat.normalise)

    def __init__(self) -> None:
        self.body = b""

    def fetch(self, source: Source, http: Http, walk: Walk) -> Any:
        portal = as_transport(lambda request: Reply(200, self.body))
        yield from dcat.fetch(source, Http(Settings(private_hosts=("one.example",)), transport=portal), walk)


def test_the_feed_of_a_county_over_two_years(bench: Guarded, shared: Path) -> None:
    """Its identifiers changed completely twice and mostly once more; once it was empty for a day."""
    feeds = sorted((shared / "corpus" / "data-json").glob("us-cuyahoga-arcgishub-*.json"))
    assert len(feeds) == 8
    connector, seen = Captures(), []
    keys: dict[str, str] = {}
    for feed in feeds:
        connector.body = feed.read_bytes()
        result = bench.run(connector)  # type: ignore[arg-type]
        seen.append((result.status, bench.visible()))
        with bench.engine.connect() as connection:
            views = queries.visible_page(connection, limit=1000)
        for view in views:
            title = next(iter(view.dataset.title.values())) if view.dataset else ""
            assert keys.setdefault(title, view.key) == view.key, title
    assert [visible for _, visible in seen] == [32, 32, 31, 31, 31, 31, 32, 36]
    assert [status for status, _ in seen] == [*["succeeded"] * 5, "held", *["succeeded"] * 2]


@pytest.mark.parametrize("number", [30, 700])
def test_a_portal_that_calls_everything_deleted_deletes_nothing(bench: Guarded, number: int) -> None:
    connector = Programmable(packages(number), 100)
    bench.run(connector)
    connector.deleted = tuple(connector.packages)
    bench.run(connector, mode="incremental")
    assert bench.visible() == number
    for dry in (True, False, False, False, False):
        assert bench.status(connector, dry=dry) == ("held", "empty-answer")
    assert bench.visible() == number
    assert len(bench.would_go(bench.last().id)) == min(number, 100)


def test_what_the_source_deletes_and_what_it_does_not_show_share_one_limit(bench: Guarded) -> None:
    connector = Programmable(packages(100), 50)
    bench.run(connector)
    connector.deleted = tuple(f"g{number}" for number in range(50, 58))
    for number in range(40, 44):
        del connector.packages[f"g{number}"]
    assert bench.status(connector, dry=True) == ("held", "too-many-vanished")
    assert bench.status(connector) == ("held", "too-many-vanished")
    assert bench.visible() == 92


def test_what_a_source_withdraws_twice_counts_once() -> None:
    tally = Tally()
    tally.withdraw([1, 2, 2])
    tally.withdraw([2, 3])
    assert tally.withdrawn == [1, 2, 3]


def test_an_identifier_of_before_that_is_given_to_something_else_founds_a_dataset_of_its_own(bench: Guarded) -> None:
    connector = Programmable(files(12))
    bench.run(connector)
    keys = bench.keys()
    connector.packages = files(12, "n")
    bench.run(connector)
    other = {"title": "Comptages des vélos", "distribution": [{"download_url": "https://files.example/bikes.csv"}]}
    for _ in range(2):
        connector.packages = {**files(12, "n"), "g0": other}
        assert bench.status(connector) == ("succeeded", None)
        assert {"Jeu 0", "Comptages des vélos"} <= set(bench.titles())
        assert (bench.visible(), keys < bench.keys()) == (13, True)
    connector.packages = {**files(12, "n"), "g0": {**other, "keyword": ["vélo"]}, "g1": {**other, "title": "Autre"}}
    assert bench.status(connector) == ("succeeded", None)
    assert bench.visible() == 14
