"""What people decided of records, against what two portals say: people win."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from bench.reconcile import reconciled
from harvester import deciding
from harvester.identity.clusters import Name
from harvester.reconcile.lines import Line
from harvester.settings import Settings
from tests.test_reconcile import YESTERDAY, Pair, own


@pytest.fixture
def pair(engine: Engine, settings: Settings) -> Pair:
    return Pair(engine, settings)


def split(pair: Pair, source: str, guid: str) -> None:
    key = pair.catalogue.key(source, guid)
    deciding.split(pair.engine, key, [Name(source, guid)], "me", None, YESTERDAY)


def join(pair: Pair, *records: tuple[str, str]) -> None:
    deciding.join(pair.engine, [pair.catalogue.key(*one) for one in records], "me", None, YESTERDAY)


def lines(pair: Pair) -> list[Line]:
    return reconciled(pair.engine, pair.source, pair.target)[1]


def told(found: list[Line]) -> dict[tuple[str | None, str | None], tuple[str, str | None]]:
    return {
        (one.source.guid if one.source else None, one.target.guid if one.target else None): (
            str(one.verdict),
            one.reason,
        )
        for one in found
    }


def stranger(guid: str, **fields: Any) -> dict[str, Any]:
    return {
        "identifier": guid,
        "title": "Plan de gestion des crues",
        "uri": f"https://national.example.org/d/{guid}",
        **fields,
    }


def test_what_people_joined_is_a_pair_though_nothing_else_tells(pair: Pair) -> None:
    pair.publish("alpha")
    pair.catalogue.add("national", [stranger("n1")], keyed=True)
    assert told(lines(pair)) == {("alpha", None): ("missing", "unknown")}
    join(pair, ("producer", "alpha"), ("national", "n1"))
    (line,) = lines(pair)
    assert (line.verdict, line.target and line.target.guid) == ("divergent", "n1")
    assert "a person decided so (decision 1)" in line.evidence


def test_what_people_joined_through_a_third_portal_is_a_pair(pair: Pair) -> None:
    pair.publish("alpha")
    pair.catalogue.add("national", [stranger("n1")], keyed=True)
    pair.catalogue.add("region", [stranger("r1", title="Tout autre chose")], keyed=True)
    join(pair, ("producer", "alpha"), ("region", "r1"))
    join(pair, ("region", "r1"), ("national", "n1"))
    assert told(lines(pair)) == {("alpha", "n1"): ("divergent", None)}


def test_a_person_outdoes_what_the_target_says_of_itself(pair: Pair) -> None:
    pair.publish("alpha", "beta")
    pair.hold("alpha")
    split(pair, "national", "n-alpha")
    found = told(lines(pair))
    assert found["alpha", None] == ("missing", "apart")
    join(pair, ("producer", "beta"), ("national", "n-alpha"))
    found = told(lines(pair))
    assert found["beta", "n-alpha"][0] == "divergent"
    assert found["alpha", None] == ("missing", "apart")


def test_a_pinned_dataset_takes_in_no_other_record(pair: Pair) -> None:
    pair.publish("alpha")
    deciding.pin(pair.engine, pair.catalogue.key("producer", "alpha"), "me", None, YESTERDAY)
    pair.hold("alpha")
    assert told(lines(pair))["alpha", None] == ("missing", "apart")


def test_a_decision_that_holds_no_longer_is_not_heeded(pair: Pair) -> None:
    pair.publish("alpha")
    pair.hold("alpha")
    split(pair, "national", "n-alpha")
    deciding.undo(pair.engine, pair.catalogue.key("producer", "alpha"), "split", "me", YESTERDAY)
    assert told(lines(pair)) == {("alpha", "n-alpha"): ("matched", None)}


def test_a_decision_on_records_that_are_gone_troubles_nobody(pair: Pair) -> None:
    pair.publish("alpha")
    pair.catalogue.add("producer", [own("omega")], keyed=True)
    pair.catalogue.add("national", [stranger("n1")], keyed=True)
    join(pair, ("producer", "omega"), ("national", "n1"))
    pair.catalogue.retire("producer", "omega")
    found = told(lines(pair))
    assert found == {("alpha", None): ("missing", "unknown"), ("omega", "n1"): ("orphan", "retired")}
