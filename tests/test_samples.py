"""The sample catalogues hold what they declare, and overlap as their own payloads say."""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, parse

from harvester.samples import CKAN, DCAT, OPENDATASOFT, SAMPLES, UDATA, feed_blocks, load, overlaps, start
from harvester.samples.faults import faulty, of_kind
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.dcat import dcat_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Reply, ask

ACTION = "/api/3/action/"
ODS = "/api/explore/v2.1/catalog/"


def answer(portal: Portal, target: str, headers: Mapping[str, str] | None = None) -> Any:
    reply = ask(portal, target, headers)
    assert reply.status == 200, reply.body
    return reply.json()


# --- Real payloads


def lines(path: Path) -> list[Any]:
    return [orjson.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_real_ckan_packages_are_replayed_untouched(shared: Path) -> None:
    path = shared / "corpus/ckan/au-brisbane-package_search-100.json"
    real = orjson.loads(path.read_bytes())["result"]["results"]
    found = answer(ckan_portal(real, title="Brisbane"), f"{ACTION}package_search?rows=1000")["result"]
    assert found["count"] == len(real) == 100
    assert sorted(map(str, found["results"])) == sorted(map(str, real))


def test_real_udata_datasets_are_replayed_untouched(shared: Path) -> None:
    real = lines(shared / "corpus/udata/fr-datagouv-demo-20221202-datasets-406.jsonl.gz")
    portal = udata_portal(real, title="data.gouv.fr")
    found = answer(portal, "/api/1/datasets/?page_size=1000&sort=created")["data"]
    assert len(found) == sum(not (one["private"] or one["archived"] or one["deleted"]) for one in real)
    assert all(one in real for one in found)
    assert {ask(portal, f"/api/1/datasets/{one['slug']}/").status for one in real} <= {200, 404, 410}


def test_real_ods_datasets_are_replayed_untouched(shared: Path) -> None:
    real = orjson.loads((shared / "corpus/opendatasoft/gb-ukpn-v2.1-datasets.json").read_bytes())["results"]
    portal = opendatasoft_portal(real, title="UKPN")
    assert answer(portal, f"{ODS}datasets") == {"total_count": len(real), "results": real}


def test_a_real_feed_is_replayed_untouched(shared: Path) -> None:
    real = set(parse(path=shared / "corpus/dcat-turtle/demo-ckan-catalog-2016.ttl"))
    reply = ask(dcat_portal([real], title="Demo", hydra=""), "/catalog.ttl")
    named = {quad for quad in real if not isinstance(quad.subject, BlankNode) and isinstance(quad.object, Literal)}
    assert len(named) > 500
    assert named <= set(parse(reply.body, RdfFormat.TURTLE))


# --- Samples

SAMPLE_PORTAL = {sample.name: sample.portal() for sample in SAMPLES}
LISTS = NamedNode("http://www.w3.org/ns/dcat#dataset")
FIRST_PAGES = (
    f"{CKAN.path}{ACTION}package_search?rows=1000",
    "/api/1/datasets/?page_size=1000",
    f"{ODS}exports/json",
    "/catalog.ttl?page_size=1000",
)


def guids() -> dict[str, set[str]]:
    ckan, udata, ods, dcat = (
        ask(SAMPLE_PORTAL[sample.name], target) for sample, target in zip(SAMPLES, FIRST_PAGES, strict=True)
    )
    return {
        "ckan": {package["id"] for package in ckan.json()["result"]["results"]},
        "udata": {item["id"] for item in udata.json()["data"]},
        "opendatasoft": {item["dataset_id"] for item in ods.json()},
        "dcat": {quad.object.value for quad in parse(dcat.body, RdfFormat.TURTLE) if quad.predicate == LISTS},
    }


def test_each_sample_holds_what_it_declares() -> None:
    found = guids()
    assert {name: len(ids) for name, ids in found.items()} == {sample.name: sample.count for sample in SAMPLES}
    assert [sample.connector for sample in SAMPLES] == ["ckan", "udata", "opendatasoft", "dcat"]


def test_the_samples_hold_records_that_must_not_be_harvested() -> None:
    assert len(load("ckan")) > CKAN.count
    assert len(load("udata")) > UDATA.count
    gone = next(item for item in load("udata") if item["deleted"])
    assert ask(SAMPLE_PORTAL["udata"], f"/api/1/datasets/{gone['id']}/").status == 410


def test_the_overlaps_name_records_that_are_there() -> None:
    found, groups = guids(), overlaps()
    named = [member.partition(":") for group in groups for member in group]
    assert all(guid in found[sample] for sample, _, guid in named)
    assert len({tuple(member) for member in named}) == len(named)
    across = [group for group in groups if len({member.partition(":")[0] for member in group}) > 1]
    assert len(across) >= 40
    assert any(len(group) > 2 for group in groups)


def evidence() -> Iterator[tuple[str, str]]:
    """Pairs of records that the payloads themselves join by an identifier."""
    harvested = [(item["id"], item["harvest"] or {}, item["extras"]) for item in load("udata")]
    portals = {CKAN.public_url: "ckan", OPENDATASOFT.public_url: "opendatasoft"}
    hosts = {url.removeprefix("https://"): name for url, name in portals.items()}
    for guid, block, extras in harvested:
        domain = block.get("domain") or extras.get("harvest:domain")
        if domain in hosts:
            yield f"udata:{guid}", f"{hosts[domain]}:{block.get('remote_id') or extras['harvest:remote_id']}"
        if iri := block.get("uri") or extras.get("uri"):
            yield f"udata:{guid}", f"dcat:{iri}"
    for package in load("ckan"):
        for extra in package.get("extras", ()):
            if extra["key"] in {"uri", "guid"}:
                yield f"ckan:{package['id']}", f"dcat:{extra['value']}"


def test_the_overlaps_agree_with_the_provenance_in_the_payloads() -> None:
    group_of = {member: number for number, group in enumerate(overlaps()) for member in group}
    pairs = list(evidence())
    assert len(pairs) >= 35
    assert all(group_of[one] == group_of[other] for one, other in pairs)


def test_the_samples_show_every_shape_that_connectors_map() -> None:
    ckan, udata, ods = load("ckan"), load("udata"), load("opendatasoft")
    assert any(isinstance(package["title"], dict) for package in ckan)
    assert any("title_translated" in package for package in ckan)
    assert any("revision_id" in extra for package in ckan for extra in package.get("extras", ()))
    assert any(package.get("hvd_category") for package in ckan)
    assert any("harvest:remote_id" in item["extras"] for item in udata)
    assert any(item["owner"] for item in udata)
    assert any({"kind": "hvd"} in item["badges"] for item in udata)
    assert {"biannual", "fortnighly"} & {item["frequency"] for item in udata}
    assert any(item["metas"]["default"]["federated"] for item in ods)
    assert any(item["alternative_exports"] and not item["has_records"] for item in ods)
    assert any(not item["data_visible"] for item in ods)
    assert {"default", "dcat", "dcat_ap", "inspire", "custom"} <= {group for item in ods for group in item["metas"]}
    turtle = "".join(feed_blocks())
    for term in ("dcatap:hvdCategory", "dcat:bbox", "dcat:DataService", "dcat:inSeries", "dct:conformsTo", "spdx:"):
        assert term in turtle


def test_the_samples_live_on_reserved_hosts_only() -> None:
    lines = "\n".join(str(row) for name in ("ckan", "udata", "opendatasoft") for row in load(name))
    hosts = set(re.findall(r"https?://([\w.-]*(?:auree|brevigny|publiques|partagees)[\w.-]*)", lines))
    assert hosts
    assert all(host.endswith(".example") for host in hosts)


def test_the_samples_start_on_their_ports_or_on_free_ones() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", DCAT.port))
            taken.listen()
        except OSError:
            # Somebody else holds the port: as good for this test.
            taken.close()
        running = start([DCAT, UDATA])
    try:
        assert running[0].server.port != DCAT.port
        assert running[0].url.endswith("/catalog.ttl")
        assert [httpx.get(one.url + "/").status_code for one in running] == [404, 200]
        assert httpx.get(running[0].url).status_code == 200
    finally:
        for one in running:
            one.close()


def test_every_fault_is_described_and_answers() -> None:
    for sample, target in zip(SAMPLES, FIRST_PAGES, strict=True):
        for fault in of_kind(sample.connector):
            assert fault.description.endswith(".")
            portal = faulty(sample, fault.name)
            assert all(isinstance(ask(portal, target), Reply) for _ in range(3))
