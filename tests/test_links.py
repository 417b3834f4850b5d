"""Link checks as a whole: each address once, politely, by age, shared by workers, told to datasets and search."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select, update

from harvester import sources
from harvester.catalogue import queries
from harvester.catalogue.database import writing
from harvester.catalogue.following import follow
from harvester.catalogue.tables import addresses, link_datasets, link_hosts, link_totals, link_uses, records
from harvester.cli.serving import _harvesting
from harvester.errors import Stopped
from harvester.http import Http
from harvester.links import claims, reports, standings, statuses, store
from harvester.links.ageing import LADDER
from harvester.links.asking import quick
from harvester.links.checking import Work, check_due, run
from harvester.links.claims import Terms
from harvester.links.following import FOLLOWER, apply
from harvester.links.service import Checking
from harvester.links.verdicts import Seen
from harvester.schedule import utcnow
from harvester.search import SearchRequest, open_index, refresh
from harvester.settings import Settings
from tests.catalogues import Catalogue
from tests.linked import START, Clock, File, Web, asking, web

DAY = timedelta(days=1)
GOOD = timedelta(days=30)


@pytest.fixture
def catalogue(settings: Settings, engine: Engine) -> Catalogue:
    store.begin(engine)
    return Catalogue(settings.model_copy(update={"links_interval": 0.0, "links_hosts": 2}), engine)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def raw(guid: str, *urls: str, format: str = "CSV", **more: Any) -> dict[str, Any]:
    parts = [{"download_url": url, "format": format, "title": f"File {n}"} for n, url in enumerate(urls)]
    return {"identifier": guid, "title": f"Dataset {guid}", "distribution": parts, **more}


def followed(catalogue: Catalogue, clock: Clock) -> int:
    return follow(catalogue.engine, FOLLOWER, clock)


def checked(catalogue: Catalogue, clock: Clock, **more: Any) -> Counter[str]:
    followed(catalogue, clock)
    with asking(catalogue.settings) as http:
        return check_due(catalogue.engine, catalogue.settings, clock, http=http, **more)


def rows(engine: Engine, table: Any, *where: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table).where(*where)))


def states(engine: Engine) -> dict[str, str]:
    return {row.address.rpartition("/")[2]: row.state for row in rows(engine, addresses)}


def scripted(engine: Engine, clock: Clock, look: Any, **more: Any) -> Work:
    """Work whose network is a function."""
    return Work(engine, look, clock, Terms(1000), GOOD, **more)


def test_what_one_address_answers_costs_no_other_its_turn(catalogue: Catalogue, clock: Clock) -> None:
    def stumbling(url: str, tag: str) -> Seen:
        if url.endswith("/evil.csv"):
            raise RuntimeError("what nobody thought of")
        return ok(url, tag)

    urls = ["http://evil.example/evil.csv", "http://evil.example/good.csv", "http://data.example/other.csv"]
    catalogue.add("paris", [raw("p", *urls)])
    followed(catalogue, clock)
    for _ in range(3):
        run(scripted(catalogue.engine, clock, stumbling), 1)
        clock.at += timedelta(minutes=20)
    assert states(catalogue.engine) == {"evil.csv": "unchecked", "good.csv": "ok", "other.csv": "ok"}


def ok(url: str, tag: str) -> Seen:
    return Seen(200, 200, url=url, media_type="text/csv", content=b"a;b\n1;2\n3;4\n")


def test_until_links_are_checked_the_log_costs_nothing(settings: Settings, engine: Engine, clock: Clock) -> None:
    catalogue = Catalogue(settings, engine)
    catalogue.add("paris", [raw("a", "http://data.example/a.csv")])
    assert followed(catalogue, clock) == 1
    assert rows(engine, addresses) == []
    store.begin(engine)
    store.begin(engine)
    assert followed(catalogue, clock) == 1
    assert [row.state for row in rows(engine, addresses)] == ["unchecked"]


def test_each_address_is_asked_once_however_many_datasets_name_it(catalogue: Catalogue, clock: Clock) -> None:
    with web({"/a.csv": File(), "/b.csv": File()}) as server:
        shared, own = server.url("/a.csv"), server.url("/b.csv")
        catalogue.add("paris", [raw(f"p{n}", shared, f"{shared}#part") for n in range(5)])
        catalogue.add("lyon", [raw(f"l{n}", shared, own) for n in range(5)])
        assert checked(catalogue, clock)["ok"] == 2
        assert checked(catalogue, clock)["asked"] == 0
    assert Counter(path for _, _, path in server.seen) == {"/a.csv": 2, "/b.csv": 2}
    assert len(rows(catalogue.engine, link_uses)) == 15


def test_addresses_follow_the_log_and_are_forgotten_with_their_last_record(catalogue: Catalogue, clock: Clock) -> None:
    engine = catalogue.engine
    catalogue.add("paris", [raw("a", "http://data.example/a.csv"), raw("b", "http://data.example/a.csv")])
    followed(catalogue, clock)
    catalogue.add("paris", [raw("a", "http://data.example/new.csv")])
    assert followed(catalogue, clock) == 1
    assert set(states(engine)) == {"a.csv", "new.csv"}
    catalogue.retire("paris", "b")
    followed(catalogue, clock)
    assert set(states(engine)) == {"new.csv"}
    assert followed(catalogue, clock) == 0


def test_the_totals_are_what_there_is(catalogue: Catalogue, clock: Clock) -> None:
    files = {"/a.csv": File(), "/b.csv": File(status=404)}
    with web(files) as server:
        urls = [server.url(path) for path in ("/a.csv", "/b.csv")]
        catalogue.add("paris", [raw("a", *urls, "ftp://data.example/x", "http://data.example:99999/y")])
        catalogue.add("paris", [raw("b", urls[0])])
        checked(catalogue, clock)
    catalogue.add("paris", [raw("b", "http://other.example/z")])
    followed(catalogue, clock)
    with catalogue.engine.connect() as connection:
        told = standings.totals(connection)
    counted = Counter(row.state for row in rows(catalogue.engine, addresses))
    assert {name: number for name, number in told.items() if number} == counted
    assert counted["unknown"] == 1


def test_what_follows_again_from_the_beginning_changes_nothing(catalogue: Catalogue, clock: Clock) -> None:
    with web({"/a.csv": File(b"%PDF-1.4", "application/pdf")}) as server:
        catalogue.add("paris", [raw("a", server.url("/a.csv"), server.url("/b.csv"))])
        checked(catalogue, clock)
    tables = (addresses, link_uses, link_datasets, link_totals)
    before = [rows(catalogue.engine, table) for table in tables]
    assert follow(catalogue.engine, FOLLOWER._replace(rules=2), clock) == 1
    assert [rows(catalogue.engine, table) for table in tables] == before
    assert {row.fault for row in before[1]} == {"format", "gone"}


def test_broken_links_are_a_filter_of_the_search_and_no_change_of_the_dataset(
    catalogue: Catalogue, clock: Clock
) -> None:
    engine, index = catalogue.engine, open_index(catalogue.settings)
    with web({"/a.csv": File(), "/b.csv": File()}) as server:
        catalogue.add("paris", [raw("a", server.url("/a.csv")), raw("b", server.url("/b.csv"))])
        refresh(engine, index)
        with engine.connect() as connection:
            newest = queries.last_change(connection)
        server.files["/b.csv"].status = 404
        checked(catalogue, clock)
        assert refresh(engine, index) == 2
        assert refresh(engine, index) == 0
        assert found(index, "broken") == ["Dataset b"]
        assert found(index, "ok") == ["Dataset a"]
        server.files["/b.csv"].status = 200
        clock.sleep(3600 * 2)
        checked(catalogue, clock)
        assert refresh(engine, index) == 1
    assert found(index, "broken") == []
    assert found(index, "ok") == ["Dataset a", "Dataset b"]
    with engine.connect() as connection:
        assert queries.last_change(connection) == newest


def found(index: Any, state: str) -> list[str]:
    hits = index.search(SearchRequest(filters={"links": [state]}, sort="title")).hits
    return [hit.card["title"][""] for hit in hits]


def test_failures_become_broken_in_time_and_good_again_at_once(catalogue: Catalogue, clock: Clock) -> None:
    catalogue.add("paris", [raw("a", "http://data.example/a.csv")])
    followed(catalogue, clock)
    status, seen = 500, []

    def look(url: str, tag: str) -> Seen:
        seen.append(clock())
        return Seen(status, status, content=b"", url=url) if status != 200 else ok(url, tag)

    told = []
    for _ in range(60):
        run(scripted(catalogue.engine, clock, look), 1)
        told.append(states(catalogue.engine)["a.csv"])
        clock.sleep(3600)
    gaps = [later - earlier for earlier, later in pairwise(seen)]
    assert told[0] == "failing"
    assert told[-1] == "broken"
    assert told.index("broken") >= 24
    assert len(seen) == 4
    assert [round(gap / LADDER[n], 1) for n, gap in enumerate(gaps)] == pytest.approx([1.0, 1.1, 1.1], abs=1.0)
    status = 200
    clock.sleep(4 * 86400)
    run(scripted(catalogue.engine, clock, look), 1)
    row = rows(catalogue.engine, addresses)[0]
    assert (row.state, row.fault, row.failures, row.failing_since) == ("ok", None, 0, None)
    assert GOOD * 0.85 < row.next_check_at - clock() < GOOD * 1.15


def test_what_is_not_there_is_broken_at_once_and_asked_ever_less(catalogue: Catalogue, clock: Clock) -> None:
    catalogue.add("paris", [raw("a", "http://data.example/a.csv")])
    followed(catalogue, clock)
    asked = []

    def look(url: str, tag: str) -> Seen:
        asked.append(clock())
        return Seen(404, 404, content=b"", url=url)

    for _ in range(60 * 24):
        run(scripted(catalogue.engine, clock, look), 1)
        clock.sleep(3600)
    row = rows(catalogue.engine, addresses)[0]
    assert (row.state, row.fault, row.since) == ("broken", "gone", START)
    assert len(asked) <= 4 + 60 / 6


def test_a_host_that_is_down_is_not_asked_for_every_address(catalogue: Catalogue, clock: Clock) -> None:
    many = 300
    catalogue.add("paris", [raw(f"d{n}", f"http://down.example/{n}.csv") for n in range(many)])
    followed(catalogue, clock)
    asked: list[str] = []

    def look(url: str, tag: str) -> Seen:
        asked.append(url)
        return Seen(error="unconnected")

    for _ in range(24):
        run(scripted(catalogue.engine, clock, look), 2)
        clock.sleep(3600)
    assert len(asked) < 12
    for _ in range(5 * 24):
        run(scripted(catalogue.engine, clock, look), 2)
        clock.sleep(3600)
    assert len(asked) < 20
    # Days without a connection are told of all of them.
    assert Counter(row.state for row in rows(catalogue.engine, addresses))["broken"] == many
    run(scripted(catalogue.engine, clock, ok), 1)
    for _ in range(8 * 24):
        clock.sleep(3600)
        run(scripted(catalogue.engine, clock, ok), 1)
    assert Counter(row.state for row in rows(catalogue.engine, addresses)) == {"ok": many}


@pytest.mark.parametrize(
    "seen",
    [
        Seen(error="timeout", url="http://data.example/dead.csv"),
        Seen(error="unresolved", url="http://gone.example/"),
        Seen(error="unconnected", url="http://data.example:8080/dead.csv"),
    ],
    ids=("slow", "redirected", "other port"),
)
def test_addresses_that_work_are_not_called_broken_for_others_of_their_host(
    catalogue: Catalogue, clock: Clock, seen: Seen
) -> None:
    dead = "http://data.example:8080/dead.csv" if ":8080" in seen.url else "http://data.example/dead.csv"

    def look(url: str, tag: str) -> Seen:
        return seen if "dead" in url else ok(url, tag)

    catalogue.add("paris", [raw("dead", dead)])
    followed(catalogue, clock)
    for _ in range(60):
        run(scripted(catalogue.engine, clock, look), 1)
        clock.sleep(DAY.total_seconds())
    catalogue.add("paris", [raw(f"d{n}", f"http://data.example/{n}.csv") for n in range(5)])
    followed(catalogue, clock)
    with writing(catalogue.engine) as connection:
        early = addresses.c.address == dead
        connection.execute(update(addresses).where(early).values(next_check_at=clock() - DAY))
    run(scripted(catalogue.engine, clock, look), 1)
    assert "broken" not in {state for name, state in states(catalogue.engine).items() if name != "dead.csv"}


def test_a_throttling_host_is_left_alone_and_nothing_is_held_against_it(catalogue: Catalogue, clock: Clock) -> None:
    catalogue.add("paris", [raw(f"d{n}", f"http://busy.example/{n}.csv") for n in range(10)])
    followed(catalogue, clock)
    asked: list[str] = []

    def look(url: str, tag: str) -> Seen:
        asked.append(url)
        return Seen(429, 429, wait=60)

    run(scripted(catalogue.engine, clock, look), 1)
    assert set(states(catalogue.engine).values()) == {"unchecked"}
    assert all(row.failures == 0 for row in rows(catalogue.engine, addresses))
    assert len(asked) == 1
    catalogue.add("paris", [raw("more", "http://busy.example/more.csv")])
    followed(catalogue, clock)
    run(scripted(catalogue.engine, clock, look), 1)
    assert len(asked) == 1
    clock.sleep(3600)
    run(scripted(catalogue.engine, clock, ok), 1)
    assert set(states(catalogue.engine).values()) <= {"ok", "unchecked"}


def test_an_hour_of_a_host_has_its_share(catalogue: Catalogue, clock: Clock) -> None:
    catalogue.add("paris", [raw(f"d{n}", f"http://data.example/{n}.csv") for n in range(250)])
    followed(catalogue, clock)
    asked: list[Any] = []

    def look(url: str, tag: str) -> Seen:
        asked.append(clock())
        return ok(url, tag)

    for _ in range(4 * 60):
        run(Work(catalogue.engine, look, clock, Terms(50), GOOD), 2)
        clock.sleep(60)
    hours = Counter(int((at - START).total_seconds() // 3600) for at in asked)
    assert hours == {0: 50, 1: 50, 2: 50, 3: 50}


def test_no_host_is_asked_faster_than_its_pace_nor_twice_at_once(settings: Settings, engine: Engine) -> None:
    """Requests per host and second, on a clock that only waiting moves."""
    store.begin(engine)
    clock = Clock()
    stamps: dict[str, list[float]] = defaultdict(list)
    catalogue = Catalogue(settings, engine)
    hosts = [f"h{n}.example" for n in range(4)]
    catalogue.add("paris", [raw(f"{h}{n}", f"http://{h}/{n}.csv", f"http://{h}/r{n}") for h in hosts for n in range(8)])
    followed(catalogue, clock)
    transport = Recorded(clock, stamps)
    polite = quick(settings.model_copy(update={"links_interval": 2.0, "private_hosts": ("127.0.0.0/8",)}))
    with Http(polite, transport=transport, sleep=clock.sleep, now=clock.monotonic, resolve=lambda h, p: []) as http:
        counts = check_due(engine, settings.model_copy(update={"links_hosts": 4}), clock, http=http)
    assert counts["asked"] == 64
    assert set(stamps) == set(hosts)
    for moments in stamps.values():
        assert len(moments) == 32
        assert min(later - earlier for earlier, later in pairwise(moments)) >= 2.0


class Recorded(httpx.BaseTransport):
    """A network that notes when each host is asked."""

    def __init__(self, clock: Clock, stamps: dict[str, list[float]]) -> None:
        self._clock, self._stamps = clock, stamps
        self._lock = threading.Lock()
        self._busy: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            assert request.url.host not in self._busy
            self._busy.add(request.url.host)
            self._stamps[request.url.host].append(self._clock.monotonic())
        with self._lock:
            self._busy.discard(request.url.host)
        body = b"" if request.method == "HEAD" else b"a;b\n1;2\n3;4\n"
        return httpx.Response(200, headers={"content-type": "text/csv"}, content=body)


def test_every_host_has_its_turn(catalogue: Catalogue, clock: Clock) -> None:
    big = [raw(f"b{n}", f"http://big.example/{n}.csv") for n in range(200)]
    catalogue.add("paris", [*big, *(raw(f"s{n}", f"http://small{n}.example/x.csv") for n in range(5))])
    followed(catalogue, clock)
    order: list[str] = []

    def look(url: str, tag: str) -> Seen:
        order.append(url.split("/")[2])
        clock.sleep(1)
        return ok(url, tag)

    run(scripted(catalogue.engine, clock, look), 1)
    assert len(order) == 205
    assert all(host in order[: claims.BATCH * 2] for host in (f"small{n}.example" for n in range(5)))


def test_a_worker_that_dies_loses_nothing_and_writes_nothing_late(catalogue: Catalogue, clock: Clock) -> None:
    catalogue.add("paris", [raw(f"d{n}", f"http://data.example/{n}.csv") for n in range(5)])
    followed(catalogue, clock)
    with writing(catalogue.engine) as connection:
        dead = claims.claim(connection, clock(), Terms(1000), "dead")
    assert dead is not None
    run(scripted(catalogue.engine, clock, ok), 2)
    assert set(states(catalogue.engine).values()) == {"unchecked"}
    clock.sleep(claims.LEASE.total_seconds() + 1)
    run(scripted(catalogue.engine, clock, ok), 2)
    assert set(states(catalogue.engine).values()) == {"ok"}
    with writing(catalogue.engine) as connection:
        assert not claims.hold(connection, dead, clock())
        assert not claims.release(connection, dead, claims.Done(5, 5, clock()), clock(), Terms(1000))
    assert [row.failures for row in rows(catalogue.engine, link_hosts)] == [0]


def test_a_process_that_is_killed_is_gone_on_with_at_once(catalogue: Catalogue, clock: Clock) -> None:
    files = {f"/{n}.csv": File() for n in range(40)}
    with web(files) as server:
        urls = [f"http://127.0.0.1:{server.port}{path}" for path in files]
        catalogue.add("paris", [raw(f"d{n}", url) for n, url in enumerate(urls)])
        process = subprocess.Popen(
            [sys.executable, "-m", "harvester", "links", "check"], env=_environment(catalogue.settings)
        )
        while len(server.seen) < 6:
            assert process.poll() is None
        process.kill()
        process.wait()
        assert [row.worker is None for row in rows(catalogue.engine, link_hosts)] == [False]
        asked = len(server.seen)
        with asking(catalogue.settings) as http:
            counts = check_due(catalogue.engine, catalogue.settings, utcnow, http=http)
    assert set(states(catalogue.engine).values()) == {"ok"}
    assert counts["ok"] == 40
    assert len(server.seen) - asked == 80


def _environment(settings: Settings) -> dict[str, str]:
    given = {"DATA": str(settings.data), "DATABASE_URL": settings.database_url, "PRIVATE_HOSTS": "127.0.0.1"}
    paced = given | {"LINKS_INTERVAL": "0.1", "MAX_CRAWL_DELAY": "0"}
    return os.environ | {f"HARVESTER_{name}": value for name, value in paced.items()}


def test_what_was_found_is_kept_when_the_work_is_called_off(catalogue: Catalogue, clock: Clock) -> None:
    catalogue.add("paris", [raw(f"d{n}", f"http://data.example/{n}.csv") for n in range(6)])
    followed(catalogue, clock)
    seen: list[str] = []

    def look(url: str, tag: str) -> Seen:
        if len(seen) == 3:
            raise Stopped("enough")
        seen.append(url)
        return ok(url, tag)

    work = scripted(catalogue.engine, clock, look)
    run(work, 1)
    assert Counter(states(catalogue.engine).values()) == {"ok": 3, "unchecked": 3}
    assert work.counts["asked"] == 3
    run(scripted(catalogue.engine, clock, ok), 1)
    assert set(states(catalogue.engine).values()) == {"ok"}


def test_several_workers_share_the_work(catalogue: Catalogue, clock: Clock) -> None:
    hosts = 12
    found = [raw(f"{h}-{n}", f"http://h{h}.example/{n}.csv") for h in range(hosts) for n in range(30)]
    catalogue.add("paris", found)
    followed(catalogue, clock)
    asked: Counter[str] = Counter()
    busy: Counter[str] = Counter()
    lock = threading.Lock()

    def look(url: str, tag: str) -> Seen:
        host = url.split("/")[2]
        with lock:
            busy[host] += 1
            assert busy[host] == 1
            asked[url] += 1
        with lock:
            busy[host] -= 1
        return ok(url, tag)

    workers = [threading.Thread(target=run, args=(scripted(catalogue.engine, clock, look), 2)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(asked.values()) == {1}
    assert len(asked) == hosts * 30
    assert set(states(catalogue.engine).values()) == {"ok"}


def test_one_source_is_checked_alone_and_within_a_limit(catalogue: Catalogue, clock: Clock) -> None:
    catalogue.add("paris", [raw(f"p{n}", f"http://data.example/p{n}.csv") for n in range(50)])
    catalogue.add("lyon", [raw(f"l{n}", f"http://data.example/l{n}.csv") for n in range(50)])
    followed(catalogue, clock)
    source_id = catalogue.source("lyon").source_id
    with web({f"/l{n}.csv": File() for n in range(50)}) as server:
        _moved(catalogue.engine, server)
        with asking(catalogue.settings) as http:
            some = check_due(catalogue.engine, catalogue.settings, clock, source_id=source_id, limit=7, http=http)
            rest = check_due(catalogue.engine, catalogue.settings, clock, source_id=source_id, http=http)
    assert (some["asked"], some["ok"], rest["ok"]) == (7, 7, 43)
    assert {path[:2] for _, _, path in server.seen} == {"/l"}


def _moved(engine: Engine, server: Web) -> None:
    """Let the addresses of data.example be asked at the port of a test's server."""
    with writing(engine) as connection:
        for row in connection.execute(select(addresses)).all():
            told = row.address.replace("data.example", f"data.example:{server.port}")
            connection.execute(update(addresses).where(addresses.c.id == row.id).values(address=told))


def test_what_is_known_of_the_addresses_of_a_dataset(catalogue: Catalogue, clock: Clock) -> None:
    with web({"/a.csv": File(head=405)}) as server:
        good, bad, late = server.url("/a.csv"), server.url("/b.csv"), "http://late.example/c.csv"
        catalogue.add("paris", [raw("a", good, bad)])
        checked(catalogue, clock)
        catalogue.add("paris", [raw("a", good, bad, late)])
        followed(catalogue, clock)
    with catalogue.engine.connect() as connection:
        facts = statuses(connection, [1, 999])
    known = facts[1].of(good.upper().replace("/A.CSV", "/a.csv"))
    assert known is not None
    assert (known.state, known.status, known.head_status) == ("ok", 206, 405)
    assert [facts[1].accessible(url) for url in (good, bad, late)] == [True, False, None]
    assert facts[999].known == {}


def test_addresses_may_be_anything(catalogue: Catalogue, clock: Clock) -> None:
    odd: Sequence[str] = (
        "http://[::1", "http://\x00/", "http://data.example/\udcff", "http://" + "a" * 300 + ".example/", "http://x:0/",
        "http://data.example/" + "x" * 9_000, "HTTP://DATA.EXAMPLE/%zz", "http://127.0.0.1:1/", "http://xn--/", "ftps://a/b",
    )  # fmt: skip
    catalogue.add("paris", [raw(f"d{n}", url) for n, url in enumerate(odd)])
    counts = checked(catalogue, clock)
    assert sum(counts[name] for name in ("ok", "failing", "broken", "unknown", "put off")) == counts["asked"]


def test_the_service_checks_what_comes_up(catalogue: Catalogue) -> None:
    settings = catalogue.settings.model_copy(update={"private_hosts": ("127.0.0.1",), "max_crawl_delay": 0})
    with web({"/a.csv": File()}) as server:
        catalogue.add("paris", [raw("a", f"http://127.0.0.1:{server.port}/a.csv")])
        followed(catalogue, Clock())
        service = Checking(catalogue.engine, settings, utcnow)
        service.start()
        while not server.seen or set(states(catalogue.engine).values()) != {"ok"}:
            threading.Event().wait(0.02)
        service.stop()
    assert len(server.seen) == 2


def test_it_is_a_service_only_where_the_setting_says_so(settings: Settings, engine: Engine) -> None:
    def names(**changed: Any) -> list[str]:
        return [type(part).__name__ for part in _harvesting(engine, settings.model_copy(update=changed))]

    assert "Checking" not in names()
    assert "Checking" in names(links=True)


def test_a_record_that_goes_over_to_another_dataset_takes_its_links_along(catalogue: Catalogue, clock: Clock) -> None:
    catalogue.add("paris", [raw("a", "http://data.example/a.csv"), raw("b", "http://data.example/b.csv")])
    followed(catalogue, clock)
    one, other = sorted({row.dataset_id for row in rows(catalogue.engine, link_uses)})
    with writing(catalogue.engine) as connection:
        connection.execute(update(records).where(records.c.dataset_id == one).values(dataset_id=other))
        apply(connection, [one], clock())
    assert {row.dataset_id for row in rows(catalogue.engine, link_uses)} == {other}
    assert len(states(catalogue.engine)) == 2


def test_a_source_that_is_removed_takes_its_addresses_along(catalogue: Catalogue, clock: Clock) -> None:
    catalogue.add("paris", [raw("a", "http://data.example/a.csv", "http://data.example/b.csv")])
    catalogue.add("lyon", [raw("a", "http://data.example/b.csv")])
    followed(catalogue, clock)
    with writing(catalogue.engine) as connection:
        sources.remove(connection, "paris", clock())
    followed(catalogue, clock)
    assert set(states(catalogue.engine)) == {"b.csv"}
    assert len(rows(catalogue.engine, link_uses)) == 1


def test_links_that_came_after_their_address_was_checked_are_judged_at_once(catalogue: Catalogue, clock: Clock) -> None:
    with web({"/a": File(b"%PDF-1.4", "application/pdf")}) as server:
        catalogue.add("paris", [raw("a", server.url("/a"), format="PDF")])
        checked(catalogue, clock)
        catalogue.add("lyon", [raw("b", server.url("/a"), format="CSV")])
        assert checked(catalogue, clock)["asked"] == 0
    assert sorted(str(row.fault) for row in rows(catalogue.engine, link_uses)) == ["None", "format"]


def test_the_worst_links_of_a_dataset_are_shown_when_not_all_of_them_are(catalogue: Catalogue, clock: Clock) -> None:
    names = [f"{n:02}" for n in range(12)]
    catalogue.add("paris", [raw("a", *(f"http://data.example/{name}" for name in names))])
    followed(catalogue, clock)
    bad = {"03": Seen(404, 404), "07": Seen(404, 404)}

    def look(url: str, tag: str) -> Seen:
        return bad.get(url[-2:], Seen(200, 200, url=url, media_type="application/pdf", content=b"%PDF-1.4"))

    run(scripted(catalogue.engine, clock, look), 1)
    with catalogue.engine.connect() as connection:
        found = reports.of_dataset(connection, rows(catalogue.engine, link_uses)[0].dataset_id, limit=3)
    assert [(line.url[-2:], line.severity) for line in found] == [("03", "broken"), ("07", "broken"), ("00", "warning")]
