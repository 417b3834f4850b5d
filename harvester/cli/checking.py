"""The work of `harvester validate`: takes the parts of an export or a file, has them checked, and reports."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import dropwhile, islice
from pathlib import Path

from harvester import sources
from harvester.catalogue import walking
from harvester.cli.reports import Origins, Report, report_in
from harvester.cli.shared import err, opened, progress_bars
from harvester.cli.validating import Format
from harvester.errors import UsageError
from harvester.validate.exported import Exported
from harvester.validate.feeds import Feed
from harvester.validate.findings import Severity
from harvester.validate.parts import DATASET, SERIES, Part
from harvester.validate.running import Asked, checked, parts_of, quieten

VIOLATIONS, STOPPED = 1, 130
# A file larger than this is read into a store on disk; in memory it takes ten times its size.
LARGE = 60_000_000
# From so many datasets on, two processes are faster than one that is ready at once.
MANY = 400


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be validated, from where to where, and how it is told."""

    source: str | None
    file: Path | None
    after: str | None
    limit: int | None
    format: Format
    warnings: bool


@dataclass(slots=True)
class Job:
    """One validation: its parts, how many datasets there are, where they come from, and what could not be read."""

    parts: Iterator[Part]
    total: int
    origins: Origins
    problems: list[str]


def run(choice: Choice, asked: Asked) -> int:
    """Check and print; the exit code.  Raises `UsageError` for what does not fit."""
    quieten()
    shown = frozenset(Severity) - (frozenset() if choice.warnings else {Severity.WARNING})
    with ExitStack() as stack:
        job = _of_catalogue(stack, asked, choice) if choice.file is None else _of_file(stack, asked, choice.file)
        if choice.file is not None and choice.after is not None:
            job.parts = islice(dropwhile(lambda part: str(part.root) != choice.after, job.parts), 1, None)
        for problem in job.problems:
            err.print(problem, markup=False, soft_wrap=True)
        with report_in(choice.format, job.origins, shown) as report:
            stopped = check(job, asked, report, choice.limit)
    if stopped:
        return STOPPED
    return VIOLATIONS if job.problems or report.totals.of(Severity.VIOLATION) else 0


def _of_catalogue(stack: ExitStack, asked: Asked, choice: Choice) -> Job:
    settings, engine = stack.enter_context(opened())
    with engine.connect() as connection:
        source_id = sources.named(connection, choice.source).id if choice.source else None
        total = walking.size(connection, walking.Stretch(source_id))
    exported = Exported(engine, settings, asked, asked.graph(), source_id)
    return Job(exported.parts(choice.after, choice.limit), total, exported.origin, [])


def _of_file(stack: ExitStack, asked: Asked, file: Path) -> Job:
    directory: Path | None = None
    if file.is_file() and file.stat().st_size > LARGE:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harvester-validate-")))
    feed = Feed(directory)
    feed.read(file)
    if not feed.typed:
        raise UsageError(f"{file} describes nothing: nothing in it has a class", code="nothing-described")
    parts = parts_of(feed, asked, asked.graph())
    total = len({node for kind in (DATASET, SERIES) for node in feed.typed.get(kind, ())})
    return Job(parts, total, lambda iri: None, feed.problems)


def check(job: Job, asked: Asked, report: Report, limit: int | None) -> bool:
    """Check and report, with progress; True when it was stopped before the end."""
    total = min(job.total, limit or job.total)
    processes = 2 if total > MANY and (os.cpu_count() or 1) > 1 else 1
    with progress_bars() as bars:
        task = bars.add_task("datasets", total=total)
        try:
            for group, found in checked(_limited(job.parts, limit), asked, processes):
                report.add(group, found)
                bars.update(task, completed=report.totals.datasets)
        except KeyboardInterrupt:
            bars.stop()
            err.print(f"stopped; go on with: {_again(job, report.last)}", markup=False, soft_wrap=True)
            return True
    return False


def _limited(parts: Iterator[Part], limit: int | None) -> Iterator[Part]:
    taken = 0
    for part in parts:
        taken += part.is_dataset
        if limit is not None and taken > limit:
            return
        yield part


def _again(job: Job, iri: str) -> str:
    """The command that goes on after a dataset: this one, from there."""
    words = sys.argv[1:]
    if "--after" in words:
        place = words.index("--after")
        words = words[:place] + words[place + 2 :]
    origin = job.origins(iri)
    after = ["--after", iri if origin is None else origin.key] if iri else []
    return shlex.join(["harvester", *words, *after])
