"""Ways to misbehave: wrappers from portal to portal, of which the table of faults is made."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from itertools import count
from typing import Any

import orjson

from harvester.samples.serving import Portal, Reply, Request, html_reply, json_reply

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
SHORT_WAIT = 3.0
CAP = 20
SIZES = ("rows", "limit", "page_size")
FILTERS = ("fq", "where", "refine", "tag")
TITLES = re.compile(rb'("title"\s*:\s*"|dct:title ")')
FEED_TOTALS = re.compile(rb'(totalItems>?"?[\s:\[{"@value]{1,40}?)(\d+)')

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


def becomes(later: Portal, after: int) -> Wrapper:
    """Another portal takes over after so many requests: the catalogue changed in the middle of a walk."""
    return nth(lambda request, portal: later(request), after + 1)


def breaking(reply: Reply) -> Reply:
    """The connection ends in the middle of the body."""
    return replace(reply, breaks=True)


def throttled_until(request: Request, portal: Portal) -> Reply:
    """Retry-After as a date that is still to come."""
    return throttled(formatdate(time.time() + SHORT_WAIT, usegmt=True))


def out_of_quota(request: Request, portal: Portal) -> Reply:
    """Opendatasoft's own way to say when to come back."""
    moment = datetime.now(UTC) + timedelta(seconds=SHORT_WAIT)
    said = {"errorcode": 10002, "reset_time": moment.isoformat(), "call_limit": 5000, "limit_time_unit": "day"}
    return json_reply(said | {"error": "Too many requests on the domain."}, 429)


def as_latin(reply: Reply) -> Reply:
    """Latin-1 that is declared as UTF-8."""
    body = reply.body.decode("utf-8", "replace").encode("latin-1", "xmlcharrefreplace")
    return replace(reply, body=body, content_type=f"{reply.content_type.partition(';')[0]}; charset=utf-8")


def declared_latin(reply: Reply) -> Reply:
    """UTF-8 that is declared as Latin-1."""
    return replace(reply, content_type=f"{reply.content_type.partition(';')[0]}; charset=iso-8859-1")


def with_controls(reply: Reply) -> Reply:
    """Control characters in every title, escaped as JSON and Turtle want them."""
    return replace(reply, body=TITLES.sub(rb"\1\\u0007\\u001F", reply.body))


def never_changing(request: Request, portal: Portal) -> Reply:
    """One ETag for whatever there is, and 304 to whoever shows it."""
    tag = {"ETag": '"for-ever"'}
    if request.headers.get("if-none-match"):
        return Reply(304, headers=tag)
    reply = portal(request)
    return replace(reply, headers={**reply.headers, **tag})


def linking(page: int, to: str) -> Callable[[Request, Portal], Reply]:
    """The links of one page that lead to the next one lead elsewhere: to another page, or another address."""

    def answer(request: Request, portal: Portal) -> Reply:
        reply = portal(request)
        if int(request.get("page") or 1) != page:
            return reply
        there = f"{request.origin}{request.path}?page={to}" if to.isdecimal() else to
        link = re.compile(rb'[^<>"\s]+\?[^<>"\s]*page=%d\b[^<>"\s]*' % (page + 1))
        return replace(reply, body=link.sub(there.encode(), reply.body))

    return answer


def uncounted(reply: Reply, change: Callable[[int], int]) -> Reply:
    """A total, of an envelope or of a feed, changed into another one."""

    def recount(envelope: Any) -> Any:
        held = envelope if isinstance(envelope, dict) else {}
        return with_values(envelope, {name: change(held[name]) for name in TOTALS if isinstance(held.get(name), int)})

    body = FEED_TOTALS.sub(lambda found: found[1] + str(change(int(found[2]))).encode(), reply.body)
    return edited(replace(reply, body=body), recount)


def unfiltered(request: Request) -> Request:
    """The question without any filter, in the order in which datasets were made."""
    asked = request.without(FILTERS)
    return asked.asking(sort="created") if request.get("sort") == "-last_update" else asked


def finding_nothing(request: Request, portal: Portal) -> Reply:
    """Nothing changed since any date, whatever there is."""
    dated = any(name in request.get("fq") + request.get("where") for name in ("metadata_modified:[", "modified >="))
    return emptied(portal(request)) if dated else portal(request)


def capped(request: Request) -> Request:
    """The question with a smaller page than was asked for."""
    sizes = {name: min(int(request.get(name)), CAP) for name in SIZES if (request.get(name) or "x").isdecimal()}
    return request.asking(**sizes)


def choking(request: Request, portal: Portal) -> Reply:
    """Only small pages come."""
    large = any(int(request.get(name)) > CAP for name in SIZES if (request.get(name) or "x").isdecimal())
    return html_reply("504 Gateway Time-out", 504) if large else portal(request)


def holding(needle: str) -> Wrapper:
    """Every page that holds this text fails."""
    spoilt = needle.encode()

    def answer(request: Request, portal: Portal) -> Reply:
        reply = portal(request)
        return html_reply("500", 500) if spoilt in reply.body else reply

    return nth(answer)


def going_round(request: Request, portal: Portal) -> Reply:
    """A redirect to the very same address."""
    return Reply(302, headers={"Location": request.url()})


def twice(total: int) -> int:
    return 2 * total


def half(total: int) -> int:
    return total // 2


def none(total: int) -> int:
    return 0
