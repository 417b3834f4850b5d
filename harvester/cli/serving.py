"""`harvester up`, `api`, `worker`, `scheduler`, `demo` and `migrate`."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any

import typer
import uvicorn
from sqlalchemy import Connection, Engine, Row

from harvester import logs, sources
from harvester.catalogue import queries, store
from harvester.catalogue.database import writing
from harvester.cli.catalogue import print_results
from harvester.cli.running import finish, harvest
from harvester.cli.shared import opened, out, table_of
from harvester.clock import agreed
from harvester.errors import UsageError
from harvester.following import Following
from harvester.history.retention import Sweeper
from harvester.links.service import Checking
from harvester.notices.notify import Sender
from harvester.reconcile.serving import Reconciler
from harvester.samples import SAMPLES, Running, Sample, start
from harvester.schedule import Scheduler, utcnow
from harvester.search import SearchRequest, open_index, refresh
from harvester.services import Indexer, Nightly, Service, ending_with_signals, only_worker, running
from harvester.settings import Settings
from harvester.worker import Pool

API = "api.app:from_environment"
DEMO_QUERY = "vélo"
GRACE = 5


def migrate() -> None:
    """Create the tables or bring them up to date; every other command does it by itself."""
    with opened() as (settings, engine):
        out.print(f"up to date: {engine.url.render_as_string(hide_password=True)} (data in {settings.data})")


def up() -> None:
    """Serve the API, run the scheduler and a worker: the whole product in one command."""
    with _service() as (settings, engine), only_worker(engine):
        parts = [*_harvesting(engine, settings), *_scheduling(engine, settings)]
        _served(engine, settings, parts)


def api() -> None:
    """Serve the API alone, and keep its search index up to date; workers and the scheduler are other processes."""
    with _service() as (settings, engine):
        _served(engine, settings, [])


def work() -> None:
    """Harvest what is queued, until it is stopped. On PostgreSQL as many may run as are wanted, on any host.

    One that is stopped finishes the page in hand and gives its runs back; they go on from there.
    """
    with _service() as (settings, engine), only_worker(engine):
        _until_stopped(f"worker with {settings.workers} threads", _harvesting(engine, settings))


def schedule() -> None:
    """Queue the sources that are due and send notices. Of several schedulers one is active, the others stand by."""
    with _service() as (settings, engine):
        _until_stopped("scheduler", _scheduling(engine, settings))


@contextmanager
def _service() -> Iterator[tuple[Settings, Engine]]:
    """The opened catalogue for a process that goes on, whose log is read by machines."""
    with opened() as (settings, engine):
        logs.install(settings)
        yield settings, engine


def _harvesting(engine: Engine, settings: Settings) -> list[Service]:
    return [
        Pool(engine, settings, agreed(engine)),
        Following(engine, settings.tick_seconds, utcnow, settings.language),
        Reconciler(engine, settings.tick_seconds, utcnow, settings.reconciliations_kept),
        *([Checking(engine, settings, utcnow)] if settings.links else []),
    ]


def _scheduling(engine: Engine, settings: Settings) -> list[Service]:
    return [
        Scheduler(engine, settings, agreed(engine)),
        Sender(engine, settings, utcnow),
        Sweeper(engine, settings, utcnow),
    ]


def _served(engine: Engine, settings: Settings, parts: list[Service]) -> None:
    require_free_port(settings.host, settings.port)
    with ending_with_signals(), running([*parts, Indexer(engine, settings), Nightly(settings)]):
        out.print(f"catalogue at {settings.address} (data in {settings.data}); stop with Ctrl-C")
        _serve_api(settings, "info")


def _until_stopped(what: str, parts: list[Service]) -> None:
    with ending_with_signals() as stopping, running(parts):
        out.print(f"{what}; stop with Ctrl-C")
        stopping.wait()


def _serve_api(settings: Settings, level: str = "warning") -> None:
    # A download that never ends must not keep the process from ending.
    uvicorn.run(
        API,
        factory=True,
        host=settings.host,
        port=settings.port,
        log_level=level,
        log_config=None,
        timeout_graceful_shutdown=GRACE,
    )


def demo(
    once: Annotated[bool, typer.Option("--once", help="Harvest, show, and stop instead of serving.")] = False,
) -> None:
    """Harvest four sample portals of four kinds into one catalogue, search it, and serve it."""
    with opened() as (settings, engine):
        if not once:
            require_free_port(settings.host, settings.port)
        with ExitStack() as stack:
            portals = start(SAMPLES)
            for portal in portals:
                stack.callback(portal.close)
            rows = _register(engine, portals)
            local = settings.model_copy(update={"private_hosts": (*settings.private_hosts, "127.0.0.1")})
            finish(harvest(local, engine, rows, lambda _: "full"))
            _show(settings, engine)
            if not once:
                _serve(settings)


def _serve(settings: Settings) -> None:
    out.print(f"\nthe catalogue is at [bold]{settings.address}[/]; stop with Ctrl-C")
    out.print("the sample portals go on too: HARVESTER_PRIVATE_HOSTS=127.0.0.1 harvester run")
    _serve_api(settings)


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


def _register(engine: Engine, portals: Sequence[Running]) -> list[Row[Any]]:
    """The sample portals as sources; from one demo to the next only their ports may change."""
    names = []
    with writing(engine) as connection:
        for portal in portals:
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
