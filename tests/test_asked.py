"""Portals are asked, record by record, whether what a walk did not show is gone."""

from __future__ import annotations

from typing import Any

import pytest

from connectors import ckan, dcat, opendatasoft, udata
from connectors.asking import told
from harvester.connector import Source
from harvester.errors import SourceError
from harvester.http import Http
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Reply, Request, as_transport, html_reply, json_reply
from harvester.settings import Settings

ROOT = "http://portal.example"


def asked(connector: Any, portal: Portal, *guids: str, url: str = ROOT, **options: Any) -> dict[str, bool] | None:
    http = Http(
        Settings(private_hosts=("portal.example",), retries=0), transport=as_transport(portal), sleep=lambda _: None
    )
    found: dict[str, bool] | None = connector.gone(Source("s", url, connector.Options(**options)), http, guids)
    return found


def failing_for(guid: str, portal: Portal, reply: Reply) -> Portal:
    """The portal, but for whatever names this record."""

    def answer(request: Request) -> Reply:
        return reply if guid in request.path or guid in str(request.query) else portal(request)

    return answer


PACKAGES = [{"id": f"id-{n}", "name": f"n{n}", "title": "T", "organization": {"name": "o"}} for n in range(3)]


def test_ckan() -> None:
    portal = ckan_portal(PACKAGES, title="P")
    assert asked(ckan, portal, "id-0", "id-9") == {"id-0": False, "id-9": True}
    for reply, expected in (
        (json_reply({"success": False, "error": {"__type": "Authorization Error"}}, 403), {"id-1": True}),
        (json_reply({"success": True, "result": {"id": "id-1", "state": "deleted"}}), {"id-1": True}),
        (json_reply({"success": True, "result": {"id": "id-1", "private": True}}), {"id-1": True}),
        (html_reply("<h1>Not found</h1>", 404), {}),
        (html_reply("<h1>Go away</h1>", 403), {}),
        (json_reply({"success": False, "error": {"__type": "Internal Server Error"}}, 500), {}),
        (json_reply({"success": True}), {}),
    ):
        found = asked(ckan, failing_for("id-1", portal, reply), "id-0", "id-1")
        assert found == {"id-0": False, **expected}, reply


def test_ckan_of_one_organisation() -> None:
    portal = ckan_portal(
        [*PACKAGES, {**PACKAGES[0], "id": "other", "name": "m", "organization": {"name": "p"}}], title="P"
    )
    assert asked(ckan, portal, "id-0", "other", 'x" OR id:"id-0', organizations=["o"]) == {
        "id-0": False, "other": True, 'x" OR id:"id-0': True
    }  # fmt: skip


def test_an_identifier_is_no_part_of_the_question() -> None:
    portal = ckan_portal(PACKAGES, title="P")
    queries: list[str] = []

    def listening(request: Request) -> Reply:
        queries.extend(value for name, value in request.query if name == "fq")
        return portal(request)

    asked(ckan, listening, 'x" OR id:"id-0', "back\\slash", organizations=["o"])
    assert [query.partition("+id:")[2] for query in queries] == [r'"x\" OR id:\"id-0"', r'"back\\slash"']


def test_udata() -> None:
    items: list[dict[str, Any]] = [
        {"id": "a", "slug": "s-a", "title": "A"},
        {"id": "b", "slug": "s-b", "title": "B", "private": True},
    ]
    portal = udata_portal(items, title="Portail")
    assert asked(udata, portal, "a", "b", "c/../a") == {"a": False, "b": True, "c/../a": True}
    assert asked(udata, failing_for("/a/", portal, html_reply("", 500)), "a", "b") == {"b": True}
    assert asked(udata, portal, "a", tag=["eau"]) is None
    for part in ("/api/1/datasets/?tag=eau", "/fr/organizations/ville/", "/fr/datasets/s-a/"):
        assert asked(udata, portal, "a", url=f"{ROOT}{part}") is None, part


def test_opendatasoft() -> None:
    items = [{"dataset_id": "a", "metas": {"default": {"title": "A"}}}, {"dataset_id": "b", "metas": {}}]
    portal = opendatasoft_portal(items, title="P")
    assert asked(opendatasoft, portal, "a", "c") == {"a": False, "c": True}
    assert asked(opendatasoft, portal, "a", "b", where='dataset_id = "b"') == {"a": True, "b": False}
    assert asked(opendatasoft, portal, "a", "b", url=f"{ROOT}/explore/dataset/b/") == {"a": True, "b": False}
    old = opendatasoft_portal(items, title="P", versions=["v1"])
    assert asked(opendatasoft, old, "a", "c") is None
    assert asked(opendatasoft, failing_for('"a"', portal, html_reply("", 500)), "a", "b") == {"b": False}


def test_a_feed_cannot_be_asked() -> None:
    assert not hasattr(dcat, "gone")


def test_a_portal_that_does_not_answer_is_left_alone() -> None:
    asked_for = []

    def silent(guid: str) -> bool:
        asked_for.append(guid)
        if guid != "b":
            raise SourceError("no answer")
        return True

    assert told(list("abcdefgh"), silent) == {"b": True}
    assert asked_for == list("abcde")


@pytest.mark.parametrize("connector", [ckan, udata, opendatasoft])
@pytest.mark.parametrize("status", [200, 404])
def test_the_answers_of_another_site_are_none(connector: Any, status: int) -> None:
    try:
        found = asked(connector, lambda request: html_reply("<h1>Welcome</h1>", status), "a")
    except SourceError:
        found = {}
    assert found == {}
