"""`harvester up`, `demo` and `migrate`."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated, Any

import typer
import uvicorn
from sqlalchemy import Connection, Engine, Row

from harvester import dumps, sources, worker
from harvester.catalogue import queries, store
from harvester.catalogue.database import writing
from harvester.cli.catalogue import print_results
from harvester.cli.running import finish, harvest
from harvester.cli.shared import opened, out, table_of
from harvester.errors import UsageError
from harvester.samples import SAMPLES, Running, Sample, start
from harvester.schedule import scheduler, utcnow
from harvester.search import SearchRequest, open_index, refresh
from harvester.settings import Settings

API = "api.app:from_environment"
DEMO_QUERY = "vélo"
DUMP = (sys.executable, "-m", "harvester", "dump", "--all")
_STEP = 60.0
log = logging.getLogger(__name__)


def migrate() -> None:
    """Create the tables or bring them up to date; every other command does it by itself."""
    with opened() as (settings, engine):
        out.print(f"up to date: {engine.url.render_as_string(hide_password=True)} (data in {settings.data})")


def up() -> None:
    """Serve the API, run the scheduler and a worker: the whole product in one command."""
    with opened() as (settings, engine):
        require_free_port(settings.host, settings.port)
        ticking, pool = scheduler(engine, settings), worker.Pool(engine, settings, utcnow)
        indexing, nightly = Indexer(engine, settings), Nightly(settings)
        ticking.start()
        pool.start()
        indexing.start()
        nightly.start()
        out.print(f"catalogue at {settings.address} (data in {settings.data}); stop with Ctrl-C")
        try:
            uvicorn.run(API, factory=True, host=settings.host, port=settings.port, log_level="warning")
        finally:
            ticking.shutdown(wait=False)
            pool.stop()
            indexing.stop()
            nightly.stop()


def demo(
    once: Annotated[bool, typer.Option("--once", help="Harvest, show, and stop instead of serving.")] = False,
) -> None:
    """Harvest four sample portals of four kinds into one catalogue, search it, and serve it."""
    with opened() as (settings, engine):
        if not once:
            require_free_port(settings.host, settings.port)
        with ExitStack() as stack:
            running = start(SAMPLES)
            for portal in running:
                stack.callback(portal.close)
            rows = _register(engine, running)
            local = settings.model_copy(update={"private_hosts": (*settings.private_hosts, "127.0.0.1")})
            finish(harvest(local, engine, rows, lambda _: "full"))
            _show(settings, engine)
            if not once:
                _serve(settings)


def _serve(settings: Settings) -> None:
    out.print(f"\nthe catalogue is at [bold]{settings.address}[/]; stop with Ctrl-C")
    out.print("the sample portals go on too: HARVESTER_PRIVATE_HOSTS=127.0.0.1 harvester run")
    uvicorn.run(API, factory=True, host=settings.host, port=settings.port, log_level="warning")


class Indexer:
    """Brings the index up to date every few ticks; the one writer of the index in `harvester up`."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="indexer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch under way."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        index = open_index(self._settings)
        while not self._stop.wait(self._settings.tick_seconds):
            refresh(self._engine, index)


class Nightly:
    """Writes the dumps when they are due, in a process of its own: it costs processor time and memory for a while.

    Raises `UsageError` for settings that cannot be.
    """

    def __init__(self, settings: Settings, command: Sequence[str] = DUMP) -> None:
        sources.next_run(settings.dump_schedule, utcnow())
        for name in settings.dump_formats:
            dumps.checked(name)
        self._schedule, self._command = settings.dump_schedule, command
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="nightly", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End now; dumps under way go on the next time."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while due := sources.next_run(self._schedule, utcnow()):
            # In short steps: a clock that is set, or a machine that slept, is noticed.
            while (left := (due - utcnow()).total_seconds()) > 0:
                if self._stop.wait(min(left, _STEP)):
                    return
            self.dump()

    def dump(self) -> None:
        """Write them now; ends early when it is stopped."""
        with subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            while process.poll() is None:
                if self._stop.wait(1.0):
                    process.terminate()
                    return
            told = process.stderr.read() if process.stderr else b""
        if process.returncode:
            log.error("dumps failed: %s", told.decode("utf-8", "replace").strip()[-2000:])


def require_free_port(host: str, port: int) -> None:
    """Raises `UsageError` that says what to do when something listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"port {port} of {host} is taken ({error.strerror}); stop what uses it, "
                f"or choose another one by setting HARVESTER_PORT={port + 1}",
                code="port-taken",
            ) from error


def _register(engine: Engine, running: Sequence[Running]) -> list[Row[Any]]:
    """The sample portals as sources; from one demo to the next only their ports may change."""
    names = []
    with writing(engine) as connection:
        for portal in running:
            name = _sample_name(connection, portal.sample)
            names.append(name)
            row = queries.source_named(connection, name)
            if row is not None:
                store.edit_source(connection, row.id, {"url": portal.url})
                continue
            sources.add(
                connection,
                url=portal.url,
                connector=portal.sample.connector,
                name=name,
                options={"public_url": portal.sample.public_url},
                title=portal.sample.title,
                now=utcnow(),
            )
        return [sources.named(connection, name) for name in names]


def _sample_name(connection: Connection, sample: Sample) -> str:
    """The sample's own name, unless a source of the user's has it."""
    row = queries.source_named(connection, sample.name)
    own = row is None or row.options.get("public_url") == sample.public_url
    return sample.name if own else f"sample-{sample.name}"


def _show(settings: Settings, engine: Engine) -> None:
    index = open_index(settings)
    refresh(engine, index)
    with engine.connect() as connection:
        rows = queries.source_list(connection)
        counts = queries.active_counts(connection, [row.id for row in rows])
        total = queries.visible_count(connection)
    arrived: list[list[object]] = [[row.name, row.connector, counts.get(row.id, 0)] for row in rows]
    out.print(table_of(["source", "connector", "records"], arrived))
    out.print(f"one catalogue of [bold]{total}[/] datasets: what two portals identify alike is there once\n")
    out.print(f"harvester search {DEMO_QUERY}")
    print_results(index.search(SearchRequest(q=DEMO_QUERY, size=5)), settings.language)
