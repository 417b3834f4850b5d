"""Portals that live: datasets come, change, go and come back, and some portals misbehave for a while.

All of it follows from a seed, so that the process that serves them and the one that judges agree on what was true when.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from random import Random
from typing import Any, NamedTuple

from bench.portals import KINDS, PATHS, datasets
from harvester.samples import CKAN_ROOT, Sample
from harvester.samples.faults import faulty, of_kind
from harvester.samples.misbehaviour import asked, capped
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.dcat import dcat_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Reply, Request, html_reply, json_reply, serve

# More datasets of one portal than this share numbers with those of the next.
MOST = 1000
FEED_PAGE = 15
# Seconds of the machine that every answer takes: without it no two requests would ever meet.
LATENCY = 0.01
FIGURES = "/figures"
# A portal shares its address with its neighbour when its number is a multiple of this.
NEIGHBOURS = 10
_MARK = re.compile(r"p(\d+)d(\d+)v(\d+)$")
_TITLES = re.compile(r'(?<=dct:title )(?:"[^"]*"@\w+[\s,]*)+')
_MODIFIED = re.compile(r'dct:modified "[^"]*"')
_LONG_AGO = datetime(2024, 5, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time that runs `scale` times as fast as the machine's; `origin` is when it begins, in the machine's time."""

    origin: float
    scale: float

    def seconds(self) -> float:
        """Seconds since the beginning."""
        return (time.time() - self.origin) * self.scale

    def at(self, seconds: float) -> datetime:
        """The instant so many seconds after the beginning."""
        return datetime.fromtimestamp(self.origin, UTC) + timedelta(seconds=seconds)

    def now(self) -> datetime:
        """The present instant."""
        return self.at(self.seconds())

    def sleep(self, seconds: float) -> None:
        """Sleep so many seconds of this clock."""
        time.sleep(max(seconds, 0.0) / self.scale)


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a soak is: `minutes` of the compressed clock, `datasets` a portal, `faulty` is a share."""

    sources: int = 200
    minutes: float = 30.0
    faulty: float = 0.2
    scale: float = 5.0
    seed: int = 1
    datasets: int = 40

    @property
    def seconds(self) -> float:
        return self.minutes * 60


class Change(NamedTuple):
    """From this second on a dataset has this version; 0: it is gone."""

    at: float
    dataset: int
    version: int


class Spell(NamedTuple):
    """A time in which a portal misbehaves."""

    begins: float
    ends: float
    fault: str


@dataclass(frozen=True, slots=True)
class Life:
    """What becomes of one portal; its datasets are numbers, each with a version."""

    number: int
    kind: str
    datasets: int
    changes: tuple[Change, ...]
    spells: tuple[Spell, ...]

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.number:03d}"

    def stage(self, at: float) -> int:
        """How many changes there have been."""
        return sum(change.at <= at for change in self.changes)

    def held(self, stage: int) -> dict[int, Change]:
        """The datasets that are there, each with its last change."""
        found = {number: Change(-1.0, number, 1) for number in range(self.datasets)}
        found |= {change.dataset: change for change in self.changes[:stage]}
        return {number: change for number, change in found.items() if change.version}

    def marks(self, at: float) -> set[tuple[int, int]]:
        """The datasets that are there at a moment, each with its version."""
        return {(number, change.version) for number, change in self.held(self.stage(at)).items()}

    def away(self, dataset: int, begins: float, ends: float) -> bool:
        """Whether a dataset was not there at some moment of that time."""
        moments = (begins, *(change.at for change in self.changes if begins < change.at <= ends))
        return any(dataset not in self.held(self.stage(moment)) for moment in moments)

    def fault(self, at: float) -> str:
        """The fault at a moment; empty when all is well."""
        return next((spell.fault for spell in self.spells if spell.begins <= at < spell.ends), "")

    def faults(self, begins: float = -inf, ends: float = inf) -> set[str]:
        """The faults of some time."""
        return {spell.fault for spell in self.spells if spell.begins <= ends and begins < spell.ends}


def lives(plan: Plan) -> list[Life]:
    """The life of every portal."""
    sick = set(Random(plan.seed).sample(range(plan.sources), round(plan.sources * plan.faulty)))
    return [_life(plan, number, number in sick) for number in range(plan.sources)]


def _life(plan: Plan, number: int, sick: bool) -> Life:
    rng = Random(f"{plan.seed} {number}")
    kind = KINDS[(number + number // len(KINDS)) % len(KINDS)]
    return Life(number, kind, plan.datasets, tuple(_changes(plan, rng)), _spells(plan, kind, rng) if sick else ())


def _changes(plan: Plan, rng: Random) -> Iterator[Change]:
    """Half of them edits; what is gone may come back.  The last tenth of the time is quiet."""
    versions, gone, fresh = dict.fromkeys(range(plan.datasets), 1), [], plan.datasets
    for at in sorted(rng.uniform(0.02, 0.9) * plan.seconds for _ in range(max(3, round(plan.minutes * 0.4)))):
        what = rng.choice(("edit", "edit", "edit", "add", "remove", "remove", "return"))
        if what == "remove":
            number = rng.choice(sorted(versions))
            gone.append((number, versions.pop(number)))
            yield Change(at, number, 0)
            continue
        if what == "add":
            number, version = fresh, 0
            fresh += 1
        elif what == "return" and gone:
            number, version = gone.pop()
        else:
            number = rng.choice(sorted(versions))
            version = versions[number]
        versions[number] = version + 1
        yield Change(at, number, version + 1)


def _spells(plan: Plan, kind: str, rng: Random) -> tuple[Spell, ...]:
    """For ever, for a while, from the start, or two faults in turn; what ends leaves time to recover."""
    names = [fault.name for fault in of_kind(kind)]
    shapes = (((0.0, inf),), ((0.2, 0.5),), ((0.0, 0.4),), ((0.15, 0.3), (0.4, 0.55)))
    return tuple(
        Spell(begins * plan.seconds, ends * plan.seconds, rng.choice(names)) for begins, ends in rng.choice(shapes)
    )


def mark_of(title: str | None) -> tuple[int, int, int] | None:
    """Portal, dataset and version, as each title ends with them; None when it does not."""
    found = _MARK.search(title or "")
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


@dataclass(slots=True)
class Living:
    """One portal as it is at the moment of each request."""

    life: Life
    clock: Clock
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _standing: tuple[int, str] | None = None
    _portal: Portal | None = None

    def __call__(self, request: Request) -> Reply:
        at = self.clock.seconds()
        with self._lock:
            now = (self.life.stage(at), self.life.fault(at))
            if self._portal is None or self._standing != now:
                self._portal, self._standing = self._made(*now), now
            portal = self._portal
        reply = portal(request)
        return replace(reply, drip=reply.drip / self.clock.scale) if reply.drip else reply

    def _made(self, stage: int, fault: str) -> Portal:
        life = self.life
        sample = Sample(
            name=life.name,
            title=life.name,
            connector=life.kind,
            public_url=f"https://{life.name}.example",
            port=0,
            path=PATHS[life.kind],
            count=0,
            rows=partial(self._rows, stage),
            serve=partial(_serve, life.kind, life.number % 2 == 1),
        )
        return faulty(sample, fault) if fault else sample.portal()

    def _rows(self, stage: int) -> list[Any]:
        life = self.life
        held = sorted(life.held(stage).values(), key=lambda change: change.dataset)
        rows = datasets(life.kind, (life.number * MOST + change.dataset for change in held))
        return [self._written(row, change) for row, change in zip(rows, held, strict=True)]

    def _written(self, row: Any, change: Change) -> Any:
        mark = f" p{self.life.number}d{change.dataset}v{change.version}"
        dated = self.clock.at(change.at) if change.at > 0 else _LONG_AGO
        return _WRITERS[self.life.kind](row, mark, dated, change.dataset >= self.life.datasets)


def _ckan(row: dict[str, Any], mark: str, dated: datetime, fresh: bool) -> dict[str, Any]:
    stamp, title = dated.strftime("%Y-%m-%dT%H:%M:%S.%f"), row["title"]
    kept = {name: value for name, value in row.items() if name != "title_translated"}
    text = title if isinstance(title, str) else title["fr"]
    return kept | {"title": text + mark, "metadata_modified": stamp}


def _udata(row: dict[str, Any], mark: str, dated: datetime, fresh: bool) -> dict[str, Any]:
    stamp = dated.isoformat(timespec="milliseconds")
    stamps = {"last_update": stamp, "last_modified": stamp} | ({"created_at": stamp} if fresh else {})
    return row | stamps | {"title": row["title"] + mark}


def _opendatasoft(row: dict[str, Any], mark: str, dated: datetime, fresh: bool) -> dict[str, Any]:
    stamp = dated.isoformat(timespec="milliseconds")
    default = row["metas"]["default"]
    default = default | {"title": default["title"] + mark, "modified": stamp, "metadata_processed": stamp}
    return row | {"metas": row["metas"] | {"default": default}}


def _dcat(block: str, mark: str, dated: datetime, fresh: bool) -> str:
    marked = _TITLES.sub(lambda titles: titles[0].replace('"@', f'{mark}"@'), block, count=1)
    return _MODIFIED.sub(f'dct:modified "{dated:%Y-%m-%dT%H:%M:%SZ}"', marked, count=1)


_WRITERS: dict[str, Callable[[Any, str, datetime, bool], Any]] = {
    "ckan": _ckan,
    "udata": _udata,
    "opendatasoft": _opendatasoft,
    "dcat": _dcat,
}
_SERVING: dict[str, Callable[[list[Any]], Portal]] = {
    "ckan": partial(ckan_portal, title="soak", root=CKAN_ROOT),
    "udata": partial(udata_portal, title="soak"),
    "opendatasoft": partial(opendatasoft_portal, title="soak"),
    "dcat": partial(dcat_portal, title="soak", page_size=FEED_PAGE),
}


def _serve(kind: str, small: bool, rows: list[Any]) -> Portal:
    """Half of the portals give 20 datasets a page at most, whatever they are asked."""
    portal = _SERVING[kind](rows)
    return asked(capped)(portal) if small else portal


def places(plan: Plan, ports: tuple[int, int]) -> dict[str, Life]:
    """host:port -> portal.  Most have an address of their own; a few share one with their neighbour."""
    found = {}
    for life in lives(plan):
        shared = life.number % NEIGHBOURS == 0 and life.number > 0
        at = life.number - 1 if shared else life.number
        found[f"127.1.{at // 250}.{at % 250 + 1}:{ports[shared]}"] = life
    return found


class Town:
    """All portals behind two ports; counts the requests of each address, and how many met there at most."""

    def __init__(self) -> None:
        self.portals: dict[str, Living] = {}
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._most: dict[str, int] = {}

    def __call__(self, request: Request) -> Reply:
        if request.path == FIGURES:
            most = max(self._most.values(), default=0)
            return json_reply({"requests": self._asked.total(), "most": most, "hosts": len(self._asked)})
        place = request.headers.get("host", "")
        portal = self.portals.get(place)
        if portal is None or request.path == "/robots.txt":
            return html_reply("404")
        with self._counted(place.partition(":")[0]):
            time.sleep(LATENCY)
            return portal(request)

    @contextmanager
    def _counted(self, address: str) -> Iterator[None]:
        with self._lock:
            self._asked[address] += 1
            self._busy[address] += 1
            self._most[address] = max(self._most.get(address, 0), self._busy[address])
        try:
            yield
        finally:
            with self._lock:
                self._busy[address] -= 1


def open_town(plan: Plan, clock: Clock) -> None:
    """Serve all portals until the standard input ends; the two ports are written to the standard output."""
    town = Town()
    with serve(town, address="0.0.0.0") as first, serve(town, address="0.0.0.0") as second:
        town.portals = {place: Living(life, clock) for place, life in places(plan, (first.port, second.port)).items()}
        sys.stdout.write(f"{first.port} {second.port}\n")
        sys.stdout.flush()
        sys.stdin.read()
