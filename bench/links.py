"""Link checks: addresses a second against a bare loop of the same requests, and the cost of a turn in a long queue.

    python -m bench.links [--hosts 200] [--each 20] [--threads 8] [--queue 1000000]

A server on this machine answers every host name; no pace is kept, so that what is measured is the checker.  The floor
asks the same two questions (HEAD, the first 4 KB) for each address with httpx, in as many threads, one client a host.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from statistics import median

import httpx
from rich.console import Console
from sqlalchemy import Engine, insert

from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.tables import addresses, link_hosts
from harvester.http import Http
from harvester.links import claims, store
from harvester.links.addresses import key_of
from harvester.links.asking import quick
from harvester.links.checking import check_due
from harvester.links.claims import Done, Terms
from harvester.net.breaker import Breaker
from harvester.net.pace import Pace
from harvester.settings import Settings

BODY = b"a;b;c\n" + b"1;2;3\n" * 600
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
TURNS = 200
out = Console(width=120, highlight=False)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("hosts", 200), ("each", 20), ("threads", 8), ("queue", 1_000_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with served() as port:
        speed(port, given.hosts, given.each, given.threads)
    for size in (1_000, given.queue):
        turns(size)


def speed(port: int, hosts: int, each: int, threads: int) -> None:
    """Addresses a second: ours, and the floor."""
    found = [f"http://h{host}.example:{port}/{n}.csv" for host in range(hosts) for n in range(each)]
    floor = timed(lambda: bare(found, port, threads))
    with opened() as (settings, engine):
        fill(engine, found)
        free = {"links_interval": 0.0, "links_hourly": 1 << 30, "links_hosts": threads, "max_crawl_delay": 0.0}
        settings = settings.model_copy(update=free | {"private_hosts": ("127.0.0.0/8",)})
        with Http(quick(settings), resolve=lambda h, p: ["127.0.0.1"], breaker=Breaker(), pace=Pace()) as http:
            ours = timed(lambda: check_due(engine, settings, utcnow, http=http))
    rate, least = len(found) / ours, len(found) / floor
    out.print(f"{len(found):,} addresses of {hosts:,} hosts, {threads} threads: {rate:,.0f} addresses a second")
    out.print(f"  bare httpx loop: {least:,.0f} a second; ours is {rate / least:.2f} of it, every result written")


def turns(size: int) -> None:
    """What it costs to claim the next host with its addresses and to give it back, in a queue of this length."""
    with opened() as (_, engine):
        fill(engine, (f"http://h{n % max(size // 100, 1)}.example/{n}.csv" for n in range(size)))
        before, spent = memory(), []
        for _ in range(TURNS):
            spent.append(timed(lambda: turn(engine)))
        told = f"{median(spent) * 1000:.2f} ms for a turn of {claims.BATCH} addresses"
        out.print(f"queue of {size:,}: {told}, memory grew by {memory() - before:.1f} MB")


def turn(engine: Engine) -> None:
    """One host claimed, and given back as if it had been asked."""
    with writing(engine) as connection:
        held = claims.claim(connection, utcnow(), Terms(1 << 30), "bench")
    assert held is not None
    with writing(engine) as connection:
        claims.release(connection, held, Done(len(held.due), 0, None), utcnow(), Terms(1 << 30))


def bare(found: list[str], port: int, threads: int) -> None:
    """The floor: the same requests, nothing decided and nothing written."""
    hosts: dict[str, list[str]] = {}
    for url in found:
        hosts.setdefault(url.split("/")[2], []).append("/" + url.rpartition("/")[2])

    def ask(host: str) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Host": host}, trust_env=False) as client:
            for path in hosts[host]:
                client.head(path)
                client.get(path, headers={"Range": "bytes=0-4095"})

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(ask, hosts))


def fill(engine: Engine, urls: Iterator[str] | list[str]) -> None:
    """Addresses that are due, in no order, as if they had been taken from the catalogue."""
    store.begin(engine)
    chance, now, hosts = random.Random(1), utcnow() - timedelta(days=1), set()
    batch = []
    for url in urls:
        host = url.split("/")[2].partition(":")[0]
        hosts.add(host)
        due = now + timedelta(seconds=chance.random() * 3600)
        row = {"id": key_of(url), "address": url, "host": host, "state": "unchecked", "next_check_at": due}
        batch.append(row)
        if len(batch) == 10_000:
            _write(engine, batch)
            batch = []
    _write(engine, batch)
    with writing(engine) as connection:
        connection.execute(insert(link_hosts), [{"host": host, "next_at": now} for host in sorted(hosts)])


def _write(engine: Engine, batch: list[dict[str, object]]) -> None:
    if batch:
        with writing(engine) as connection:
            connection.execute(insert(addresses), batch)


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def memory() -> float:
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def utcnow() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@contextmanager
def opened() -> Iterator[tuple[Settings, Engine]]:
    """An empty catalogue."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder))
        engine = open_engine(settings)
        migrate(engine)
        yield settings, engine
        engine.dispose()


@contextmanager
def served() -> Iterator[int]:
    """The port of a server in a process of its own."""
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield int(mine.recv())
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Pipe) -> None:
    asyncio.run(_serving(pipe))


async def _serving(pipe: Pipe) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, backlog=1000)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while request := await reader.readuntil(b"\r\n\r\n"):
            writer.write(HEAD if request.startswith(b"HEAD") else HEAD + BODY)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


if __name__ == "__main__":
    main()
