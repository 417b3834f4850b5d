"""Assessments as they are kept: equal to scoring everything anew, whatever changed and in which order."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from harvester.catalogue import walking
from harvester.catalogue.database import writing
from harvester.catalogue.following import follow
from harvester.catalogue.tables import addresses, assessed, assessments, quality_due, records
from harvester.errors import UsageError
from harvester.following import FOLLOWERS
from harvester.links import following as of_links
from harvester.links import store as links
from harvester.links.ageing import Standing
from harvester.quality import reading
from harvester.quality.aggregating import Rule, Tally, fixes, result
from harvester.quality.assessing import EVERYTHING, FOLLOWER, assess, assess_linked, forget, tally
from harvester.quality.mqa import lacking, pattern_of, score
from harvester.quality.reading import Cursor
from harvester.search import Index, open_index, refresh
from harvester.settings import Settings
from harvester.views import view
from tests.catalogues import Catalogue
from tests.test_quality import PERFECT

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def clock() -> datetime:
    return NOW


def raw(guid: str, **change: Any) -> dict[str, Any]:
    """The perfect dataset under a name of its own, without some of its fields."""
    page = {"access_url": [f"https://data.example/{guid}"], "download_url": [f"https://data.example/{guid}.csv"]}
    parts = [{**item, **page} for item in change.pop("distribution", PERFECT["distribution"])]
    own = {**PERFECT, "identifier": guid, "title": {"en": f"Tides of {guid}"}, "distribution": parts, **change}
    return {name: value for name, value in own.items() if value is not None}


def brute_force(connection: Connection) -> dict[int, Tally]:
    """source -> counts, from every visible dataset anew."""
    found: dict[int, tuple[Counter[int], Counter[int]]] = {}
    for row in walking.shown(connection, walking.ids(connection, walking.Stretch(), limit=10_000)):
        worth = score(walking.stored(row.blob), iri=row.iri)
        listing = select(records.c.source_id).where(records.c.dataset_id == row.id, records.c.status == "active")
        for source_id in {EVERYTHING, *connection.execute(listing).scalars()}:
            datasets, parts = found.setdefault(source_id, (Counter(), Counter()))
            datasets[worth.pattern] += 1
            parts.update(pattern_of(part) for part in worth.parts)
    return {source_id: Tally(*counters) for source_id, counters in found.items()}


def equal(connection: Connection) -> bool:
    expected = brute_force(connection)
    sources = {EVERYTHING, *expected, *connection.execute(select(assessed.c.source_id)).scalars()}
    return all(tally(connection, source_id) == expected.get(source_id, Tally()) for source_id in sources)


@pytest.fixture
def kept(engine: Engine, settings: Settings) -> Catalogue:
    return Catalogue(settings, engine, now=NOW)


@pytest.fixture
def index(settings: Settings) -> Index:
    return open_index(settings)


def catch_up(kept: Catalogue, now: datetime = NOW, batch: int = 3) -> int:
    return follow(kept.engine, FOLLOWER, lambda: now, batch=batch)


FIELDS = ("keyword", "theme", "spatial", "temporal", "access_rights", "contact_point", "issued", "description")


def drawn(rng: random.Random, guid: str) -> dict[str, Any]:
    part = {name: PERFECT["distribution"][0][name] for name in ("format", "license", "rights") if rng.random() < 0.5}
    change = {name: None for name in FIELDS if rng.random() < 0.3}
    return raw(guid, distribution=[part] * rng.randrange(3), **change)


def test_it_follows_with_the_others() -> None:
    assert FOLLOWER in FOLLOWERS


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_scoring_everything_anew(kept: Catalogue, seed: int) -> None:
    rng, names = random.Random(seed), ("a", "b", "c")
    for _ in range(12):
        source = rng.choice(names)
        guids = [f"{source}{rng.randrange(8)}" for _ in range(3)]
        if rng.random() < 0.3:
            kept.source(source)
            kept.retire(source, *guids)
        else:
            same = {"uri": "https://data.example/ds/1"} if rng.random() < 0.3 else {}
            kept.add(source, [{**drawn(rng, guid), **same} for guid in sorted(set(guids))[:1]], keyed=True)
        if rng.random() < 0.7:
            catch_up(kept)
    catch_up(kept)
    with kept.engine.connect() as connection:
        assert equal(connection)
        assert not reading.behind(connection)


def test_assessing_again_changes_nothing_and_forgetting_begins_anew(kept: Catalogue) -> None:
    kept.add("a", [raw("1"), raw("2", keyword=None)])
    catch_up(kept)
    with kept.engine.connect() as connection:
        before = tally(connection)
        ids = list(connection.execute(select(assessments.c.dataset_id).distinct()).scalars())
    with writing(kept.engine) as connection:
        assess(connection, ids, NOW)
    with kept.engine.connect() as connection:
        assert tally(connection) == before
    with writing(kept.engine) as connection:
        forget(connection)
    with kept.engine.connect() as connection:
        assert tally(connection) == Tally()
        assert reading.behind(connection)
    assert catch_up(kept) == 2
    with kept.engine.connect() as connection:
        assert tally(connection) == before


def test_what_breaks_off_is_as_if_it_had_not_begun(kept: Catalogue) -> None:
    kept.add("a", [raw(str(number)) for number in range(5)])
    calls = iter([NOW, None])

    def broken() -> datetime:
        found = next(calls)
        if found is None:
            raise RuntimeError("killed")
        return found

    with pytest.raises(RuntimeError, match="killed"):
        follow(kept.engine, FOLLOWER, broken, batch=2)
    with kept.engine.connect() as connection:
        assert tally(connection).size == 2
    catch_up(kept)
    with kept.engine.connect() as connection:
        assert equal(connection)


def test_a_source_that_is_gone_is_counted_no_more(kept: Catalogue) -> None:
    kept.add("a", [raw("1"), raw("2")])
    kept.add("b", [raw("3")])
    catch_up(kept)
    kept.retire("a", "1", "2")
    catch_up(kept)
    with kept.engine.connect() as connection:
        assert (tally(connection, kept.source("a").source_id), tally(connection).size) == (Tally(), 1)
        assert connection.execute(select(func.count()).select_from(assessments)).scalar_one() == 2


def listed(kept: Catalogue, index: Index, name: str, limit: int, **part: str) -> list[str]:
    found: list[str] = []
    after: Cursor | None = Cursor()
    refresh(kept.engine, index)
    with kept.engine.connect() as connection:
        asked = view(connection, kept.settings, **part)  # type: ignore[arg-type]
        while after is not None:
            rows, after = reading.lacking_page(connection, index, asked, name, Cursor.of(str(after)), limit)
            assert len(rows) <= limit
            assert all(lacking(row.pattern, name) for row in rows)
            found += [row.guid for row in rows]
    return found


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_the_datasets_behind_a_fix_are_each_listed_once(kept: Catalogue, index: Index, limit: int) -> None:
    kept.add("a", [raw(f"a{n}", keyword=None, theme=None if n % 2 else ["TRAN"]) for n in range(5)])
    kept.add("a", [raw("whole")])
    kept.add("b", [raw("b0", keyword=None, publisher={"name": "Another"})])
    catch_up(kept)
    assert sorted(listed(kept, index, "keyword", limit, source="a")) == [f"a{n}" for n in range(5)]
    assert sorted(listed(kept, index, "keyword", limit)) == [*(f"a{n}" for n in range(5)), "b0"]
    assert listed(kept, index, "keyword", limit, publisher="Another") == ["b0"]
    assert sorted(listed(kept, index, "category", limit, publisher="The port")) == ["a1", "a3"]
    assert listed(kept, index, "rights", limit) == []


def test_a_publisher_is_counted_like_a_source(kept: Catalogue, index: Index) -> None:
    kept.add("a", [raw("1", keyword=None), raw("2", publisher={"name": "Another"})])
    catch_up(kept)
    refresh(kept.engine, index)
    with kept.engine.connect() as connection:
        part = view(connection, kept.settings, publisher="The port")
        found = reading.counts(connection, index, part)
        assert result(found, Rule.MEAN).points == 405 - 80 - 30
        assert [fix.datasets for fix in fixes(found) if fix.indicator.name == "keyword"] == [1]
        whole = reading.counts(connection, index, view(connection, kept.settings))
        assert result(whole, Rule.MEAN).points == 405 - 80 - 15


def test_the_trend_has_a_row_for_each_day_on_which_something_changed(kept: Catalogue) -> None:
    kept.add("a", [raw("1", keyword=None)])
    catch_up(kept)
    kept.add("a", [raw("2")])
    catch_up(kept)
    later = NOW + timedelta(days=3)
    kept.add("a", [raw("1")])
    catch_up(kept, later)
    catch_up(kept, later + timedelta(days=1))
    with kept.engine.connect() as connection:
        source_id = kept.source("a").source_id
        days = reading.trend(connection, source_id)
        assert [(row.day, row.datasets) for row in days] == [(later.date(), 2), (NOW.date(), 2)]
        assert [sum(row.points["mean"].values()) for row in days] == [325, 310]
        assert reading.trend(connection, source_id, before=later.date()) == days[1:]
        assert reading.latest(connection, [source_id])[source_id] == days[0]
        assert len(reading.trend(connection, EVERYTHING)) == 2


def test_a_dataset_tells_what_it_is_worth(kept: Catalogue) -> None:
    kept.add("a", [raw("1", keyword=None)])
    with kept.engine.connect() as connection:
        found = reading.known_dataset(connection, kept.key("a", "1"))
        assert reading.dataset_score(connection, found).points() == 405 - 80 - 30
        with pytest.raises(UsageError, match="there is no dataset"):
            reading.known_dataset(connection, "nothing")


@pytest.mark.parametrize("text", ["x", "1", "-", "1-x", "1-2-3x", "-1-2", "9" * 50])
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no place"):
        Cursor.of(text)


def test_an_indicator_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="keyword"):
        reading.indicator("keywords")


def test_what_link_checks_find_counts(kept: Catalogue) -> None:
    kept.add("a", [raw("1"), raw("2")])
    links.begin(kept.engine)
    follow(kept.engine, of_links.FOLLOWER, clock)
    catch_up(kept)
    with writing(kept.engine) as connection:
        row = connection.execute(select(addresses).where(addresses.c.address == "https://data.example/1")).one()
        values = {"status": 200, "head_status": 200, "checked_at": NOW, "format": None}
        links.note(connection, [links.Result(row, Standing("ok", None, 0, None, NOW, None), values)])
    with kept.engine.connect() as connection:
        before = result(tally(connection), Rule.MEAN).points
    assert assess_linked(kept.engine, clock, batch=1) == 1
    with kept.engine.connect() as connection:
        assert result(tally(connection), Rule.MEAN).points == before + 50 / 2
        assert connection.execute(select(func.count()).select_from(quality_due)).scalar_one() == 0
    assert assess_linked(kept.engine, clock) == 0


def test_links_that_come_after_the_assessment_are_counted_when_they_were_checked_before(kept: Catalogue) -> None:
    links.begin(kept.engine)
    kept.add("a", [raw("1")])
    follow(kept.engine, of_links.FOLLOWER, clock)
    note(kept, 200)
    page = {"access_url": ["https://data.example/1", "http://"], "download_url": []}
    kept.add("b", [raw("2") | {"distribution": [page]}])
    catch_up(kept)
    follow(kept.engine, of_links.FOLLOWER, clock)
    assess_linked(kept.engine, clock)
    with kept.engine.connect() as connection:
        shares = result(tally(connection, kept.source("b").source_id), Rule.MEAN).shares
    assert {share.indicator.name: share.met for share in shares}["access_url_status"] == 1


def test_another_status_with_the_same_fault_counts_otherwise(kept: Catalogue) -> None:
    kept.add("a", [raw("1")])
    links.begin(kept.engine)
    follow(kept.engine, of_links.FOLLOWER, clock)
    points = []
    for status in (401, 200):
        note(kept, status, state="broken", fault="login")
        catch_up(kept)
        assess_linked(kept.engine, clock)
        with kept.engine.connect() as connection:
            points.append(result(tally(connection), Rule.MEAN).points)
    assert points[1] == points[0] + 80


def note(kept: Catalogue, status: int, **standing: Any) -> None:
    """Let every address have been answered so."""
    kinds = {"state": "ok", "fault": None, **standing}
    with writing(kept.engine) as connection:
        stands = Standing(**kinds, failures=0, failing_since=None, since=NOW, next_check_at=None)
        values = {"status": status, "head_status": status, "checked_at": NOW, "format": None}
        found = connection.execute(select(addresses).where(addresses.c.host != "")).all()
        links.note(connection, [links.Result(row, stands, values) for row in found])
