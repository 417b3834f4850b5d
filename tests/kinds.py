"""Every kind of list that the connectors walk, before an invented portal whose datasets a test may change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from harvester import registry
from harvester.connector import Page, Source, Walk
from harvester.http import Http
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.dcat import dcat_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Reply, Request, as_transport, json_reply
from harvester.settings import Settings

ROOT = "http://portal.example"
START = datetime(2024, 1, 1, tzinfo=UTC)
FEED = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<https://data.example/d/{0}> a dcat:Dataset ; dct:title "Jeu {0}"@fr ."""


def moment(number: int) -> str:
    return (START + timedelta(minutes=number)).isoformat()


def package(number: int) -> dict[str, Any]:
    stamp = moment(number).partition("+")[0]
    # No order of the numbers: CKAN's identifiers are random.
    name = f"{number * 7919 % 100_003:08d}"
    return {"id": name, "name": f"jeu-{number}", "title": f"Jeu {number}", "metadata_modified": stamp, "resources": []}


def listed(number: int) -> dict[str, Any]:
    stamp = moment(number)
    return {"id": f"{number:024x}", "slug": f"jeu-{number}", "title": f"Jeu {number}", "resources": []} | {
        "created_at": stamp,
        "last_update": stamp,
    }


def refined(number: int) -> dict[str, Any]:
    default = {"title": f"Jeu {number}", "modified": moment(number) if number % 7 else None}
    return {"dataset_id": f"jeu-{number}", "metas": {"default": default}}


def pod_feed(rows: Sequence[dict[str, Any]]) -> Portal:
    document = {"conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": list(rows)}
    return lambda request: Reply(200, json.dumps(document).encode(), "application/json")


def pod(number: int) -> dict[str, Any]:
    return {"title": f"Set {number}", "identifier": f"id-{number}", "accessLevel": "public"}


@dataclass(frozen=True)
class Kind:
    """One kind of list: how a dataset is written, what serves them, which guid a dataset gets."""

    name: str
    connector: str
    row: Callable[[int], Any]
    serve: Callable[[Sequence[Any]], Portal]
    guid: Callable[[int], str]
    size: int = 45
    path: str = "/"
    options: dict[str, Any] = field(default_factory=dict)

    def portal(self, numbers: Iterable[int]) -> Portal:
        """A portal that holds the datasets of these numbers."""
        return self.serve([self.row(number) for number in numbers])

    def guids(self, numbers: Iterable[int]) -> set[str]:
        return {self.guid(number) for number in numbers}

    def walk(self, portal: Portal, walk: Walk | None = None) -> Iterable[Page]:
        """The pages of a walk, as they come."""
        connector = registry.connector(self.connector)
        source = Source("portal", ROOT + self.path, connector.Options.model_validate(self.options))
        clock = [0.0]

        def sleep(seconds: float) -> None:
            clock[0] += seconds

        http = Http(Settings(), transport=as_transport(portal), sleep=sleep, now=lambda: clock[0])
        return connector.fetch(source, http, walk or Walk())


def _ckan(name: str, *disabled: str, size: int = 45) -> Kind:
    serve = partial(ckan_portal, title="P", disabled=disabled)
    return Kind(name, "ckan", package, serve, lambda n: package(n)["id"], size, options={"page_size": 10})


KINDS = (
    _ckan("ckan"),
    _ckan("ckan-current", "package_search"),
    _ckan("ckan-names", "package_search", "current_package_list_with_resources", size=120),
    Kind("udata", "udata", listed, partial(udata_portal, title="P"), lambda n: f"{n:024x}", 230),
    Kind("opendatasoft", "opendatasoft", refined, partial(opendatasoft_portal, title="P"), lambda n: f"jeu-{n}", 330),
    Kind(
        "opendatasoft-v1",
        "opendatasoft",
        refined,
        partial(opendatasoft_portal, title="P", versions=("v1",)),
        lambda n: f"jeu-{n}",
        230,
    ),
    Kind(
        "dcat",
        "dcat",
        FEED.format,
        partial(dcat_portal, title="P", page_size=10),
        lambda n: f"https://data.example/d/{n}",
        path="/catalog.ttl",
    ),
    Kind(
        "dcat-whole",
        "dcat",
        FEED.format,
        partial(dcat_portal, title="P", hydra=""),
        lambda n: f"https://data.example/d/{n}",
        230,
        "/catalog.ttl",
    ),
    Kind("data-json", "dcat", pod, pod_feed, lambda n: f"id-{n}", 230, "/data.json"),
)


class Turning:
    """A portal that holds other datasets from one of its requests on; it counts them."""

    def __init__(self, kind: Kind, before: Iterable[int], after: Iterable[int], at: int) -> None:
        self.first, self.second, self.at, self.asked = kind.portal(before), kind.portal(after), at, 0

    def __call__(self, request: Request) -> Reply:
        self.asked += 1
        return (self.first if self.asked <= self.at else self.second)(request)


def guids(pages: Iterable[Page]) -> list[str]:
    return [record.guid for page in pages for record in page.records if not record.deleted]


def refusing(status: int) -> Portal:
    return lambda request: json_reply({}, status)
