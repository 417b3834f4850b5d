"""Catalogues in a data.json feed: what they say of themselves comes through a whole run, into the export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from harvester import sources, worker
from harvester.catalogue.database import writing
from harvester.samples.serving import Reply, Request, serve
from harvester.schedule import utcnow
from harvester.search import open_index
from harvester.streams import stream
from harvester.views import view
from tests.catalogues import catalogue

pytestmark = pytest.mark.usefixtures("database")

PART = ox.NamedNode("http://purl.org/dc/terms/hasPart")
LABEL = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")


def pod(number: int) -> dict[str, Any]:
    return {"identifier": f"p{number}", "title": f"Dataset {number}", "accessLevel": "public", "description": "Said."}


def inner(name: str, number: int, **more: Any) -> dict[str, Any]:
    # Its datasets stand between its IRI and its title.
    return {"@id": f"https://city.example/{name}", "dataset": [pod(number)], "title": name.title(), **more}


CATALOGUES: dict[str, Any] = {
    "several": [inner("roads", 2), inner("water", 3, catalog={"dataset": [pod(4)], "title": "Deeper"})],
    "one": inner("roads", 2),
}
EXPECTED = {"several": {"roads": "Roads", "water": "Water"}, "one": {"roads": "Roads"}}


def exported(directory: Path, feed: dict[str, Any]) -> list[ox.Quad]:
    """The export after a run over the feed."""
    found = catalogue(directory, public_url="https://data.example.org", private_hosts=("127.0.0.1",))

    def portal(request: Request) -> Reply:
        return Reply(200, json.dumps(feed).encode())

    with serve(portal) as server:
        with writing(found.engine) as connection:
            now, url = utcnow(), f"{server.url}/data.json"
            sources.add(connection, url=url, connector="dcat", name="city", now=now)
            row = sources.named(connection, "city")
            claim = worker.begin(connection, row, "full", now)
        result = worker.execute(found.engine, found.settings, row, claim, utcnow)
    assert result.status == "succeeded"
    with found.engine.connect() as connection:
        part = view(connection, found.settings)
    body = b"".join(stream(found.engine, open_index(found.settings), found.settings, part, "nt"))
    return list(ox.parse(body, format=ox.RdfFormat.N_TRIPLES))


@pytest.mark.parametrize("form", CATALOGUES)
def test_the_catalogues_in_a_feed_are_parts_of_its_catalogue(tmp_path: Path, form: str) -> None:
    quads = exported(
        tmp_path,
        {
            "conformsTo": "https://project-open-data.cio.gov/v1.1/schema",
            "title": "City",
            "catalog": CATALOGUES[form],
            "dataset": [pod(1)],
        },
    )
    source = ox.NamedNode("https://data.example.org/catalog?source=city")
    parts = {str(quad.object) for quad in quads if quad.predicate == PART and quad.subject == source}
    labels = {
        str(q.subject): q.object.value for q in quads if q.predicate == LABEL and isinstance(q.object, ox.Literal)
    }
    assert {node.rpartition("/")[2].strip(">"): labels.get(node) for node in parts} == EXPECTED[form]
