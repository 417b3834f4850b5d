"""Portals that misbehave: wrappers from portal to portal, each after something real portals were seen doing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import orjson

from harvester.samples.serving import HANG_UP, Portal, Reply, Request, html_reply, json_reply

Wrapper = Callable[[Portal], Portal]
Change = Callable[[Any], Any]

TOTALS = ("count", "total", "total_count", "nhits")
LISTS = ("results", "data", "datasets")
OFFSETS = ("start", "offset")
PAGE_SIZE = 20
PLACES = (*OFFSETS, "page")
PRIVATE_ADDRESS = "http://169.254.169.254/latest/meta-data/"
DRIP_SECONDS = 1.0
LIE = 1000

# N-Triples, which is Turtle, N3 and TriG as well.
EMPTY_TRIPLES = (
    b"<https://portal.example/> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> "
    b"<http://www.w3.org/ns/dcat#Catalog> .\n"
)
EMPTY_FEEDS: dict[str, bytes] = {
    "xml": b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="https://portal.example/">'
    b'<rdf:type rdf:resource="http://www.w3.org/ns/dcat#Catalog"/></rdf:Description></rdf:RDF>',
    "json": b'{"@id":"https://portal.example/","@type":"http://www.w3.org/ns/dcat#Catalog"}',
}


def nth(reply: Callable[[Request, Portal], Reply], first: int = 1, last: int | None = None) -> Wrapper:
    """Answer requests number `first` to `last` (None: all that follow) with `reply`, the others properly."""

    def wrapper(portal: Portal) -> Portal:
        numbers = count(1)

        def faulty(request: Request) -> Reply:
            number = next(numbers)
            wrong = number >= first and (last is None or number <= last)
            return reply(request, portal) if wrong else portal(request)

        return faulty

    return wrapper


def instead(reply: Reply, first: int = 1, last: int | None = None) -> Wrapper:
    """Give this answer in place of the right one."""
    return nth(lambda request, portal: reply, first, last)


def altered(change: Callable[[Reply], Reply], first: int = 1, last: int | None = None) -> Wrapper:
    """Spoil the right answer."""
    return nth(lambda request, portal: change(portal(request)), first, last)


def asked(change: Callable[[Request], Request], first: int = 1) -> Wrapper:
    """Answer another question than the one asked."""
    return nth(lambda request, portal: portal(change(request)), first)


def throttled(retry_after: str) -> Reply:
    return json_reply({"error": "Too many requests"}, 429, {"Retry-After": retry_after})


def truncated(reply: Reply) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) * 6 // 10])


def dripping(reply: Reply) -> Reply:
    return replace(reply, drip=DRIP_SECONDS)


def edited(reply: Reply, change: Change) -> Reply:
    """A JSON answer with its envelope changed; CKAN's is one level down, under `result`."""
    try:
        value = reply.json()
    except orjson.JSONDecodeError:
        return reply
    if isinstance(value, dict) and isinstance(value.get("result"), dict):
        return replace(reply, body=orjson.dumps(value | {"result": change(value["result"])}))
    return replace(reply, body=orjson.dumps(change(value)))


def with_values(envelope: Any, values: Mapping[str, Any]) -> Any:
    """The envelope with these values in the places it has."""
    if not isinstance(envelope, dict):
        return envelope
    return {name: values.get(name, value) for name, value in envelope.items()}


def emptied(reply: Reply) -> Reply:
    """A valid catalogue with nothing in it, as ArcGIS Hub feeds show now and then."""
    if "json" in reply.content_type and b"@id" not in reply.body:
        nothing: dict[str, Any] = {**dict.fromkeys(TOTALS, 0), **{name: [] for name in LISTS}, "next_page": None}
        return edited(reply, lambda envelope: [] if isinstance(envelope, list) else with_values(envelope, nothing))
    kind = re.search("xml|json", reply.content_type)
    return replace(reply, body=EMPTY_FEEDS[kind[0]] if kind else EMPTY_TRIPLES)


def lied(reply: Reply) -> Reply:
    """A JSON answer that claims more than there is; a feed lies through `dcat_portal(total=…)`."""

    def more(envelope: Any) -> Any:
        held = envelope if isinstance(envelope, dict) else {}
        return with_values(envelope, {name: held[name] + LIE for name in TOTALS if name in held})

    return edited(reply, more)


def spoiled(reply: Reply) -> Reply:
    """The first record of a JSON answer keeps its identifiers and has the wrong type everywhere else."""

    def spoil(envelope: Any) -> Any:
        held = envelope if isinstance(envelope, dict) else {}
        lists = {name: held[name] for name in LISTS if isinstance(held.get(name), list) and held[name]}
        return with_values(envelope, {name: [wrong_types(some[0]), *some[1:]] for name, some in lists.items()})

    return edited(reply, spoil)


def wrong_types(record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    swapped: dict[type, Any] = {str: ["x"], list: "x", dict: "x", bool: {"x": 1}, int: "x", type(None): {"x": []}}
    kept = ("id", "name", "slug", "dataset_id", "datasetid")
    return {name: value if name in kept else swapped.get(type(value)) for name, value in record.items()}


def same_page(request: Request) -> Request:
    return request.without(PLACES)


def shifted(by: int) -> Callable[[Request, Portal], Reply]:
    """The page as it is after a dataset was removed before it (by 1) or inserted before it (by -1)."""

    def answer(request: Request, portal: Portal) -> Reply:
        for name in OFFSETS:
            if int(request.get(name) or 0) > 0:
                return recounted(portal(request.asking(**{name: int(request.get(name)) + by})), by)
        later = int(request.get("page") or 1) > 1
        return recounted(between_pages(request, portal, by) if later else portal(request), by)

    return answer


def recounted(reply: Reply, fewer: int) -> Reply:
    """The total follows the change: this is what makes a skipped dataset invisible to a count."""

    def recount(envelope: Any) -> Any:
        held = envelope if isinstance(envelope, dict) else {}
        return with_values(envelope, {name: held[name] - fewer for name in TOTALS if name in held})

    return edited(reply, recount)


def between_pages(request: Request, portal: Portal, by: int) -> Reply:
    """A page that starts in the middle of another: made of the two pages it lies across."""
    page, size = int(request.get("page")), int(request.get("page_size") or PAGE_SIZE)
    here, there = portal(request), portal(request.asking(page=page + by))
    if here.status != 200:
        return here
    beside = there.json().get("data", []) if there.status == 200 else []
    own = here.json()["data"]
    joined = (own + beside)[1 : size + 1] if by > 0 else [*beside[-1:], *own][:size]
    return edited(here, lambda envelope: envelope | {"data": joined})


SUCCESS_FALSE = {"success": False, "error": {"__type": "Internal Server Error", "message": "Erreur interne"}}
MAINTENANCE = html_reply("Site en maintenance", 200)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave, ready to wrap a portal."""

    name: str
    description: str
    wrap: Wrapper


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("500-once", "The second request fails once with a 500.", instead(html_reply("500", 500), 2, 2)),
        Fault("500-always", "Every request from the second on fails.", instead(html_reply("500", 500), 2)),
        Fault("503-first", "The first request meets a portal that restarts.", instead(html_reply("503", 503), 1, 1)),
        Fault("429-seconds", "The second request is throttled for a second.", instead(throttled("1"), 2, 2)),
        Fault(
            "429-date",
            "The second request is throttled until a date, which is past.",
            instead(throttled("Wed, 21 Oct 2015 07:28:00 GMT"), 2, 2),
        ),
        Fault("403-wall", "A firewall refuses the harvester from the start.", instead(html_reply("403", 403))),
        Fault("hang-up", "The second connection is closed without an answer.", instead(Reply(HANG_UP), 2, 2)),
        Fault("html-once", "The second answer is a web page with status 200.", instead(MAINTENANCE, 2, 2)),
        Fault("html-always", "Every answer from the second on is a web page.", instead(MAINTENANCE, 2)),
        Fault("truncated", "Every answer from the second on is cut at 60 %.", altered(truncated, 2)),
        Fault("empty", "A valid catalogue with no dataset in it, status 200.", altered(emptied)),
        Fault("empties-later", "The catalogue is empty from the second request on.", altered(emptied, 2)),
        Fault("success-false", "CKAN's failure envelope with status 200.", instead(json_reply(SUCCESS_FALSE), 2)),
        Fault("lying-total", "The advertised total is 1000 too high (JSON).", altered(lied)),
        Fault("page-loop", "The portal ignores where the page should start.", asked(same_page)),
        Fault("inserted", "A dataset appears before the second page (JSON).", nth(shifted(-1), 2)),
        Fault("removed", "A dataset vanishes before the second page (JSON).", nth(shifted(1), 2)),
        Fault("wrong-types", "One record a page has wrong types everywhere (JSON).", altered(spoiled)),
        Fault(
            "private-redirect",
            "The second request is sent to an address inside the network.",
            instead(Reply(302, headers={"Location": PRIVATE_ADDRESS}), 2),
        ),
        Fault("slow", "The answers arrive a kilobyte a second.", altered(dripping)),
    )
}


def misbehaving(portal: Portal, name: str) -> Portal:
    """The portal with the fault of this name; a fresh count of requests each time."""
    return FAULTS[name].wrap(portal)


def becomes(later: Portal, after: int) -> Wrapper:
    """Another portal takes over after so many requests: the catalogue changed in the middle of a walk."""
    return nth(lambda request, portal: later(request), after + 1)
