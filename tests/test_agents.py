"""Which publishers are one agent: names, numbers, domains, vetoes; what people decide; on both databases."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from starlette.testclient import TestClient
from typer.testing import CliRunner

from harvester import publishers as deciding
from harvester import tokens
from harvester.agents import Face, face_of, grouped
from harvester.agents.grouping import ALONE
from harvester.agents.names import read
from harvester.agents.numbers import luhn, numbers
from harvester.catalogue import agents as writes
from harvester.catalogue import publishers, queries
from harvester.catalogue.database import writing
from harvester.catalogue.following import follow
from harvester.catalogue.publishers import AgentView
from harvester.catalogue.tables import agent_decisions, agent_names, agents, changes
from harvester.cli import app
from harvester.errors import UsageError
from harvester.model import Agent
from harvester.schedule import utcnow
from harvester.search import open_index, refresh
from tests.catalogues import NOW, Catalogue, application, catalogue

FRENCH, NATIONAL, BELGIAN = "https://opendata.region.fr", "https://www.data.gouv.fr", "https://data.gov.be"
INSEE, PARIS = "120027016", "217500016"


def face(name: str = "", home: str = FRENCH, source: str = "", **raw: Any) -> Face:
    found = face_of(Agent.model_validate({"name": name, **raw}), source or home, home)
    assert found is not None
    return found


def together(*faces: Face, pins: dict[bytes, str] | None = None) -> bool:
    return len(grouped(faces, pins)) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("120027016", ("SIREN", INSEE)),
        ("120 027 016", ("SIREN", INSEE)),
        ("12002701600563", ("SIREN", INSEE)),
        ("SIRET: 120 027 016 00563", ("SIREN", INSEE)),
        ("https://annuaire-entreprises.data.gouv.fr/entreprise/120027016", ("SIREN", INSEE)),
        ("FR40303265045", ("SIREN", "303265045")),
        ("35600000000048", ("SIREN", "356000000")),
        ("BE0314595348", ("KBO", "0314595348")),
        ("KBO:0314.595.348", ("KBO", "0314595348")),
        ("https://org.belgif.be/id/CbeRegisteredEntity/0314595348", ("KBO", "0314595348")),
        ("DE136695976", ("VAT", "DE136695976")),
        ("https://ror.org/05f82e368", ("ROR", "05f82e368")),
        ("http://www.wikidata.org/entity/Q156725", ("Wikidata", "Q156725")),
        (
            "http://publications.europa.eu/resource/authority/corporate-body/ESTAT",
            ("EU authority", "ESTAT"),
        ),
        ("120027017", None),
        ("000000000", None),
        ("12002701600564", None),
        ("BE0314595349", None),
        ("0314595348", None),
        ("Q156725", None),
        ("opendata", None),
        ("١٢٠٠٢٧٠١٦", None),
        ("", None),
    ],
)
def test_registered_numbers(text: str, found: tuple[str, str] | None) -> None:
    assert numbers((text,)) == (frozenset() if found is None else {found})


def test_the_check_digit() -> None:
    assert luhn("732829320")
    assert not luhn("732829321")


@pytest.mark.parametrize(
    ("text", "kind", "core", "short"),
    [
        ("Institut national de la statistique (INSEE)", "", "institut national statistique", "INSEE"),
        (
            "IGN - Institut national de l'information géographique",
            "",
            "institut national information geographique",
            "IGN",
        ),
        ("Ville de Lyon", "town", "lyon", ""),
        ("MAIRIE DE LYON", "town", "lyon", ""),
        ("Métropole de Lyon", "metropolis", "lyon", ""),
        ("Nantes Métropole", "metropolis", "nantes", ""),
        ("Conseil départemental des Côtes-d'Armor", "department", "cotes armor", ""),
        ("Département des Côtes d'Armor", "department", "cotes armor", ""),
        ("Leeds City Council", "town", "leeds", ""),
        ("Stadt Köln", "town", "koln", ""),
        ("Ayuntamiento de Madrid", "town", "madrid", ""),
        ("Saint-Martin (Rhône)", "", "saint martin rhone", ""),
        ("SNCF Réseau SA", "", "sncf reseau", ""),
        ("Ville", "", "ville", ""),
    ],
)
def test_what_names_say(text: str, kind: str, core: str, short: str) -> None:
    assert read(text) == (kind, tuple(core.split()), short)


@pytest.mark.parametrize("text", ["Mairie", "SIG", "open data", "Test", "n/a", "Unknown"])
def test_names_of_nobody(text: str) -> None:
    assert read(text).vague
    assert not together(face(text, FRENCH), face(text, NATIONAL))


def test_one_name_on_two_portals() -> None:
    one, other = face("Ville de Lyon"), face("Mairie de Lyon", NATIONAL)
    (group,) = grouped([one, other])
    assert [edge.rule for edge in group.edges] == ["name"]
    assert "'lyon' in FR" in group.edges[0].why


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ville de Lyon", "Métropole de Lyon"),
        ("Ville de Paris", "Département de Paris"),
        ("Région Bretagne", "Bretagne"),
        ("Direction 1", "Direction 2"),
        ("Ville de Saint-Denis", "Mairie de Saint-Denis"),
    ],
)
def test_names_that_look_alike_and_are_others(one: str, other: str) -> None:
    """Several towns are called Saint-Denis: without a number or a domain nobody knows which is meant."""
    assert not together(face(one), face(other, NATIONAL))


@pytest.mark.parametrize(
    "name", ["Parks Department", "Police", "Agence de l'eau", "Direction départementale des territoires", "GIS Team"]
)
def test_what_there_is_everywhere_is_not_one(name: str) -> None:
    assert not together(face(name), face(name, NATIONAL))
    assert together(face(f"{name} Vesoul"), face(f"{name} Vesoul", NATIONAL))


@pytest.mark.parametrize("name", ["City of Springfield", "Washington County"])
def test_american_namesakes_need_more_than_a_name(name: str) -> None:
    one, other = (face(name, home=f"https://data.{state}.gov") for state in ("mo", "il"))
    assert not together(one, other)
    assert together(*(face(name, home=one.home, source=s, homepage="https://www.springfield.example") for s in "ab"))


def test_the_same_ministry_in_two_countries() -> None:
    name = "Ministère de la Santé"
    french, national, belgian = face(name), face(name, NATIONAL), face(name, BELGIAN)
    assert together(french, national)
    assert sorted(len(group.faces) for group in grouped([french, national, belgian])) == [1, 2]


def test_a_portal_of_no_country_goes_where_there_is_one() -> None:
    name, anywhere = "Ministère de la Santé", "https://health.example.com"
    assert together(face(name), face(name, anywhere))
    assert len(grouped([face(name), face(name, anywhere), face(name, BELGIAN)])) == 3


def test_numbers_join_whatever_the_names() -> None:
    one = face("INSEE", identifier=[INSEE])
    other = face("Institut national de la statistique", NATIONAL, identifier=["12002701600563"])
    (group,) = grouped([one, other])
    assert group.edges[0].why == "both have SIREN 120027016"


def test_different_numbers_are_never_joined() -> None:
    one, other = face("Transports", identifier=[INSEE]), face("Transports", NATIONAL, identifier=[PARIS])
    bare = face("Transports", BELGIAN.replace(".be", ".fr"))
    assert not together(one, other)
    assert len(grouped([one, other, bare])) == 3
    assert not together(*(face("Transports", FRENCH, identifier=[number]) for number in (INSEE, PARIS)))


def test_a_number_that_a_portal_gives_to_everybody_says_nothing() -> None:
    words = "Arbres Bruit Climat Danse Eau Forêt Gares Histoire Images Jardins Kayak Livres Musées Neige".split()  # noqa: SIM905
    assert len(grouped([face(word, identifier=[PARIS]) for word in words])) == len(words)


def test_an_acronym_is_spelt_out_elsewhere() -> None:
    long = face("Institut national de la statistique et des études économiques (INSEE)", NATIONAL)
    plain = face("Institut national de la statistique et des études économiques", "https://x.example.fr")
    assert together(long, face("INSEE"), plain)
    assert together(long, face("Insee"))
    assert not together(plain, face("INSEE"))


def test_an_acronym_that_means_two_things_means_nothing() -> None:
    one = face("Agence régionale de santé (ARS)", NATIONAL)
    other = face("Association de randonnée du Sud (ARS)", "https://x.example.fr")
    assert len(grouped([one, other, face("ARS")])) == 3
    abroad = face("Association de randonnée du Sud (ARS)", BELGIAN)
    assert together(*[f for g in grouped([one, abroad, face("ARS")]) if len(g.faces) == 2 for f in g.faces])


def test_the_same_words_at_the_same_domain() -> None:
    one = face("Lyon", NATIONAL, email="opendata@mairie-lyon.fr")
    other = face("Ville de Lyon", FRENCH, homepage="https://www.mairie-lyon.fr")
    assert together(one, other)
    assert not together(face("Lyon", NATIONAL, email="lyon@gmail.com"), face("Ville de Lyon", email="l@gmail.com"))
    assert not together(face("Lyon", NATIONAL, email="a@data.gouv.fr"), face("Ville de Lyon", email="b@data.gouv.fr"))
    metropolis = face("Métropole de Lyon", email="x@mairie-lyon.fr")
    assert not any(metropolis in g.faces and len(g.faces) > 1 for g in grouped([one, other, metropolis]))


def test_one_page_at_one_portal() -> None:
    page = f"{NATIONAL}/organizations/lyon/"
    assert together(face("Lyon", NATIONAL, homepage=page), face("Ville de Lyon", NATIONAL, homepage=page))
    root = {"homepage": NATIONAL}
    assert not together(face("Lyon", NATIONAL, **root), face("Ville de Nice", NATIONAL, **root))


def test_a_detour_never_joins_what_differs() -> None:
    """By name to the one, by acronym to the other: the acronym gives way."""
    full = "Institut national de la statistique"
    one = face(full, identifier=[INSEE])
    bridge = face(f"{full} (INS)", NATIONAL)
    other = face("INS", "https://x.example.fr", identifier=[PARIS])
    groups = grouped([one, bridge, other])
    assert not any({one, other} <= set(group.faces) for group in groups)


def test_what_people_decide_wins() -> None:
    one, other = face("Ville de Lyon"), face("Mairie de Lyon", NATIONAL)
    nice = face("Ville de Nice")
    assert together(one, nice, pins={one.digest: "k", nice.digest: "k"})
    assert not together(one, other, pins={other.digest: f"{ALONE}x"})
    third = face("Commune de Lyon", "https://z.example.fr")
    groups = grouped([one, other, third], {other.digest: f"{ALONE}x"})
    assert sorted(len(group.faces) for group in groups) == [1, 2]
    assert not together(one, other, pins={one.digest: "a", other.digest: "b"})


NAMES = st.sampled_from(
    [
        "Ville de Lyon", "Mairie de Lyon", "Lyon", "Métropole de Lyon", "INSEE", "Institut national (INSEE)",
        "Institut national", "Ville de Saint-Denis", "Mairie", "", "(((", "INSEE - Institut national", "A" * 500,
    ]
)  # fmt: skip
AGENTS = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "identifier": st.lists(st.sampled_from([INSEE, PARIS, "x", "BE0314595348"]), max_size=2),
        "email": st.sampled_from(["a@mairie-lyon.fr", "b@gmail.com", "broken"]),
        "homepage": st.sampled_from(["https://www.insee.fr", f"{NATIONAL}/organizations/1/", "http://[x"]),
        "uri": st.sampled_from(["https://x.example.fr/org/1", "http://www.wikidata.org/entity/Q1"]),
    },
)


@given(
    st.lists(st.tuples(AGENTS, st.sampled_from([FRENCH, NATIONAL, BELGIAN, ""])), max_size=9),
    st.randoms(use_true_random=False),
)
def test_the_order_of_faces_changes_nothing(given_: list[tuple[dict[str, Any], str]], chance: random.Random) -> None:
    found = (face_of(Agent.model_validate(raw), f"s-{home}", home) for raw, home in given_)
    faces = [one for one in found if one is not None]
    groups = grouped(faces)
    mixed = list(faces)
    chance.shuffle(mixed)
    assert {frozenset(f.digest for f in g.faces) for g in groups} == {
        frozenset(f.digest for f in g.faces) for g in grouped(mixed)
    }
    assert sorted(f.digest for g in groups for f in g.faces) == sorted({f.digest for f in faces})


def dataset(number: int, name: str, **agent: Any) -> dict[str, Any]:
    return {"identifier": f"d{number}", "title": f"Titre {number}", "publisher": {"name": name, **agent}}


@pytest.fixture
def built(tmp_path: Path, database: None) -> Catalogue:
    found = catalogue(tmp_path)
    found.source("region", url=FRENCH)
    found.source("national", url=NATIONAL)
    found.add("region", [dataset(n, "INSEE") for n in range(3)] + [dataset(9, "Ville de Lyon")])
    long = "Institut national de la statistique (INSEE)"
    found.add("national", [dataset(n, long) for n in range(2)] + [dataset(8, "Métropole de Lyon")])
    return found


def caught_up(found: Catalogue) -> None:
    follow(found.engine, writes.FOLLOWER, lambda: NOW)


def listed(found: Catalogue, q: str = "") -> dict[str, AgentView]:
    with found.engine.connect() as connection:
        return {view.name: view for view in publishers.agent_list(connection, q)}


def test_agents_with_their_datasets(built: Catalogue) -> None:
    caught_up(built)
    found = listed(built)
    assert {name: view.datasets for name, view in found.items()} == {
        "Institut national de la statistique (INSEE)": 5,
        "Ville de Lyon": 1,
        "Métropole de Lyon": 1,
    }
    assert list(listed(built, "statistique INSEE")) == ["Institut national de la statistique (INSEE)"]
    assert list(listed(built, "métropole")) == ["Métropole de Lyon"]
    assert listed(built, "100%") == {}
    with built.engine.connect() as connection:
        view = publishers.agent_by_key(connection, found["Institut national de la statistique (INSEE)"].key)
    assert view is not None
    assert {name.text: name.datasets for name in view.names_seen} == {
        "INSEE": 3,
        "Institut national de la statistique (INSEE)": 2,
    }
    assert [(joint.rule, "spelt out" in joint.why) for joint in view.evidence] == [("acronym", True)]


def test_an_agent_costs_what_is_new(built: Catalogue) -> None:
    caught_up(built)
    with built.engine.connect() as connection:
        before = connection.execute(select(func.count()).select_from(agent_names)).scalar_one()
    built.add("region", [dataset(20, "INSEE")])
    assert follow(built.engine, writes.FOLLOWER, lambda: NOW) >= 1
    with built.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(agent_names)).scalar_one() == before
    assert listed(built)["Institut national de la statistique (INSEE)"].datasets == 6


def test_retired_datasets_are_no_ones(built: Catalogue) -> None:
    caught_up(built)
    built.retire("region", "d0", "d1")
    caught_up(built)
    assert listed(built)["Institut national de la statistique (INSEE)"].datasets == 3


@pytest.mark.parametrize("order", [("region", "national"), ("national", "region")])
def test_the_order_in_which_sources_come_changes_nothing(
    tmp_path: Path, database: None, order: tuple[str, ...]
) -> None:
    found = catalogue(tmp_path)
    given_ = {
        "region": (FRENCH, [dataset(1, "INSEE"), dataset(2, "Transports", identifier=[INSEE])]),
        "national": (NATIONAL, [dataset(3, "Institut national (INSEE)"), dataset(4, "Transports", identifier=[PARIS])]),
    }
    for name in order:
        found.source(name, url=given_[name][0])
        found.add(name, given_[name][1])
        caught_up(found)
    assert {name: view.datasets for name, view in listed(found).items()} == {
        "Institut national (INSEE)": 2,
        "Transports": 1,
    }
    with found.engine.connect() as connection:
        assert len(publishers.agent_list(connection, "transports")) == 2


def test_a_newcomer_can_part_what_was_joined(built: Catalogue) -> None:
    """INSEE is spelt out in another way as well: nobody knows any longer which of the two a bare INSEE is."""
    caught_up(built)
    built.source("third", url="https://third.example.fr")
    built.add("third", [dataset(30, "Institution nautique de Seine (INSEE)")])
    caught_up(built)
    assert {name: view.datasets for name, view in listed(built).items()} == {
        "Institut national de la statistique (INSEE)": 2,
        "INSEE": 3,
        "Institution nautique de Seine (INSEE)": 1,
        "Ville de Lyon": 1,
        "Métropole de Lyon": 1,
    }


def test_people_map_unmap_release_and_name(built: Catalogue) -> None:
    caught_up(built)
    found = listed(built)
    metropolis, town = found["Métropole de Lyon"], found["Ville de Lyon"]
    mapped = deciding.give(built.engine, town.key, metropolis.key, "ann", NOW)
    assert (mapped.key, mapped.datasets) == (metropolis.key, 2)
    with built.engine.connect() as connection:
        again = publishers.agent_by_key(connection, town.key)
    assert again is not None
    assert again.key == metropolis.key
    name = next(name for name in mapped.names_seen if name.text == "Ville de Lyon")
    assert name.by_hand
    built.add("region", [dataset(9, "Ville de Lyon", email="new@lyon.fr")])
    caught_up(built)
    assert listed(built)["Métropole de Lyon"].datasets == 2

    parted = deciding.take(built.engine, str(name.id), "ann", NOW)
    assert parted.key != metropolis.key
    deciding.release(built.engine, str(name.id), "ann", NOW)
    called = deciding.call(built.engine, metropolis.key, "Grand Lyon", "ann", NOW)
    assert (called.name, called.named_by) == ("Grand Lyon", "ann")
    built.add("national", [dataset(40, "Métropole de Lyon", email="x@grandlyon.com")])
    caught_up(built)
    assert listed(built)["Grand Lyon"].datasets >= 2
    assert deciding.call(built.engine, metropolis.key, "", "ann", NOW).name != "Grand Lyon"
    with built.engine.connect() as connection:
        rows = connection.execute(select(agent_decisions.c.action).order_by(agent_decisions.c.id)).scalars().all()
    assert rows == ["map", "unmap", "release", "name", "name"]


def test_an_agent_that_ended_comes_back_under_its_key(built: Catalogue) -> None:
    caught_up(built)
    found = listed(built)
    town = found["Ville de Lyon"]
    mapped = deciding.give(built.engine, town.key, found["Métropole de Lyon"].key, "ann", NOW)
    name = next(name for name in mapped.names_seen if name.text == "Ville de Lyon")
    assert deciding.take(built.engine, str(name.id), "ann", NOW).key == town.key


@pytest.mark.parametrize("what", ["999999", "nobody", "'; drop", "9" * 40])
def test_what_does_not_exist_is_said(built: Catalogue, what: str) -> None:
    caught_up(built)
    key = next(iter(listed(built).values())).key
    with pytest.raises(UsageError):
        deciding.give(built.engine, what, key, "ann", NOW)


def test_the_facet_shows_each_agent_once(built: Catalogue) -> None:
    index = open_index(built.settings)
    refresh(built.engine, index)
    caught_up(built)
    refresh(built.engine, index)
    with TestClient(application(built.settings)) as client:
        found = client.get("/api/datasets", params={"facets": "publisher"}).json()["facets"]["publisher"]["values"]
        assert {value["value"]: value["count"] for value in found} == {
            "Institut national de la statistique (INSEE)": 5,
            "Ville de Lyon": 1,
            "Métropole de Lyon": 1,
        }
        names = ("institut national de la statistique (insee)", "insee")
        totals = [client.get("/api/datasets", params={"publisher": name}).json()["total"] for name in names]
        assert totals == [5, 3]


def test_nothing_is_logged_twice(built: Catalogue) -> None:
    caught_up(built)
    with built.engine.connect() as connection:
        before = queries.last_change(connection)
    caught_up(built)
    caught_up(built)
    with built.engine.connect() as connection:
        assert queries.last_change(connection) == before
        logged = connection.execute(select(changes).where(changes.c.run_id.is_(None))).all()
        assert len(logged) == len({row.dataset_id for row in logged}) == 3
        assert connection.execute(select(agents.c.id).where(agents.c.name == "")).all() == []


@pytest.fixture
def client(built: Catalogue) -> Iterator[TestClient]:
    caught_up(built)
    with TestClient(application(built.settings)) as found:
        yield found


def test_the_api_lists_and_explains(client: TestClient) -> None:
    first = client.get("/api/agents?limit=1").json()
    assert len(first["agents"]) == 1
    rest = client.get(first["next"]).json()["agents"]
    assert {agent["name"] for agent in (*first["agents"], *rest)} >= {"Ville de Lyon"}
    (insee,) = client.get("/api/agents", params={"q": "statistique"}).json()["agents"]
    whole = client.get(insee["url"]).json()
    assert whole["datasets"] == insee["datasets"] == 5
    assert {name["source"] for name in whole["names_seen"]} == {"region", "national"}
    assert [joint["rule"] for joint in whole["evidence"]] == ["acronym"]
    assert client.get("/api/agents/nobody").json()["code"] == "unknown-agent"
    assert client.get("/api/agents", params={"q": "\x00'%"}).status_code == 200


def test_the_api_changes_nothing_without_a_token(client: TestClient) -> None:
    (insee,) = client.get("/api/agents", params={"q": "statistique"}).json()["agents"]
    assert client.patch(insee["url"], json={"name": "X"}).status_code in (401, 403)
    assert client.post("/api/agents/names/1/unmap").status_code in (401, 403)
    assert client.get(insee["url"]).json()["name"] == insee["name"]


def test_the_api_decides(built: Catalogue, client: TestClient) -> None:
    with writing(built.engine) as connection:
        token = tokens.create(connection, "ann", "run", utcnow())
    headers = {"authorization": f"Bearer {token}"}
    found = {agent["name"]: agent for agent in client.get("/api/agents").json()["agents"]}
    town, metropolis = found["Ville de Lyon"], found["Métropole de Lyon"]
    body = {"names": [town["key"]], "name": "Lyon"}
    answer = client.patch(metropolis["url"], json=body, headers=headers).json()
    assert (answer["name"], answer["datasets"], answer["named_by"]) == ("Lyon", 2, "ann")
    name = next(name["id"] for name in answer["names_seen"] if name["text"] == "Ville de Lyon")
    assert client.post(f"/api/agents/names/{name}/unmap", headers=headers).json()["datasets"] == 1
    assert client.post(f"/api/agents/names/{name}/release", headers=headers).json()["key"] == town["key"]
    assert client.post("/api/agents/names/999/unmap", headers=headers).status_code == 404


def test_the_command_line(built: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    caught_up(built)
    monkeypatch.setenv("HARVESTER_DATA", str(built.settings.data))
    if built.settings.database_url:
        monkeypatch.setenv("HARVESTER_DATABASE_URL", built.settings.database_url)
    run = CliRunner()
    found = {agent["name"]: agent for agent in json.loads(run.invoke(app, ["agent", "list", "--json"]).stdout)}
    town, metropolis = found["Ville de Lyon"]["key"], found["Métropole de Lyon"]["key"]
    assert "Ville de Lyon" in run.invoke(app, ["agent", "show", town]).stdout
    mapped = json.loads(run.invoke(app, ["agent", "map", town, metropolis, "--json"]).stdout)
    assert mapped["datasets"] == 2
    told = json.loads(run.invoke(app, ["agent", "explain", metropolis, "--json"]).stdout)
    assert [joint["rule"] for joint in told["evidence"]] == ["by hand"]
    assert [row["action"] for row in told["decisions"]] == ["map"]
    name = next(str(name["id"]) for name in mapped["names"] if name["text"] == "Ville de Lyon")
    assert run.invoke(app, ["agent", "unmap", name]).exit_code == 0
    assert run.invoke(app, ["agent", "release", name]).exit_code == 0
    assert run.invoke(app, ["agent", "name", metropolis, "Grand Lyon"]).exit_code == 0
    assert "Grand Lyon" in run.invoke(app, ["agent", "list"]).stdout
