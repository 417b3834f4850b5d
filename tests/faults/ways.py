"""Ways in which a portal of these tests misbehaves: each makes, of the datasets there are, a portal with one fault."""

from __future__ import annotations

import random
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import orjson

from harvester.samples import misbehaviour as doing
from harvester.samples.faults import FAULTS
from harvester.samples.misbehaviour import Wrapper, altered, becomes, instead, nth
from harvester.samples.serving import Portal, Reply, Request, html_reply
from tests.faults.worlds import ORIGIN, Entry, Kind

Fault = Callable[[Kind, list[Entry]], Portal]
Edit = Callable[[Any], Any]

# The dataset that is spoilt where a fault spoils one.
SPOILT = 5
FOREVER = 700.0
# After so many requests a part of the list has been read.
_MIDDLE = {"ckan": 3, "udata": 1, "opendatasoft": 3, "dcat": 2}
_PLACES = {"ckan": ("start", "rows"), "udata": ("page", "page_size")}
_LISTED = {"ckan": "/package_search", "udata": "/datasets/"}


def wrapped(wrap: Wrapper) -> Fault:
    """The portal, with its answers spoilt."""
    return lambda kind, entries: wrap(kind.portal(entries))


def known(name: str) -> Fault:
    """A fault of the table that the demo shares."""
    wrap = FAULTS[name].wrap
    assert wrap is not None, name
    return wrapped(wrap)


def changed(change: Callable[[list[Entry]], list[Entry]]) -> Fault:
    """A portal that behaves, and holds other datasets."""
    return lambda kind, entries: kind.portal(change(entries))


def turning(before: Callable[[list[Entry]], list[Entry]], after: Callable[[list[Entry]], list[Entry]]) -> Fault:
    """Other datasets from the middle of the walk on."""
    return lambda kind, entries: becomes(kind.portal(after(entries)), _MIDDLE[kind.name])(kind.portal(before(entries)))


def spoiling(edits: Mapping[str, Edit]) -> Fault:
    """One dataset is written otherwise; the edit of each kind of portal."""

    def fault(kind: Kind, entries: list[Entry]) -> Portal:
        rows = [kind.write(one) for one in entries]
        return kind.serve([edits[kind.name](row) if _is_spoilt(kind, row) else row for row in rows])

    return fault


def shown(edits: Mapping[str, Edit], *, every: bool = False) -> Fault:
    """One dataset, or every one, is edited in the lists: a portal that shows what it has withdrawn."""

    def fault(kind: Kind, entries: list[Entry]) -> Portal:
        edit = edits[kind.name]

        def edited(envelope: Any) -> Any:
            held = envelope if isinstance(envelope, dict) else {}
            lists = {name: held[name] for name in doing.LISTS if isinstance(held.get(name), list)}
            spoilt = {n: [edit(row) if every or _is_spoilt(kind, row) else row for row in lists[n]] for n in lists}
            return doing.with_values(envelope, spoilt)

        return altered(lambda reply: doing.edited(reply, edited))(kind.portal(entries))

    return fault


def _is_spoilt(kind: Kind, row: Any) -> bool:
    return kind.guid(row) == kind.guid_of(SPOILT)


def entrywise(change: Callable[[Entry], Entry]) -> Fault:
    """All datasets are changed alike."""
    return changed(lambda entries: [change(one) for one in entries])


def one(change: Callable[[Entry], Entry]) -> Fault:
    """One dataset is changed."""
    return entrywise(lambda entry: change(entry) if entry.number == SPOILT else entry)


def at_once(reply: Reply) -> Fault:
    """Every request is answered with this."""
    return wrapped(instead(reply))


def same(entries: list[Entry]) -> list[Entry]:
    return entries


def half(entries: list[Entry]) -> list[Entry]:
    return entries[: len(entries) // 2]


def fewer(entries: list[Entry]) -> list[Entry]:
    """Without one of the first and one of the last."""
    return [*entries[:7], *entries[8:-6], *entries[-5:]]


def renamed(entry: Entry) -> Entry:
    return replace(entry, suffix="-v2")


def hidden(kind: Kind, entries: list[Entry]) -> Portal:
    """Every page that holds one dataset fails."""
    needle = kind.guid_of(SPOILT)
    text = f"<{needle}>" if kind.connector == "dcat" else orjson.dumps(needle).decode()
    return doing.holding(text)(kind.portal(entries))


def shuffled(kind: Kind, entries: list[Entry]) -> Portal:
    """A list that is in another order whenever it is asked for, as without any sort."""
    inner, luck = kind.portal(entries), random.Random(3)

    def portal(request: Request) -> Reply:
        place, size = _PLACES[kind.name]
        if not request.path.endswith(_LISTED[kind.name]) or int(request.get(size) or 0) < 2:
            return inner(request)
        whole = inner(request.asking(**{place: int(place == "page"), size: 1000}))
        start, number = int(request.get(place) or 0), int(request.get(size))
        first = (start - 1) * number if place == "page" else start

        def mixed(envelope: Any) -> Any:
            name = "results" if "results" in envelope else "data"
            rows = luck.sample(envelope[name], len(envelope[name]))
            more = first + number < len(rows)
            link = {"next_page": request.url(page=start + 1) if more else None} if "next_page" in envelope else {}
            asked = {"page": start, "page_size": number} if name == "data" else {}
            return envelope | {name: rows[first : first + number]} | link | asked

        return doing.edited(whole, mixed)

    return portal


def rotating(kind: Kind, entries: list[Entry]) -> Portal:
    """A feed whose order is another one with each request."""
    portals, turns = [kind.portal([*entries[n:], *entries[:n]]) for n in (0, 13, 24)], count()
    return lambda request: portals[next(turns) % len(portals)](request)


def refusing_large_pages(request: Request, portal: Portal) -> Reply:
    """Pages of more than 20 datasets are refused, as the portal's own limit is exceeded."""
    large = any(int(request.get(name)) > doing.CAP for name in doing.SIZES if (request.get(name) or "x").isdecimal())
    return html_reply("400 Result window is too large", 400) if large else portal(request)


def linked(change: Callable[[str], str]) -> Fault:
    """The links to other pages are written otherwise."""
    link = re.compile(rf"{re.escape(ORIGIN)}(/catalog\.ttl\?page=[^<>\"\s]*)".encode())

    def edit(reply: Reply) -> Reply:
        return replace(reply, body=link.sub(lambda found: change(found[1].decode()).encode(), reply.body))

    return wrapped(altered(edit))


def with_body(old: bytes, new: bytes, times: int = -1) -> Fault:
    """Some bytes of every answer are others."""
    return wrapped(altered(lambda reply: replace(reply, body=reply.body.replace(old, new, times))))


def cut(kind: Kind, entries: list[Entry]) -> Portal:
    """Every answer ends at 60 % of its bytes, and says that this was all."""
    return altered(doing.truncated)(kind.portal(entries))


def broken_off(kind: Kind, entries: list[Entry]) -> Portal:
    """Every connection ends in the middle of the answer."""
    return altered(doing.breaking)(kind.portal(entries))


def endless(kind: Kind, entries: list[Entry]) -> Portal:
    """Between two kilobytes minutes pass."""
    return altered(lambda reply: replace(reply, drip=FOREVER))(kind.portal(entries))


def failing_from(number: int) -> Fault:
    """Every request from one on fails."""
    return wrapped(instead(html_reply("500", 500), number))


def nothing_but(reply: Callable[[Request, Portal], Reply]) -> Fault:
    """Every request is answered so."""
    return wrapped(nth(reply))


def more_files(number: int) -> tuple[str, ...]:
    return tuple(f"https://files.example/{SPOILT}/{n}.csv" for n in range(number))


def words(number: int) -> Sequence[str]:
    return tuple(f"mot {n}" for n in range(number))


def wrong_types(row: Any) -> Any:
    """The record keeps its identifiers and has the wrong type everywhere else."""
    kept = {name: row[name] for name in ("identifier",) if name in row}
    return doing.wrong_types(row) | kept


def marked(kind: Kind, entries: list[Entry]) -> Portal:
    """Every answer begins with a byte order mark."""
    return altered(lambda reply: replace(reply, body=BOM_UTF8 + reply.body))(kind.portal(entries))
