"""What we export fits every profile, and `harvester validate` says so, or what does not, in the words of its user."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from sqlalchemy import Engine

from harvester import export, sources, worker
from harvester.catalogue import walking
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.cli import checking
from harvester.cli.reports import report_in
from harvester.cli.validating import Format
from harvester.model import Dataset
from harvester.rdf.entries import Entry
from harvester.rdf.export import page
from harvester.rdf.profiles import PROFILES
from harvester.samples import SAMPLES
from harvester.samples.serving import serve
from harvester.schedule import utcnow
from harvester.settings import Settings
from harvester.validate import Finding, Severity
from harvester.validate.exported import Exported
from harvester.validate.feeds import Feed
from harvester.validate.parts import Part
from harvester.validate.running import BATCH, Asked, checked, parts_of, quieten
from tests.catalogues import Catalogue, catalogue
from tests.databases import database_url
from tests.rdf_datasets import DATASET
from tests.test_cli import Command, command_in
from tests.test_validate import OFFICIAL
from tests.validated import turtle

# The checks take long, and see nothing but exports, which test_export makes on both databases.
pytestmark = [pytest.mark.usefixtures("database"), pytest.mark.one_database("sqlite")]

ABOUT = export.info(Settings())


@pytest.fixture(scope="module")
def samples(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Settings]]:
    """The four sample portals, harvested."""
    quieten()
    data = tmp_path_factory.mktemp("samples")
    settings = Settings(data=data, database_url=database_url(data), private_hosts=("127.0.0.1",), retries=0)
    engine = open_engine(settings)
    migrate(engine)
    for sample in SAMPLES:
        with serve(sample.portal()) as server:
            with writing(engine) as connection:
                url, options = server.url + sample.path, {"public_url": sample.public_url}
                now = utcnow()
                sources.add(connection, url=url, connector=sample.connector, name=sample.name, options=options, now=now)
                row = sources.named(connection, sample.name)
                claim = worker.begin(connection, row, "full", now)
            worker.execute(engine, settings, row, claim, utcnow)
    yield engine, settings
    engine.dispose()


def violations(exported: Exported, asked: Asked) -> list[Finding]:
    found = [item for _, several in checked(exported.parts(), asked) for item in several]
    return [item for item in found if item.severity is Severity.VIOLATION]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_samples_fit_our_rules(samples: tuple[Engine, Settings], profile: str) -> None:
    asked = Asked(profile, exported=True, closed=True)
    exported = Exported(*samples, asked, asked.graph())
    assert violations(exported, asked) == []
    with samples[0].connect() as connection:
        assert exported.datasets == walking.size(connection, walking.Stretch())


@pytest.mark.parametrize("profile", PROFILES)
def test_the_samples_fit_the_official_shapes(samples: tuple[Engine, Settings], profile: str, shared: Path) -> None:
    files = tuple(shared / "dcat-ap/shapes" / name for name in OFFICIAL[profile])
    asked = Asked(profile, files, exported=True, closed=True)
    assert violations(Exported(*samples, asked, asked.graph()), asked) == []


def judged(body: bytes, asked: Asked) -> list[Finding]:
    feed = Feed()
    feed.parse(body, ABOUT.iri)
    parts = parts_of(feed, asked, asked.graph())
    found = [item for _, several in checked(parts, asked) for item in several]
    return [item for item in found if item.severity is Severity.VIOLATION]


@example_settings(max_examples=15)
@given(DATASET)
def test_any_dataset_fits_when_exported(raw: dict[str, object]) -> None:
    dataset = Dataset.of(raw)
    for name, profile in PROFILES.items():
        body = page(ABOUT, [Entry(f"{ABOUT.iri}/d", dataset, ())], name="nt", profile=profile)
        assert judged(body, Asked(name, closed=True)) == []


@pytest.fixture
def small(tmp_path: Path) -> Catalogue:
    """Three datasets, one of which says little."""
    made = catalogue(tmp_path / "data")
    full = {"description": "D", "distribution": [{"access_url": ["https://p.example/a.csv"], "title": "Table"}]}
    made.add("port", [{"identifier": str(n), "title": f"Tides {n}", **full} for n in range(2)])
    made.add("port", [{"identifier": "bare", "title": "Bare", "distribution": [{"title": "Somewhere"}]}])
    made.engine.dispose()
    return made


def command(made: Catalogue) -> Command:
    return command_in(made.settings.data)


def test_what_we_filled_in_is_told_dataset_by_dataset(small: Catalogue) -> None:
    done = command(small)("validate", "port")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    lines = done.stdout.splitlines()
    assert "Bare" in lines
    key = small.key("port", "bare")
    assert f"  key {key}, from port (bare)" in lines
    assert "  derived distribution «Somewhere»: access URL (dcat:accessURL) is not stated; we filled it in" in lines
    assert lines[-1].startswith("3 datasets: 0 violations, ")


def test_datasets_that_are_only_mentioned_are_not_counted(tmp_path: Path) -> None:
    made = catalogue(tmp_path / "data")
    named = [{"identifier": str(n), "title": f"Tides {n}", "uri": f"https://p.example/id/{n}"} for n in range(3)]
    named[0]["has_version"] = [{"uri": f"https://p.example/id/{n}"} for n in ("elsewhere", 2)]  # type: ignore[assignment]
    made.add("port", named)
    made.add("quay", [{"identifier": "q", "title": "Quay", "has_version": [{"uri": "https://p.example/id/1"}]}])
    made.engine.dispose()
    for words, number in (((), 4), (("quay",), 1), (("--limit", "2"), 2)):
        done = command(made)("validate", *words)
        assert done.stdout.splitlines()[-1].startswith(f"{number} datasets: "), done.stdout


def test_a_report_can_be_cut_and_gone_on_with(small: Catalogue) -> None:
    harvester = command(small)
    first = harvester("validate", "--limit", "1", "--format", "json")
    assert json.loads(first.stdout)["datasets"] == 1
    rest = harvester("validate", "--after", small.key("port", "0"), "--format", "json")
    report = json.loads(rest.stdout)
    assert report["datasets"] == 2
    (told,) = (found for found in report["findings"] if found["property"] == "dcat:accessURL")
    assert (told["key"], told["sources"]) == (small.key("port", "bare"), [{"source": "port", "guid": "bare"}])
    assert harvester("validate", "--after", "nothing").returncode == 2


def test_a_file_of_somebody_elses_is_judged_in_any_syntax(tmp_path: Path) -> None:
    harvester = command_in(tmp_path / "data")
    file = tmp_path / "feed"
    file.write_bytes(turtle("no access URL"))
    done = harvester("validate", "--file", str(file), "--format", "csv")
    assert done.returncode == 1
    (row,) = (row for row in csv.DictReader(io.StringIO(done.stdout)) if row["severity"] == "violation")
    assert (row["property"], row["where"], row["dataset"]) == (
        "dcat:accessURL", "distribution «Table»", "https://harbour.example/ds"
    )  # fmt: skip
    file.write_bytes(turtle("nothing"))
    assert harvester("validate", "--file", str(file)).returncode == 0
    assert "type (dct:type) is missing" not in harvester("validate", "--file", str(file)).stderr
    assert "application profile" in harvester("validate", "--file", str(file), "--warnings").stdout


def test_shapes_of_somebody_elses_are_used(tmp_path: Path) -> None:
    (tmp_path / "shapes").mkdir()
    (tmp_path / "shapes" / "own.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix dcat: <http://www.w3.org/ns/dcat#> ."
        "<urn:shape> a sh:NodeShape ; sh:targetClass dcat:Dataset ; sh:property"
        '[ sh:path dcat:version ; sh:name "edition"@en ; sh:minCount 1 ] .',
        "utf-8",
    )
    file = tmp_path / "feed.ttl"
    file.write_bytes(turtle("no access URL"))
    words = ("validate", "--file", str(file), "--shapes", str(tmp_path / "shapes"), "--format", "json")
    report = json.loads(command_in(tmp_path / "data")(*words).stdout)
    assert [(found["property"], found["problem"]) for found in report["findings"]] == [("dcat:version", "is missing")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("validate", "port", "--file", "x.ttl"), "not both"),
        (("validate", "--file", "nowhere.ttl"), "nowhere.ttl cannot be read"),
        (("validate", "--profile", "dcat-ap-9"), "no profile"),
        (("validate", "--shapes", "nowhere"), "nowhere cannot be read"),
        (("validate", "nobody"), "nobody"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    done = command_in(tmp_path / "data")(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_with_errors_is_not_valid(tmp_path: Path) -> None:
    file = tmp_path / "feed.ttl"
    file.write_bytes(turtle("nothing") + b"\n<https://h.example/a> <https://h.example/p> .\n")
    done = command_in(tmp_path / "data")("validate", "--file", str(file))
    assert done.returncode == 1
    assert "syntax error" in done.stderr


def test_a_check_that_is_stopped_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["harvester", "validate", "--file", "my feed.ttl", "--after", "x", "--warnings"])
    asked = Asked("dcat-ap-3.0.1", closed=True)
    feed = Feed()
    feed.parse(turtle("no title"), "https://harbour.example/")

    def parts() -> Iterator[Part]:
        for part in parts_of(feed, asked, asked.graph()):
            part.triples += [part.triples[0]] * BATCH
            yield part
            if part.is_dataset:
                raise KeyboardInterrupt

    with report_in(Format.TEXT, lambda iri: None, frozenset(Severity)) as report:
        assert checking.check(checking.Job(parts(), 1, lambda iri: None, []), asked, report, None)
    told = capsys.readouterr()
    assert "stopped; go on with: harvester validate --file 'my feed.ttl' --warnings --after https" in told.err
    assert "dct:title" in told.out
