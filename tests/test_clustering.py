"""The catalogue's clusters: what is one dataset does not depend on how it came there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from random import Random
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from harvester import sources
from harvester.catalogue import clusters, leaving, queries
from harvester.catalogue.clusters.prepared import unpacked_keys
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.tables import blocks, changes, crowded, datasets, identifiers, links, records, revisions, signs
from harvester.catalogue.tables import sources as source_rows
from harvester.identity.blocks import LIMITS
from harvester.settings import Settings
from tests.catalogues import NOW, Catalogue

# Enough telling words that titles alone may join, with a page that more records may have than a page says anything for.
TITLES = ("Arbres remarquables de la forêt de Val-Aurée", "Comptages des vélos sur les quais de la Lys")
PAGE = "https://common.example/page"
Parts = set[frozenset[tuple[str, str]]]


def raw(guid: str, kind: int, owner: int = 0, year: int = 0) -> dict[str, Any]:
    """One of the things that records say: kinds share identifiers, files, a page, or only words."""
    said: dict[str, Any] = {"identifier": guid, "title": TITLES[kind % 2] + (f" {2020 + year}" if year else "")}
    said |= {"publisher": {"name": ("Ville de Val-Aurée", "Département de la Lys")[owner]}}
    if kind in (1, 2):
        said["uri"] = f"https://id.example/{kind}"
    if kind in (3, 4):
        said["distribution"] = [{"download_url": f"https://files.example/{kind}.csv"}]
    if kind in (5, 6):
        said["landing_page"] = [PAGE]
    return said


def partition(engine: Engine) -> Parts:
    """The records that have signs, by dataset."""
    statement = select(records.c.dataset_id, source_rows.c.name, records.c.guid).join(
        source_rows, source_rows.c.id == records.c.source_id
    )
    with engine.connect() as connection:
        rows = connection.execute(statement.join(signs, signs.c.record_id == records.c.id)).all()
    found: dict[int, set[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row.dataset_id, set()).add((row.name, row.guid))
    return {frozenset(part) for part in found.values()}


def sound(engine: Engine) -> None:
    """Raises where the tables of the clusters do not agree with each other."""
    with engine.connect() as connection:
        known = {row.record_id: unpacked_keys(row.keyed) for row in connection.execute(select(signs))}
        stored = {(row.key, row.record_id) for row in connection.execute(select(blocks))}
        assert stored == {(key.value, record) for record, keys in known.items() for key in keys}
        full = {row.key: row.holders for row in connection.execute(select(crowded))}
        rows = connection.execute(select(blocks.c.key, func.count()).group_by(blocks.c.key)).all()
        counted = {row[0]: row[1] for row in rows}
        assert full == {key: number for key, number in counted.items() if key in full}
        homes = set(connection.execute(select(records.c.dataset_id).where(records.c.status == "active")).scalars())
        live = set(connection.execute(select(datasets.c.id).where(datasets.c.merged_into_id.is_(None))).scalars())
        assert homes <= live
        ended = connection.execute(select(datasets.c.merged_into_id).where(datasets.c.merged_into_id.is_not(None)))
        assert set(ended.scalars()) <= live


said = st.builds(raw, st.sampled_from("abcd"), st.integers(0, 6), st.integers(0, 1), st.sampled_from((0, 0, 0, 1, 2)))
puts = st.tuples(
    st.just("put"), st.sampled_from(("one", "two", "three", "four")), st.lists(said, min_size=1, max_size=4)
)
goes: Any = st.tuples(
    st.sampled_from(("retire", "forget", "remove")), st.sampled_from(("one", "two", "three", "four")), st.just([])
)


def made(directory: Any) -> Catalogue:
    settings = Settings(data=directory)
    engine = open_engine(settings)
    migrate(engine)
    return Catalogue(settings, engine)


def play(catalogue: Catalogue, step: tuple[str, str, list[dict[str, Any]]], kept: dict[tuple[str, str], Any]) -> None:
    """One thing that happens to a catalogue; `kept` is what the records say that take part after it."""
    action, source, raws = step
    if action == "put":
        latest = {found["identifier"]: found for found in raws}
        catalogue.add(source, latest.values(), keyed=True)
        kept |= {(source, guid): found for guid, found in latest.items()}
    elif action == "remove":
        with writing(catalogue.engine) as connection:
            if queries.source_named(connection, source) is not None:
                sources.remove(connection, source, NOW)
        catalogue.runs.pop(source, None)
        for name in [name for name in kept if name[0] == source]:
            del kept[name]
    elif names := sorted(guid for name, guid in kept if name == source):
        catalogue.retire(source, names[0])
        if action == "forget":
            with writing(catalogue.engine) as connection:
                leaving.forget(connection, NOW + timedelta(days=1), NOW)
                left = {tuple(row) for row in connection.execute(_named())}
            for name in kept.keys() - left:
                del kept[name]


def _named() -> Any:
    statement = select(source_rows.c.name, records.c.guid).join(records, records.c.source_id == source_rows.c.id)
    return statement.join(signs, signs.c.record_id == records.c.id)


@given(st.lists(st.one_of(puts, puts, puts, goes), min_size=2, max_size=9), st.integers(0, 9))
@hypothesis.settings(max_examples=15, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
def test_clusters_follow_from_what_is_kept_alone(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any], seed: int
) -> None:
    lived, fresh = made(tmp_path_factory.mktemp("lived")), made(tmp_path_factory.mktemp("fresh"))
    kept: dict[tuple[str, str], Any] = {}
    for step in steps:
        play(lived, step, kept)
    order = sorted(kept)
    Random(seed).shuffle(order)
    for source, guid in order:
        fresh.add(source, [kept[source, guid]], keyed=True)
    sound(lived.engine)
    sound(fresh.engine)
    assert partition(lived.engine) == partition(fresh.engine)
    lived.engine.dispose()
    fresh.engine.dispose()


def test_a_key_that_too_many_have_says_nothing_until_they_are_fewer(catalogue_of: Catalogue) -> None:
    made, most = catalogue_of, LIMITS["page"]
    names = [f"s{number}" for number in range(most + 1)]
    for name in names[:most]:
        made.add(name, [raw("a", 5)], keyed=True)
    assert len(partition(made.engine)) == 1
    made.add(names[most], [raw("a", 5, year=1)], keyed=True)
    sound(made.engine)
    with made.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(crowded)).scalar_one() == 1
    with writing(made.engine) as connection:
        sources.remove(connection, names[most], NOW)
    sound(made.engine)
    with made.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(crowded)).scalar_one() == 0
    assert len(partition(made.engine)) == 1


@pytest.fixture
def catalogue_of(engine: Engine, settings: Settings) -> Catalogue:
    return Catalogue(settings, engine)


def keys_of(catalogue: Catalogue, names: Iterable[tuple[str, str]]) -> list[str]:
    return [catalogue.key(*name) for name in names]


def test_growing_and_shrinking_keeps_identity(catalogue_of: Catalogue) -> None:
    made, page = catalogue_of, {"uri": "https://id.example/x"}
    made.add("one", [raw("a", 0)], keyed=True)
    made.add("two", [raw("b", 1) | page], keyed=True)
    first, second = keys_of(made, [("one", "a"), ("two", "b")])
    assert first != second
    made.add("one", [raw("a", 1) | page], keyed=True)
    assert keys_of(made, [("one", "a"), ("two", "b")]) == [first, first]
    with made.engine.connect() as connection:
        view = queries.dataset_by_key(connection, second)
        assert view is not None
        assert (view.key, [record.source for record in view.records]) == (first, ["one", "two"])
    made.add("one", [raw("a", 0)], keyed=True)
    assert keys_of(made, [("one", "a"), ("two", "b")]) == [first, second]
    with made.engine.connect() as connection:
        logged = connection.execute(select(changes.c.action).order_by(changes.c.seq)).scalars().all()
        told = connection.execute(select(revisions.c.action).order_by(revisions.c.id)).scalars().all()
    assert [action for action in logged if action in ("joined", "split")] == ["joined", "joined", "split", "split"]
    assert [action for action in told if action in ("joined", "split")] == ["joined", "split"]


def test_names_go_with_the_record_that_has_them(catalogue_of: Catalogue) -> None:
    made, page = catalogue_of, {"uri": "https://id.example/x"}
    made.add("one", [raw("a", 1) | page], keyed=True)
    made.add("two", [raw("b", 1) | page], keyed=True)
    made.add("two", [raw("b", 0)], keyed=True)
    with made.engine.connect() as connection:
        rows = connection.execute(select(identifiers.c.dataset_id, identifiers.c.notation)).all()
        homes = {row.guid: row.dataset_id for row in connection.execute(select(records.c.guid, records.c.dataset_id))}
    assert homes["a"] != homes["b"]
    assert "b" not in {row.notation for row in rows if row.dataset_id == homes["a"]}


def test_our_own_export_that_comes_back_joins_what_it_came_from(catalogue_of: Catalogue) -> None:
    made = catalogue_of
    made.add("one", [raw("a", 0)], keyed=True)
    key = made.key("one", "a")
    loop = {"identifier": "x", "title": "Republished", "uri": f"https://anywhere.example/data/datasets/{key}"}
    made.add("two", [loop], keyed=True)
    assert made.key("two", "x") == key
    with made.engine.connect() as connection:
        (link,) = clusters.links_of(connection, [1])
    assert (link.decision, link.rule) == ("same", "own-export")


def test_an_unchanged_or_untelling_change_costs_no_links(catalogue_of: Catalogue) -> None:
    made = catalogue_of
    made.add("one", [raw("a", 1)], keyed=True)
    made.add("two", [raw("a", 1)], keyed=True)
    with made.engine.connect() as connection:
        before = connection.execute(select(links)).all()
    made.add("two", [raw("a", 1)], keyed=True)
    with made.engine.connect() as connection:
        assert connection.execute(select(links)).all() == before
        assert len(before) == 1
