"""Two hundred living portals, a fifth of them faulty, harvested on a schedule by the real service on a fast clock.

One process serves the portals (`bench.living`), one is the service: scheduler, workers, indexer.  The latter is killed
a few times; what must be true at the end is in `bench.verdicts`.  Needs Linux: each portal has a loopback address.

    python -m bench.soak [--sources 200] [--minutes 30] [--faulty 0.2] [--scale 5] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, event, select

from bench.living import FIGURES, Clock, Life, Plan, lives, open_town, places
from bench.portals import PATHS
from bench.verdicts import Report, Soaked, judged, stale
from harvester import garbage, sources
from harvester.catalogue import claims, queries
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.tables import LIVE, runs
from harvester.http import Http
from harvester.net.breaker import Breaker
from harvester.net.pace import Pace
from harvester.net.robots import Robots
from harvester.schedule import Scheduler
from harvester.services import Indexer, ending_with_signals, only_worker, running
from harvester.services import Service as Part
from harvester.settings import Settings
from harvester.worker import Means, Pool

# Everyone is due at the same minute; complete walks of those that can do less come more rarely.
SCHEDULE, FULL_SCHEDULE = "*/{} * * * *", "every {}m"
EVERY, FULL_EVERY = 5, 12
WORKERS, LEASE, TICK = 8, 60.0, 5.0
# Shares of the time at which the service is killed, and at which its memory is read.
KILLS = (0.06, 0.12)
MARKS = (0.2, 0.5, 1.0)
GROWTH = 1.3
# Kilobytes of the database that a connection keeps.
CACHE = 2048
# Seconds of the machine: before the clock begins, between two looks, and until a new process is at work.
LEAD, GLANCE, STARTING = 4.0, 0.25, 10.0
# Minutes of the compressed clock that the queue may take to empty, and that a host in distrust may take to be asked.
PATIENCE, DISTRUST = 60.0, 16.0


def settings_of(data: Path, clock: Clock) -> Settings:
    """The service as it is, but for the clock of its ticks, which is the machine's."""
    return Settings(
        data=data,
        database_url="",
        private_hosts=("127.0.0.0/8",),
        workers=WORKERS,
        lease_seconds=LEASE,
        tick_seconds=TICK / clock.scale,
    )


def serve_up(data: Path, clock: Clock) -> None:
    """What `harvester up` runs beside the API, on the fast clock, until it is told to end."""
    logging.basicConfig(level=logging.ERROR)
    settings = settings_of(data, clock)
    engine = open_engine(settings)
    event.listen(engine, "connect", _with_small_cache)
    garbage.seldom()
    pace, breaker = Pace(clock.seconds, clock.sleep), Breaker(clock.seconds)
    client = partial(
        Http, sleep=clock.sleep, now=clock.seconds, pace=pace, breaker=breaker, robots=Robots(clock.seconds)
    )
    pool = Pool(engine, settings, clock.now, Means(client, clock.seconds))
    parts: list[Part] = [pool, Scheduler(engine, settings, clock.now), Indexer(engine, settings)]
    with only_worker(engine), ending_with_signals() as stopping, running(parts):
        stopping.wait()


def _with_small_cache(connection: Any, _entry: object) -> None:
    """As much of the database as SQLite may keep would hide what the service itself does not let go."""
    connection.execute(f"PRAGMA cache_size=-{CACHE}")


@dataclass(slots=True)
class Service:
    """The process of the service; kept alive, and watched."""

    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)

    def start(self) -> None:
        self.process = subprocess.Popen([*self.arguments, "--role", "service"])

    def kill(self) -> None:
        """As a machine that fails: no chance to give anything back."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.kills += 1
        self.start()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def look(self, at: float) -> None:
        """Notes how much memory it has."""
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError("the service ended by itself")
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii", errors="replace")
        found = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
        self.memory.append((at, int(found[0]) / 1024 if found else 0.0))

    def megabytes(self, share: float, seconds: float) -> float:
        """Its memory at a share of the time: the median of a twentieth of it."""
        seen = [size for at, size in self.memory if share - 0.05 <= at / seconds <= share]
        return median(seen) if seen else 0.0


@dataclass(slots=True)
class Soak:
    """One soak under way."""

    plan: Plan
    clock: Clock
    engine: Engine
    service: Service
    stuck: set[int] = field(default_factory=set)

    def watch(self, until: float, kills: list[float]) -> None:
        """Let time pass, and the service be killed from these seconds on, when it is in the middle of a run."""
        while (at := self.clock.seconds()) < until:
            if kills and at >= kills[0] and self._some("running"):
                kills.pop(0)
                self.service.kill()
            time.sleep(GLANCE)
            self.look(at)

    def look(self, at: float) -> None:
        self.service.look(at)
        with self.engine.connect() as connection:
            silence = timedelta(seconds=2 * LEASE + STARTING * self.plan.scale)
            self.stuck.update(stale(connection, self.clock.now(), silence))

    def drained(self) -> bool:
        """Whether the queue became empty in time."""
        until = self.clock.seconds() + PATIENCE * 60
        while self.clock.seconds() < until:
            if not self._some(*LIVE):
                return True
            time.sleep(GLANCE)
            self.look(self.clock.seconds())
        return False

    def _some(self, *statuses: str) -> bool:
        """Whether there is a run with one of these statuses."""
        with self.engine.connect() as connection:
            return connection.execute(select(runs.c.id).where(runs.c.status.in_(statuses)).limit(1)).first() is not None

    def last_round(self) -> bool:
        """The schedule ends; every source is walked whole once more, those in distrust again when that is over."""
        with writing(self.engine) as connection:
            for life in lives(self.plan):
                sources.pause(connection, life.name, self.clock.now())
        if not self.drained():
            return False
        self._queue({life.name for life in lives(self.plan)})
        at = self.clock.seconds()
        self.watch(at + TICK * 4, [at])
        ended = self.drained()
        distrusted = self._distrusted()
        if distrusted:
            self.watch(self.clock.seconds() + DISTRUST * 60, [])
            self._queue(distrusted)
            ended = self.drained()
        return ended

    def _queue(self, names: set[str]) -> None:
        with writing(self.engine) as connection:
            for name in sorted(names):
                row = sources.named(connection, name)
                claims.enqueue(connection, row.id, "full", self.clock.now())

    def _distrusted(self) -> set[str]:
        """Portals that are well now, but were left alone for what they did before."""
        well = {life.name for life in lives(self.plan) if not life.fault(self.plan.seconds)}
        with self.engine.connect() as connection:
            rows = queries.source_list(connection)
            latest = queries.latest_runs(connection, [row.id for row in rows])
        left = {row.name for row in rows if latest[row.id].code in ("host-down", "blocked")}
        return well & left


@contextmanager
def town(arguments: list[str]) -> Iterator[tuple[int, int]]:
    """The portals' process; answers its ports."""
    process = subprocess.Popen(
        [*arguments, "--role", "portals"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        first, second = (process.stdout.readline() if process.stdout else "").split()
        yield int(first), int(second)
    finally:
        process.kill()
        process.communicate()


def soak(plan: Plan, say: Callable[[str], object] = lambda text: None, data: Path | None = None) -> Report:
    """Do it all, and judge; the catalogue is left in the folder `data`, which is new, if one is named."""
    with ExitStack() as stack:
        folder = str(data) if data else stack.enter_context(tempfile.TemporaryDirectory())
        clock = Clock(time.time() + LEAD, plan.scale)
        asked = json.dumps({"plan": asdict(plan), "origin": clock.origin, "data": folder})
        arguments = [sys.executable, "-m", "bench.soak", "--job", asked]
        with town(arguments) as ports:
            settings = settings_of(Path(folder), clock)
            engine = open_engine(settings)
            migrate(engine)
            _register(engine, plan, clock, ports)
            time.sleep(max(0.0, -clock.seconds() / clock.scale))
            under_way = Soak(plan, clock, engine, Service(arguments))
            report = _soaked(under_way, say)
            report.figures |= _asked(ports[0], report.violations, settings)
        engine.dispose()
    return report


def _soaked(soak: Soak, say: Callable[[str], object]) -> Report:
    soak.service.start()
    try:
        soak.watch(soak.plan.seconds, [share * soak.plan.seconds for share in KILLS])
        say("the time is over; now the last round")
        ended = soak.last_round()
    finally:
        soak.service.stop()
    with soak.engine.connect() as connection:
        report = judged(Soaked(connection, soak.plan, soak.clock))
    if not ended:
        report.violations.append("the queue did not empty")
    if soak.stuck:
        report.violations.append(f"runs without a sign of life for more than two leases: {sorted(soak.stuck)}")
    report.figures |= {"kills": soak.service.kills} | _memory(soak, report.violations)
    return report


def _memory(soak: Soak, violations: list[str]) -> dict[str, Any]:
    sizes = [soak.service.megabytes(mark, soak.plan.seconds) for mark in MARKS]
    growth = sizes[-1] / sizes[0] if sizes[0] else 0.0
    if growth > GROWTH:
        violations.append(f"memory grew {growth:.2f}-fold from {MARKS[0]:.0%} to {MARKS[-1]:.0%} of the time")
    tenths = (soak.service.megabytes(tenth / 10, soak.plan.seconds) for tenth in range(1, 11))
    return {"MB by tenths of the time": " ".join(f"{size:.0f}" for size in tenths), "memory growth": round(growth, 2)}


def _asked(port: int, violations: list[str], settings: Settings) -> dict[str, Any]:
    with urlopen(f"http://127.0.0.1:{port}{FIGURES}") as answer:
        found = json.load(answer)
    if found["most"] > settings.host_connections:
        violations.append(f"{found['most']} requests at once to one host, {settings.host_connections} are allowed")
    return {"requests": found["requests"], "requests at once to one host": found["most"], "hosts": found["hosts"]}


def _register(engine: Engine, plan: Plan, clock: Clock, ports: tuple[int, int]) -> None:
    every, full = (max(1, round(minutes * min(1.0, plan.minutes / 30))) for minutes in (EVERY, FULL_EVERY))
    with writing(engine) as connection:
        for place, life in places(plan, ports).items():
            sources.add(
                connection,
                url=f"http://{place}{PATHS[life.kind]}",
                connector=life.kind,
                name=life.name,
                now=clock.at(0),
                options={"page_size": 10} if life.kind == "ckan" and life.number % 2 else {},
                schedule=SCHEDULE.format(every),
                full_schedule=FULL_SCHEDULE.format(full),
                jitter=60 if life.number % 2 else 0,
            )


def _sick(plan: Plan) -> str:
    found: dict[str, list[Life]] = {}
    for life in lives(plan):
        for fault in sorted(life.faults()):
            found.setdefault(fault, []).append(life)
    return ", ".join(f"{fault} {len(some)}" for fault, some in sorted(found.items()))


def _shown(value: Any) -> str:
    return "\n".join(f"{count:>6} {name}" for name, count in value.items()) if isinstance(value, dict) else str(value)


def main() -> None:
    """Soak, print the figures, and exit with 1 when anything was not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    default = Plan()
    for name, value in asdict(default).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--data", type=Path, help="a new folder in which the catalogue is left, to be looked at")
    parser.add_argument("--role", choices=("portals", "service"), help=argparse.SUPPRESS)
    parser.add_argument("--job", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.role:
        job = json.loads(asked.job)
        plan = Plan(**job["plan"])
        clock = Clock(job["origin"], plan.scale)
        if asked.role == "portals":
            open_town(plan, clock)
        else:
            serve_up(Path(job["data"]), clock)
        return
    plan = Plan(**{name: getattr(asked, name) for name in asdict(default)})
    # Whoever is told to end ends the two processes, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    console = Console(width=120)
    console.print(f"faults: {_sick(plan)}")
    sys.exit(_told(soak(plan, console.print, asked.data), plan, console))


def _told(report: Report, plan: Plan, console: Console) -> int:
    title = f"{plan.sources} sources, {plan.minutes:g} minutes {plan.scale:g} times as fast, {plan.faulty:.0%} faulty"
    table = Table("figure", "value", title=title, title_justify="left")
    for name, value in report.figures.items():
        table.add_row(name, _shown(value))
    console.print(table)
    for violation in report.violations:
        console.print(f"VIOLATED: {violation}", markup=False, highlight=False)
    console.print("as it must be" if not report.violations else f"{len(report.violations)} violations")
    return 1 if report.violations else 0


if __name__ == "__main__":
    main()
