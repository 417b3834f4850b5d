"""Every fault of the table, on every kind of portal that can have it: what must be true after is, and it recovers."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from harvester import export
from harvester.catalogue import queries
from harvester.rdf.export import export as exported
from harvester.samples.serving import Reply
from tests.faults import truths
from tests.faults.elsewhere import ELSEWHERE
from tests.faults.page import TARGET, page
from tests.faults.stage import Play, Theatre
from tests.faults.table import ROWS, Row
from tests.faults.ways import SPOILT
from tests.faults.worlds import KINDS

ROOT = Path(__file__).resolve().parents[1]
TICKETS = range(1, 46)


@pytest.fixture(scope="module")
def theatres(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Theatre]:
    return {name: Theatre(kind, tmp_path_factory.mktemp(name)) for name, kind in KINDS.items()}


EACH = [pytest.param(row, kind, id=f"{row.name}-{kind}") for row in ROWS for kind in row.kinds]


@pytest.mark.parametrize(("row", "kind"), EACH)
def test_a_portal_that_misbehaves_does_no_harm(row: Row, kind: str, theatres: dict[str, Theatre]) -> None:
    theatre = theatres[kind]
    with theatre.opened() as stage:
        outcome = stage.harvest(row.fault(theatre.kind, theatre.then), row.mode)
        play = Play(theatre, stage, row.fault, outcome)
        if row.goes:
            play.excused.add(theatre.known.shown[theatre.kind.guid_of(SPOILT)][0])
        truths.check(play, row.after)
        again = stage.harvest(theatre.kind.portal(theatre.then))
        with truths.telling("it recovers"):
            truths.recovers(play, again)


def test_our_own_datasets_do_not_come_back_as_others(theatres: dict[str, Theatre]) -> None:
    """A portal that harvests us and shows what it found is harvested in turn."""
    theatre = theatres["ckan"]
    with theatre.opened() as stage:
        with stage.engine.connect() as connection:
            ids = [view.id for view in queries.visible_page(connection, limit=10_000)]
            entries = export.entries(connection, stage.settings, ids)
        ours = b"".join(exported(export.info(stage.settings), entries, "ttl"))
        outcome = stage.beside(lambda request: Reply(200, ours, "text/turtle"), "dcat", "/catalog.ttl")
        assert (outcome.result.status, outcome.counts) == ("succeeded", {"created": theatre.kind.size})
        assert outcome.visible == theatre.kind.size


def test_the_names_of_faults_are_their_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert [row.name for row in ROWS if not set(row.kinds) <= KINDS.keys()] == []


def test_nothing_that_others_suffer_from_is_left_out() -> None:
    shown = {number for row in ROWS for number in row.tickets} | {n for each in ELSEWHERE for n in each.tickets}
    assert shown == set(TICKETS)


@pytest.mark.parametrize("node", [each.shown for each in ELSEWHERE])
def test_what_is_shown_elsewhere_is_there(node: str) -> None:
    path, _, name = node.partition("::")
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert not name or name in [each.name for each in tree.body if isinstance(each, ast.FunctionDef)]


def test_the_table_is_up_to_date() -> None:
    assert TARGET.read_text("utf-8") == page(), "run: python docs/generate.py"
