"""Reconciliations over real harvests of planted portals, and what is kept of them from time to time."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from bench import paris
from bench.arrivals import BY_TEXT, world
from bench.reconcile import planted, reconciled, scored
from harvester.catalogue.database import writing
from harvester.catalogue.tables import reconciliations, records, runs, verdicts
from harvester.errors import HarvesterError, Stopped, UsageError
from harvester.reconcile import keeping, running
from harvester.reconcile.reports import words
from harvester.reconcile.telling import every_line, summary
from harvester.schedule import utcnow
from harvester.settings import Settings
from tests.catalogues import Catalogue

YESTERDAY = utcnow() - timedelta(days=1)
SHARED = Path(__file__).resolve().parents[2] / "shared"


def wrong(made: Any, lines: Any) -> tuple[list[str], float]:
    """What facts decide and was judged otherwise; the share that is right of what text alone decides."""
    score = scored(made, lines)
    right, total = score.share(by_text=True)
    return [told for told in score.wrong if told.partition(":")[0] not in BY_TEXT], right / total


def added_up(counts: dict[str, Any], engine: Engine, source: int, target: int) -> None:
    """The totals of both sides are those of the catalogue."""
    with engine.connect() as connection:
        for name, number in (("source", source), ("target", target)):
            held = select(func.count()).select_from(records).where(records.c.source_id == number)
            assert sum(counts[name]["verdicts"].values()) == counts[name]["records"]
            assert counts[name]["records"] == connection.execute(held).scalar_one()


@pytest.mark.one_database("sqlite", reason="two thousand records; the smaller worlds meet both databases")
@pytest.mark.parametrize(("kind", "number", "seed"), [("opendatasoft", 500, 7), ("ckan", 2_100, 8)])
def test_every_planted_verdict_is_found(engine: Engine, settings: Settings, kind: str, number: int, seed: int) -> None:
    made = world(kind, number, seed)
    source, target = planted(engine, settings, made)
    counts, lines = reconciled(engine, source, target)
    mistakes, by_text = wrong(made, lines)
    assert mistakes == []
    assert by_text >= 0.98
    added_up(counts, engine, source, target)


@pytest.fixture
def small(engine: Engine, settings: Settings) -> tuple[Any, Engine, int, int]:
    made = world("ckan", 260, 3)
    return made, engine, *planted(engine, settings, made)


def test_both_databases_agree_and_the_second_time_nothing_is_new(small: tuple[Any, Engine, int, int]) -> None:
    made, engine, source, target = small
    counts, lines = reconciled(engine, source, target)
    assert wrong(made, lines) == ([], 1.0)
    assert counts["changes"] == {}
    again, second = reconciled(engine, source, target)
    assert again["changes"] == {"appeared": {}, "solved": {}, "vanished": {}}
    assert [(one.verdict, one.was) for one in second] == [(one.verdict, str(one.verdict)) for one in lines]


CORPUS = SHARED / "corpus"


@pytest.mark.skipif(not (CORPUS / paris.CATALOGUE).exists(), reason="../shared/corpus is absent")
def test_a_real_pair_years_apart(tmp_path: Path) -> None:
    """What data.gouv.fr says came from Paris is found there, or is an orphan; the rest is from elsewhere."""
    counts, lines = paris.verdicts(CORPUS, tmp_path)
    found = {line.target.guid: line for line in lines if line.target}
    known = found["59590d20a3a7291dcf9c8025"]
    assert (known.verdict, known.source and known.source.guid) == (
        "divergent",
        "tous-les-documents-des-bibliotheques-de-pret",
    )
    assert {"title", "publisher", "distribution"} <= {one["field"] for one in known.fields}
    claiming = {row["id"] for row in paris.national(CORPUS) if "opendata.paris.fr" in str(row.get("extras"))}
    assert claiming <= found.keys()
    assert sum(counts["source"]["verdicts"].values()) == counts["source"]["records"] == len(paris.paris(CORPUS))


class Pair:
    """A producer and a national portal, written as a run would."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.catalogue = Catalogue(settings, engine, now=YESTERDAY)
        self.engine = engine
        self.source = self.catalogue.source("producer").source_id
        self.target = self.catalogue.source("national").source_id
        with writing(engine) as connection:
            connection.execute(update(runs).values(status="succeeded", ended_at=YESTERDAY))

    def publish(self, *names: str, **fields: Any) -> None:
        self.catalogue.add("producer", [own(name, **fields) for name in names], keyed=True)

    def hold(self, *names: str, **fields: Any) -> None:
        self.catalogue.add("national", [copy(name, **fields) for name in names], keyed=True)

    def reconcile(self) -> tuple[dict[str, Any], dict[str, str]]:
        counts, lines = reconciled(self.engine, self.source, self.target)
        return counts, {(line.source or line.target).guid: str(line.verdict) for line in lines}  # type: ignore[union-attr]


def own(name: str, **fields: Any) -> dict[str, Any]:
    page = f"https://producer.example.org/dataset/{name}"
    return {"identifier": name, "title": f"Jeu de données {name}", "uri": page, "landing_page": [page], **fields}


def copy(name: str, **fields: Any) -> dict[str, Any]:
    page = f"https://producer.example.org/dataset/{name}"
    other = [{"notation": name, "agency": "producer.example.org"}]
    base = {"identifier": f"n-{name}", "title": f"Jeu de données {name}", "other_identifier": other}
    return {**base, "uri": page, "source": [{"uri": page}], **fields}


@pytest.fixture
def pair(engine: Engine, settings: Settings) -> Pair:
    return Pair(engine, settings)


def test_what_appeared_was_solved_and_vanished_is_told(pair: Pair) -> None:
    pair.publish("alpha", "beta", "gamma")
    pair.hold("alpha", "delta")
    counts, found = pair.reconcile()
    assert found == {"alpha": "matched", "beta": "missing", "gamma": "missing", "n-delta": "orphan"}
    assert counts["source"]["verdicts"] == {"matched": 1, "missing": 2}
    pair.hold("beta")
    pair.hold("alpha", description="Autre chose")
    pair.publish("alpha", description="Ce que dit le producteur")
    pair.catalogue.retire("national", "n-delta")
    counts, found = pair.reconcile()
    assert found == {"alpha": "divergent", "beta": "matched", "gamma": "missing"}
    assert counts["changes"] == {
        "appeared": {"divergent": 1},
        "solved": {"missing": 1},
        "vanished": {"orphan": 1},
    }
    assert counts["target"]["verdicts"] == {"divergent": 1, "gone": 1, "matched": 1}


def test_retired_at_the_source_is_an_orphan_with_its_date(pair: Pair) -> None:
    pair.publish("alpha", "beta")
    pair.hold("alpha", "beta")
    pair.catalogue.retire("producer", "beta")
    _, lines = reconciled(pair.engine, pair.source, pair.target)
    (orphan,) = [line for line in lines if line.verdict == "orphan"]
    assert (orphan.reason, orphan.told) == ("retired", f"retired here at {YESTERDAY:%Y-%m-%d}")


def test_one_that_was_retired_long_ago_is_not_told_as_never_seen(pair: Pair) -> None:
    pair.publish("alpha", "beta")
    pair.hold("alpha", "beta")
    pair.catalogue.now = YESTERDAY - timedelta(days=200)
    pair.catalogue.retire("producer", "beta")
    _, lines = reconciled(pair.engine, pair.source, pair.target)
    (orphan,) = [line for line in lines if line.verdict == "orphan"]
    assert (orphan.reason, orphan.told) == ("retired", f"retired here at {YESTERDAY - timedelta(days=200):%Y-%m-%d}")


def test_what_the_target_withdrew_is_missing_for_that_reason(pair: Pair) -> None:
    pair.publish("alpha", "beta")
    pair.hold("alpha", "beta")
    pair.catalogue.retire("national", "n-beta")
    counts, found = pair.reconcile()
    assert found["beta"] == "missing"
    assert counts["reasons"] == {"missing": {"withdrawn": 1}}


def test_a_part_of_a_portal_makes_no_orphans(engine: Engine, settings: Settings) -> None:
    pair = Pair.__new__(Pair)
    pair.catalogue, pair.engine = Catalogue(settings, engine), engine
    pair.source = pair.catalogue.source("producer", options={"organization": "ville"}).source_id
    pair.target = pair.catalogue.source("national").source_id
    pair.publish("alpha")
    pair.hold("alpha", "beta")
    counts, found = pair.reconcile()
    assert found == {"alpha": "matched"}
    assert counts["target"]["verdicts"] == {"matched": 1, "outside": 1}


def test_a_link_alone_to_a_page_that_is_gone_makes_an_orphan_too(pair: Pair) -> None:
    pair.publish("alpha", "beta")
    pages = ["https://producer.example.org/dataset/omega", "https://producer.example.org/aide/omega"]
    linked = [{"identifier": f"n{n}", "title": f"Lien {n}", "landing_page": [page]} for n, page in enumerate(pages)]
    pair.catalogue.add("national", linked, keyed=True)
    counts, found = pair.reconcile()
    assert found == {"alpha": "missing", "beta": "missing", "n0": "orphan"}
    assert counts["target"]["verdicts"] == {"orphan": 1, "outside": 1}


def test_two_copies_are_one_pair_and_one_duplicate(pair: Pair) -> None:
    pair.publish("alpha")
    pair.hold("alpha")
    pair.catalogue.add("national", [copy("alpha") | {"identifier": "again", "title": "Jeu alpha"}], keyed=True)
    _, lines = reconciled(pair.engine, pair.source, pair.target)
    told = {line.target.guid: str(line.verdict) for line in lines if line.target}
    assert told == {"n-alpha": "matched", "again": "duplicate"}


def test_only_the_last_ones_keep_their_lines_and_all_keep_their_counts(pair: Pair) -> None:
    pair.publish("alpha", "beta")
    pair.hold("alpha")
    for _ in range(4):
        with writing(pair.engine) as connection:
            number = keeping.ask(connection, pair.source, pair.target, utcnow(), None)
            ref = keeping.claim(connection, utcnow(), number)
        assert ref is not None
        running.perform(pair.engine, ref, utcnow, kept=2)
    with pair.engine.connect() as connection:
        rows = keeping.listed(connection, pair.source, pair.target)
        held = connection.execute(select(verdicts.c.reconciliation_id).distinct()).scalars().all()
    assert [row.kept for row in rows] == [2, 2, 0, 0]
    assert all(row.counts["verdicts"] == {"matched": 1, "missing": 1} for row in rows)
    assert sorted(held) == sorted(row.id for row in rows[:2])


def test_one_that_is_told_to_end_is_given_back_and_done_anew(pair: Pair) -> None:
    pair.publish("alpha")
    pair.hold("alpha")
    with writing(pair.engine) as connection:
        number = keeping.ask(connection, pair.source, pair.target, utcnow(), "somebody")
        assert keeping.ask(connection, pair.source, pair.target, utcnow(), "another") == number
        ref = keeping.claim(connection, utcnow())
    assert ref is not None
    with pytest.raises(Stopped):
        running.perform(pair.engine, ref, utcnow, stop=lambda: True)
    with writing(pair.engine) as connection:
        ref = keeping.claim(connection, utcnow())
    assert ref is not None
    running.perform(pair.engine, ref, utcnow)
    with pair.engine.connect() as connection:
        row = keeping.one(connection, number)
    assert row is not None
    assert (row.status, row.kept) == ("succeeded", 1)


def test_one_that_was_cancelled_writes_no_more(pair: Pair) -> None:
    pair.publish("alpha")
    with writing(pair.engine) as connection:
        number = keeping.ask(connection, pair.source, pair.target, utcnow(), None)
        ref = keeping.claim(connection, utcnow())
        assert keeping.cancel(connection, number, utcnow(), "me")
        assert not keeping.cancel(connection, number, utcnow(), "me")
    assert ref is not None
    with pytest.raises(Stopped):
        running.perform(pair.engine, ref, utcnow)
    with pair.engine.connect() as connection:
        row = connection.execute(select(reconciliations)).one()
    assert (row.status, row.message, row.kept) == ("cancelled", "cancelled by me", 0)


def test_one_whose_worker_died_is_taken_up_and_given_up_at_last(pair: Pair) -> None:
    pair.publish("alpha")
    later = utcnow()
    with writing(pair.engine) as connection:
        keeping.ask(connection, pair.source, pair.target, later, None)
    attempts = []
    for _ in range(5):
        with writing(pair.engine) as connection:
            attempts.append(keeping.claim(connection, later))
        later += keeping.LEASE + timedelta(seconds=1)
    assert [ref and ref.attempt for ref in attempts] == [1, 2, 3, None, None]
    with pair.engine.connect() as connection:
        assert connection.execute(select(reconciliations.c.status)).scalar_one() == "failed"


def test_a_failure_is_kept_with_its_reason(pair: Pair) -> None:
    pair.publish("alpha")
    with writing(pair.engine) as connection:
        keeping.ask(connection, pair.source, pair.target, utcnow(), None)
        ref = keeping.claim(connection, utcnow())
    assert ref is not None

    def broken(stage: str, done: int, total: int | None) -> None:
        raise HarvesterError("no ears")

    with pytest.raises(HarvesterError):
        running.perform(pair.engine, ref, utcnow, broken)
    with pair.engine.connect() as connection:
        row = connection.execute(select(reconciliations)).one()
    assert (row.status, row.message) == ("failed", "no ears")


def test_nothing_is_reconciled_with_itself(pair: Pair) -> None:
    with writing(pair.engine) as connection, pytest.raises(UsageError):
        keeping.ask(connection, pair.source, pair.source, utcnow(), None)


def test_a_source_whose_first_walk_has_not_ended_makes_no_orphans(pair: Pair) -> None:
    """What is not here yet may well be at the portal."""
    pair.publish("alpha")
    pair.hold("alpha", "beta")
    with writing(pair.engine) as connection:
        connection.execute(update(runs).where(runs.c.source_id == pair.source).values(status="running", ended_at=None))
    counts, found = pair.reconcile()
    assert found == {"alpha": "matched"}
    assert counts["target"]["verdicts"] == {"matched": 1, "outside": 1}


def test_one_that_is_broken_off_at_the_terminal_can_be_asked_for_again_at_once(pair: Pair) -> None:
    pair.publish("alpha")
    with writing(pair.engine) as connection:
        number = keeping.ask(connection, pair.source, pair.target, utcnow(), None)
        ref = keeping.claim(connection, utcnow(), number)
    assert ref is not None

    def interrupted(stage: str, done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        running.perform(pair.engine, ref, utcnow, interrupted)
    with writing(pair.engine) as connection:
        assert keeping.ask(connection, pair.source, pair.target, utcnow(), None) == number
        assert keeping.claim(connection, utcnow(), number) is not None


def test_empty_sides_add_up_too(pair: Pair) -> None:
    counts, found = pair.reconcile()
    assert found == {}
    assert counts["source"] == {"records": 0, "statuses": {}, "verdicts": {}}
    pair.hold("alpha")
    counts, found = pair.reconcile()
    assert found == {"n-alpha": "orphan"}


def test_the_summary_tells_both_totals(pair: Pair) -> None:
    pair.publish("alpha", "beta")
    pair.hold("alpha", "delta")
    pair.reconcile()
    with pair.engine.connect() as connection:
        (row,) = keeping.listed(connection)
    told = list(words(summary(row)))
    assert told[0] == "producer -> national: 1 of 2 records arrived (50.0 %)."
    assert "producer: 1 matched + 1 missing = 2 records (2 active)." in told
    assert "national: 1 matched + 1 orphan = 2 records (2 active)." in told
    assert Counter(str(line.verdict) for line in every_line(pair.engine, row)) == row.counts["verdicts"]
    assert [line.verdict for line in every_line(pair.engine, row, "orphan")] == ["orphan"]
