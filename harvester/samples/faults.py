"""Portals that misbehave: the table of faults, each after something real portals were seen doing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from harvester.samples import Sample
from harvester.samples import misbehaviour as doing
from harvester.samples.misbehaviour import PRIVATE_ADDRESS, Wrapper, altered, asked, becomes, instead, nth
from harvester.samples.serving import HANG_UP, Portal, Reply, html_reply, json_reply

__all__ = ["FAULTS", "KINDS", "Fault", "becomes", "faulty", "misbehaving", "of_kind"]

KINDS = ("ckan", "udata", "opendatasoft", "dcat")
JSON_KINDS = ("ckan", "udata", "opendatasoft")

SUCCESS_FALSE = {"success": False, "error": {"__type": "Internal Server Error", "message": "Erreur interne"}}
MAINTENANCE = html_reply("Site en maintenance", 200)
PAST = "Wed, 21 Oct 2015 07:28:00 GMT"
IDENTIFYING = {"ckan": ("id", "name"), "udata": ("id", "slug"), "opendatasoft": ("dataset_id",)}
_DESCRIBED = re.compile(r"<([^<>\s]+)>\s+a\s+dcat:Dataset")
_FEW = 5

Rows = list[Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave, in one sentence, for the kinds of portals that can.

    `wrap` spoils the answers of any portal; `hold` makes the portal of a sample that holds other datasets.
    """

    name: str
    description: str
    wrap: Wrapper | None = None
    kinds: tuple[str, ...] = KINDS
    hold: Callable[[Sample], Portal] | None = None


def misbehaving(portal: Portal, name: str) -> Portal:
    """The portal with the fault of this name; a fresh count of requests each time.

    Raises ValueError for a fault that needs to know the datasets: `faulty` makes those.
    """
    wrap = FAULTS[name].wrap
    if wrap is None:
        raise ValueError(f"{name} is a fault of the datasets themselves")
    return wrap(portal)


def faulty(sample: Sample, name: str) -> Portal:
    """The portal of a sample with the fault of this name."""
    fault = FAULTS[name]
    return fault.hold(sample) if fault.hold is not None else misbehaving(sample.portal(), name)


def of_kind(connector: str) -> list[Fault]:
    """The faults that portals of a connector can have."""
    return [fault for fault in FAULTS.values() if connector in fault.kinds]


def renamed(sample: Sample, row: Any) -> Any:
    """A dataset under another identifier, otherwise as it was."""
    if isinstance(row, str):
        return _DESCRIBED.sub(lambda found: f"<{found[1]}-v2> a dcat:Dataset", row)
    return row | {name: f"{row[name]}-v2" for name in IDENTIFYING[sample.connector] if name in row}


def identity(sample: Sample, row: Any) -> str:
    """The text by which the pages that hold a dataset are known."""
    if isinstance(row, str):
        found = _DESCRIBED.search(row)
        return f"<{found[1]}>" if found else row
    return json.dumps(str(row[IDENTIFYING[sample.connector][0]]))


def _half(rows: Rows) -> Rows:
    return rows[: len(rows) // 2]


def _holding(change: Callable[[Rows], Rows], sample: Sample) -> Portal:
    return sample.serve(change(sample.rows()))


def _turning(before: Callable[[Rows], Rows], after: Callable[[Rows], Rows], at: int, sample: Sample) -> Portal:
    """Other datasets from one request on, in the middle of the walk."""
    rows = sample.rows()
    return becomes(sample.serve(after(rows)), at)(sample.serve(before(rows)))


def _renaming(sample: Sample) -> Portal:
    return sample.serve([renamed(sample, row) for row in sample.rows()])


def _breaking(sample: Sample) -> Portal:
    rows = sample.rows()
    return doing.holding(identity(sample, rows[len(rows) // 2]))(sample.serve(rows))


def _same(rows: Rows) -> Rows:
    return rows


def _without_first(rows: Rows) -> Rows:
    return rows[_FEW:]


def _answers() -> tuple[Fault, ...]:
    """Statuses, connections and bodies."""
    return (
        Fault("500-once", "The second request fails once with a 500.", instead(html_reply("500", 500), 2, 2)),
        Fault("500-always", "Every request from the second on fails.", instead(html_reply("500", 500), 2)),
        Fault("503-first", "The first request meets a portal that restarts.", instead(html_reply("503", 503), 1, 1)),
        Fault("404-later", "The addresses are gone from the second request on.", instead(html_reply("404"), 2)),
        Fault("429-seconds", "The second request is throttled for a second.", instead(doing.throttled("1"), 2, 2)),
        Fault("429-date", "The second is throttled until a date, which is past.", instead(doing.throttled(PAST), 2, 2)),
        Fault("429-future", "The second is throttled until a date to come.", nth(doing.throttled_until, 2, 2)),
        Fault(
            "429-reset-time",
            "The quota is spent at the second request, and the body says until when.",
            nth(doing.out_of_quota, 2, 2),
            ("opendatasoft",),
        ),
        Fault("403-wall", "A firewall refuses the harvester from the start.", instead(html_reply("403", 403))),
        Fault("403-burst", "A firewall wakes up at the second request.", instead(html_reply("403", 403), 2)),
        Fault("hang-up", "The second connection is closed without an answer.", instead(Reply(HANG_UP), 2, 2)),
        Fault("reset-once", "The second answer breaks off in its middle.", altered(doing.breaking, 2, 2)),
        Fault("reset-always", "Every answer from the second on breaks off.", altered(doing.breaking, 2)),
        Fault("html-once", "The second answer is a web page with status 200.", instead(MAINTENANCE, 2, 2)),
        Fault("html-always", "Every answer from the second on is a web page.", instead(MAINTENANCE, 2)),
        Fault("truncated", "Every answer from the second on is cut at 60 %.", altered(doing.truncated, 2)),
        Fault("slow", "The answers arrive a kilobyte a second.", altered(doing.dripping)),
        Fault("wrong-charset", "Latin-1 is declared as UTF-8.", altered(doing.as_latin)),
        Fault("wrong-header", "UTF-8 is declared as Latin-1.", altered(doing.declared_latin)),
        Fault("control-characters", "Every title begins with control characters.", altered(doing.with_controls)),
        Fault(
            "private-redirect",
            "The second request is sent to an address inside the network.",
            instead(Reply(302, headers={"Location": PRIVATE_ADDRESS}), 2),
        ),
        Fault("redirect-loop", "The second address leads to itself.", nth(doing.going_round, 2)),
        Fault("304-for-ever", "The portal says that nothing changes, whatever does.", nth(doing.never_changing)),
    )


def _lists() -> tuple[Fault, ...]:
    """Totals, paging and filters."""
    return (
        Fault("empty", "A valid catalogue with no dataset in it, status 200.", altered(doing.emptied)),
        Fault("empties-later", "The catalogue is empty from the second request on.", altered(doing.emptied, 2)),
        Fault("success-false", "CKAN's failure envelope with status 200.", instead(json_reply(SUCCESS_FALSE), 2)),
        Fault("lying-total", "The total is 1000 too high (JSON).", altered(doing.lied), JSON_KINDS),
        Fault("high-total", "The total is twice what there is.", altered(partial(doing.uncounted, change=doing.twice))),
        Fault("low-total", "The total is half of what there is.", altered(partial(doing.uncounted, change=doing.half))),
        Fault("zero-total", "The total is 0, whatever there is.", altered(partial(doing.uncounted, change=doing.none))),
        Fault("page-loop", "The portal ignores where the page should start.", asked(doing.same_page)),
        Fault("link-loop", "The second page links back to the first.", nth(doing.linking(2, "1")), ("dcat",)),
        Fault("self-link", "The second page links to itself as the next.", nth(doing.linking(2, "2")), ("dcat",)),
        Fault(
            "private-link",
            "The second page links to an address inside the network.",
            nth(doing.linking(2, PRIVATE_ADDRESS)),
            ("dcat",),
        ),
        Fault("capped-pages", "Pages hold 20 datasets at most, and say nothing of it.", asked(doing.capped)),
        Fault("chokes", "Pages of more than 20 datasets end in a 504.", nth(doing.choking), JSON_KINDS),
        Fault("ignored-filter", "Filters are ignored: everything comes.", asked(doing.unfiltered), JSON_KINDS),
        Fault(
            "empty-filter",
            "A filter on dates finds nothing, whatever there is.",
            nth(doing.finding_nothing),
            ("ckan", "opendatasoft"),
        ),
    )


def _datasets() -> tuple[Fault, ...]:
    """The datasets themselves, and those that come and go."""
    return (
        Fault("inserted", "A dataset appears before the second page.", nth(doing.shifted(-1), 2), JSON_KINDS),
        Fault("removed", "A dataset vanishes before the second page.", nth(doing.shifted(1), 2), JSON_KINDS),
        Fault("wrong-types", "One record a page has wrong types everywhere.", altered(doing.spoiled), JSON_KINDS),
        Fault("half", "Half of the catalogue is missing, and not counted.", hold=partial(_holding, _half)),
        Fault("renamed", "All identifiers have changed.", hold=_renaming),
        Fault("breaking-record", "One record breaks every page that it is on.", hold=_breaking),
        Fault("gone-midway", "Datasets go in mid-walk.", hold=partial(_turning, _same, _without_first, 2)),
        Fault("added-midway", "Datasets come in mid-walk.", hold=partial(_turning, _without_first, _same, 2)),
        Fault("halved-midway", "Half of the catalogue goes in mid-walk.", hold=partial(_turning, _same, _half, 2)),
    )


FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*_answers(), *_lists(), *_datasets())}
