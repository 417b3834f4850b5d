"""The command line as a person uses it: the demo, then every command on what it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rdflib import Graph

from harvester.errors import UsageError
from harvester.samples import SAMPLES, overlaps
from harvester.samples.serving import Reply, Request, serve
from harvester.services import Nightly
from harvester.settings import Settings
from tests.catalogues import distinct
from tests.databases import database_url

pytestmark = pytest.mark.usefixtures("database")

Command = Callable[..., subprocess.CompletedProcess[str]]
FORMATS = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld", "nt": "nt"}


def command_in(data: Path) -> Command:
    environment = os.environ | {
        "HARVESTER_DATA": str(data),
        "HARVESTER_DATABASE_URL": database_url(data),
        "HARVESTER_PRIVATE_HOSTS": "127.0.0.1",
        "HARVESTER_RETRIES": "0",
        "COLUMNS": "200",
    }

    def harvester(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harvester", *words], env=environment, capture_output=True, text=True, timeout=120
        )

    return harvester


@pytest.fixture(scope="module")
def demo(database: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Command, str]:
    """A catalogue made by `harvester demo --once`, and what that printed."""
    harvester = command_in(tmp_path_factory.mktemp("demo"))
    done = harvester("demo", "--once")
    assert done.returncode == 0, done.stderr
    return harvester, done.stdout


def test_the_demo_shows_what_arrived_and_a_search(demo: tuple[Command, str]) -> None:
    _, printed = demo
    for sample in SAMPLES:
        assert f"{sample.count}" in next(line for line in printed.splitlines() if f"│ {sample.name} " in line)
    assert "one catalogue of " in printed
    assert "Comptages vélo" in printed


def test_what_stands_on_two_portals_is_there_once(demo: tuple[Command, str]) -> None:
    total = int(demo[1].split("one catalogue of ")[1].split()[0])
    records = sum(sample.count for sample in SAMPLES)
    assert total == records - sum(len(group) - 1 for group in overlaps())


def test_a_second_demo_changes_nothing(demo: tuple[Command, str]) -> None:
    again = demo[0]("demo", "--once").stdout
    lines = [line for line in again.splitlines() if "succeeded" in line]
    assert len(lines) == len(SAMPLES)
    header = next(line for line in again.splitlines() if "unchanged" in line)
    column = [cell.strip() for cell in header.split("┃")].index("unchanged")
    assert sorted(int(line.split("│")[column]) for line in lines) == sorted(sample.count for sample in SAMPLES)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_export_is_read_by_another_library(demo: tuple[Command, str], name: str, tmp_path: Path) -> None:
    target = tmp_path / f"catalogue.{name}"
    assert demo[0]("export", "--format", name, "--output", str(target)).returncode == 0
    graph = Graph().parse(target, format=FORMATS[name])
    rows = graph.query("SELECT (COUNT(DISTINCT ?d) AS ?n) WHERE { ?c <http://www.w3.org/ns/dcat#dataset> ?d }")
    counted = str(next(iter(rows))[0])  # type: ignore[index]
    assert counted == demo[1].split("one catalogue of ")[1].split()[0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("search", "qualité", "eau"), "datasets"),
        (("search", "--filter", "source=udata", "--sort", "title"), "datasets"),
        (("source", "list"), "opendatasoft"),
        (("source", "show", "ckan"), "public_url"),
        (("runs",), "succeeded"),
        (("problems", "1"), "severity"),
        (("vocabulary", "unmatched"), "vocabulary"),
        (("index", "rebuild"), "indexed"),
        (("index", "refresh"), "applied 0"),
        (("replay", "dcat"), "succeeded"),
        (("migrate",), "up to date"),
        (("--help",), "harvester demo"),
        (("--version",), "harvester 0"),
    ],
)
def test_every_command_answers(demo: tuple[Command, str], words: tuple[str, ...], expected: str) -> None:
    done = demo[0](*words)
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("run", "no-such-source"),
        ("source", "show", "no-such-source"),
        ("source", "add", "http://127.0.0.1:9/", "--connector", "gopher"),
        ("source", "add", "http://127.0.0.1:9/", "--connector", "ckan", "--option", "nonsense"),
        ("problems", "99999"),
        ("export", "--format", "docx"),
        ("search", "--filter", "nonsense"),
        ("search", "--filter", "colour=red"),
        ("nonsense",),
        ("run", "--nonsense"),
    ],
)
@pytest.mark.one_database("sqlite", reason="no sentence depends on it, and each is a process")
def test_what_does_not_fit_is_told_in_a_sentence(demo: tuple[Command, str], words: tuple[str, ...]) -> None:
    done = demo[0](*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_a_source_is_recognised_added_harvested_and_removed(tmp_path: Path) -> None:
    harvester = command_in(tmp_path)
    sample = SAMPLES[0]
    server = serve(sample.portal())
    try:
        assert "120" in harvester("source", "recognise", server.url + sample.path).stdout
        assert harvester("source", "add", server.url + sample.path, "--name", "one").returncode == 0
        dry = harvester("run", "--dry-run")
        assert dry.stdout.count("created") >= sample.count
        assert "0 datasets" in harvester("search").stdout
        assert harvester("run", "one").returncode == 0
    finally:
        server.close()
    failed = harvester("run", "one")
    assert failed.returncode == 1
    assert "failed" in failed.stdout
    assert f"{distinct(sample)} datasets" in harvester("search").stdout
    assert harvester("source", "remove", "one", "--yes").returncode == 0
    assert "0 datasets" in harvester("search").stdout


def test_a_page_that_is_no_portal_is_not_recognised(tmp_path: Path) -> None:
    def page(request: Request) -> Reply:
        return Reply(200, b"<html><title>Bakery</title></html>", "text/html")

    server = serve(page)
    try:
        done = command_in(tmp_path)("source", "recognise", server.url)
    finally:
        server.close()
    assert done.returncode == 2
    assert "no connector recognises" in done.stderr


def test_a_private_address_is_refused_unless_allowed(tmp_path: Path) -> None:
    server = serve(SAMPLES[0].portal())
    try:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("HARVESTER_")}
        done = subprocess.run(
            [sys.executable, "-m", "harvester", "source", "recognise", server.url + SAMPLES[0].path],
            env=environment | {"HARVESTER_DATA": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        server.close()
    assert done.returncode == 1
    assert "HARVESTER_PRIVATE_HOSTS" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "words", "code"),
    [
        ("HARVESTER_PORT", "abc", ("search",), 2),
        ("HARVESTER_DATABASE_URL", "nonsense", ("search",), 1),
        ("HARVESTER_DATA", "/proc/nothing", ("search",), 1),
        ("HARVESTER_LANGUAGE", "fr", ("export", "--output", "/nonexistent/x.ttl"), 2),
    ],
)
def test_a_bad_environment_is_told_in_a_sentence(
    tmp_path: Path, variable: str, value: str, words: tuple[str, ...], code: int
) -> None:
    environment = os.environ | {"HARVESTER_DATA": str(tmp_path), variable: value}
    command = [sys.executable, "-m", "harvester", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error:")


@pytest.mark.parametrize(("place", "told"), [("nowhere/x.ttl", "nowhere"), (".", "is a folder")])
def test_an_export_that_cannot_be_written_names_the_folder(tmp_path: Path, place: str, told: str) -> None:
    done = command_in(tmp_path / "data")("export", "--output", str(tmp_path / place))
    assert (done.returncode, "Errno" in done.stderr, ".part" in done.stderr) == (2, False, False)
    assert told in done.stderr
    assert str(tmp_path) in done.stderr.replace("\n", "")


def test_what_is_held_is_shown_and_let_go(tmp_path: Path) -> None:
    harvester, sample = command_in(tmp_path), SAMPLES[0]
    shown = sample.portal()
    empty = {"later": False}

    def portal(request: Request) -> Reply:
        reply = shown(request)
        if empty["later"] and request.path.endswith("package_search"):
            body = reply.json()
            body["result"] |= {"count": 0, "results": []}
            return Reply(200, json.dumps(body).encode())
        return reply

    server = serve(portal)
    try:
        harvester("source", "add", server.url + sample.path, "--name", "one")
        harvester("run")
        empty["later"] = True
        assert "held" in harvester("run", "--full").stdout
    finally:
        server.close()
    assert harvester("run", "confirm", "1", "--yes").returncode == 2
    done = harvester("run", "confirm", "2", "--yes")
    assert f"retired {sample.count} records" in done.stdout
    assert "0 datasets" in harvester("search").stdout


def test_nightly_dumps_are_checked_when_they_are_planned(tmp_path: Path) -> None:
    for wrong in ({"dump_schedule": "sometimes"}, {"dump_formats": "ttl,docx"}):
        with pytest.raises(UsageError):
            Nightly(Settings(data=tmp_path, **wrong))  # type: ignore[arg-type]
    for schedule in ("", "0 3 * * *"):
        nightly = Nightly(Settings(data=tmp_path, dump_schedule=schedule))
        nightly.start()
        nightly.stop()


def test_a_dump_under_way_ends_with_the_service(tmp_path: Path) -> None:
    mark = tmp_path / "running"
    waits = f"import pathlib, time; pathlib.Path({str(mark)!r}).touch(); time.sleep(600)"
    nightly = Nightly(Settings(data=tmp_path), (sys.executable, "-c", waits))
    thread = threading.Thread(target=nightly.dump)
    thread.start()
    while not mark.exists():
        time.sleep(0.01)
    nightly.stop()
    thread.join(60)
    assert not thread.is_alive()
