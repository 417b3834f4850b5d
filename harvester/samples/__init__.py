"""Four sample portals of an invented region, one per connector, for the demo and the tests.

Their datasets overlap as in life: the national udata portal re-publishes what it harvests from the others,
the regional CKAN harvests the DCAT feed.  `overlaps()` names the records that are one dataset.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

import orjson

from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.dcat import PREFIXES, dcat_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Server, serve

CKAN_ROOT = "/fr/indexer/service/ckan"
FEED_PAGE_SIZE = 25


def load(name: str) -> list[Any]:
    """The lines of a data file of this package."""
    text = files("harvester.samples").joinpath("data", f"{name}.jsonl").read_bytes()
    return [orjson.loads(line) for line in text.splitlines()]


def overlaps() -> list[list[str]]:
    """Groups of records that are one dataset, each record as "sample:guid"."""
    return load("overlaps")


def feed_blocks() -> list[str]:
    """The datasets of the feed as complete Turtle documents."""
    prefixes = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    return [prefixes + row["turtle"] for row in load("dcat")]


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample portal: `public_url` is where its payloads claim to live, `count` what a harvest finds.

    `rows` are its datasets, `serve` makes a portal that holds such rows.
    """

    name: str
    title: str
    connector: str
    public_url: str
    port: int
    path: str
    count: int
    rows: Callable[[], list[Any]]
    serve: Callable[[list[Any]], Portal]

    def portal(self) -> Portal:
        """The portal with all its datasets."""
        return self.serve(self.rows())


@dataclass(frozen=True, slots=True)
class Running:
    """A sample that listens on loopback; `url` is the one to give a source."""

    sample: Sample
    server: Server

    @property
    def url(self) -> str:
        return self.server.url + self.sample.path

    def close(self) -> None:
        self.server.close()


def _ckan(rows: list[Any]) -> Portal:
    site = CKAN.public_url
    description = "Les données ouvertes de la région Val-d'Aurée et de ses partenaires."
    return ckan_portal(rows, title=CKAN.title, root=CKAN_ROOT, site_url=site, description=description)


def _udata(rows: list[Any]) -> Portal:
    return udata_portal(rows, title=UDATA.title)


def _opendatasoft(rows: list[Any]) -> Portal:
    description = "Brévigny Métropole ouvre ses données : transports, culture, cadre de vie."
    return opendatasoft_portal(rows, title=OPENDATASOFT.title, description=description)


def _dcat(rows: list[Any]) -> Portal:
    iri = f"{DCAT.public_url}/"
    return dcat_portal(rows, title=DCAT.title, iri=iri, page_size=FEED_PAGE_SIZE)


CKAN = Sample(
    name="ckan",
    title="Données Val-d'Aurée",
    connector="ckan",
    public_url="https://donnees.val-auree.example",
    port=8101,
    path=CKAN_ROOT,
    count=120,
    rows=partial(load, "ckan"),
    serve=_ckan,
)
UDATA = Sample(
    name="udata",
    title="Données publiques",
    connector="udata",
    public_url="https://www.donnees-publiques.example",
    port=8102,
    path="",
    count=150,
    rows=partial(load, "udata"),
    serve=_udata,
)
OPENDATASOFT = Sample(
    name="opendatasoft",
    title="Brévigny Métropole – données ouvertes",
    connector="opendatasoft",
    public_url="https://data.brevigny-metropole.example",
    port=8103,
    path="",
    count=90,
    rows=partial(load, "opendatasoft"),
    serve=_opendatasoft,
)
DCAT = Sample(
    name="dcat",
    title="GéoAurée – agence de l'eau Aurée-Lys",
    connector="dcat",
    public_url="https://geo.eau-auree-lys.example",
    port=8104,
    path="/catalog.ttl",
    count=70,
    rows=feed_blocks,
    serve=_dcat,
)
SAMPLES: tuple[Sample, ...] = (CKAN, UDATA, OPENDATASOFT, DCAT)


def start(samples: Iterable[Sample] = SAMPLES) -> tuple[Running, ...]:
    """Serve samples on loopback, each on its own port, or on a free one when that is busy."""
    return tuple(Running(sample, _listen(sample.portal(), sample.port)) for sample in samples)


def _listen(portal: Portal, port: int) -> Server:
    try:
        return serve(portal, port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return serve(portal)
