"""`harvester export` and `dump`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Annotated

import typer

from harvester import dumps
from harvester.cli.shared import err, opened, out, progress_bars
from harvester.dumpfile import Made
from harvester.errors import UsageError
from harvester.rdf.profiles import DEFAULT, PROFILES, profile_named
from harvester.rdf.serialise import FORMATS
from harvester.schedule import utcnow
from harvester.search import open_index
from harvester.streams import stream
from harvester.views import view

Profile = Annotated[str, typer.Option(help=f"Application profile: {', '.join(PROFILES)}.")]
OfSource = Annotated[str | None, typer.Option(help="Only the datasets of this source.")]
OfPublisher = Annotated[str | None, typer.Option(help="Only the datasets of this publisher, by name.")]
OfSpace = Annotated[str | None, typer.Option(help="Only the datasets of this space.")]


def export(
    format: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = "ttl",
    output: Annotated[Path | None, typer.Option(help="File to write; standard output when left out.")] = None,
    profile: Profile = DEFAULT.name,
    source: OfSource = None,
    publisher: OfPublisher = None,
    space: OfSpace = None,
    quality: Annotated[
        bool, typer.Option("--quality", help="With the MQA of each dataset as measurements (DQV).")
    ] = False,
) -> None:
    """Write the catalogue or a part of it as DCAT-AP, of any size, in flat memory."""
    name, wanted = dumps.checked(format), profile_named(profile)
    with opened() as (settings, engine):
        with engine.connect() as connection:
            part = view(connection, settings, source=source, publisher=publisher, space=space, hvd=wanted.only_hvd)
        _write(stream(engine, open_index(settings), settings, part, name, wanted, quality), output)


def dump(
    formats: Annotated[
        list[str],
        typer.Option(
            "--format", help=f"{', '.join(FORMATS)}; repeat it for several; those of the settings when left out."
        ),
    ] = [],  # noqa: B006
    profile: Profile = DEFAULT.name,
    source: OfSource = None,
    publisher: OfPublisher = None,
    space: OfSpace = None,
    every: Annotated[
        bool, typer.Option("--all", help="What the nightly job makes: everything, and each space.")
    ] = False,
) -> None:
    """Write compressed dumps into the data directory; what did not change since the last one is copied.

    A dump that was stopped goes on where it stopped.
    """
    chosen = profile_named(profile)
    with opened() as (settings, engine), progress_bars() as bars:
        with engine.connect() as connection:
            part = view(connection, settings, source=source, publisher=publisher, space=space, hvd=chosen.only_hvd)
            wanted = [dumps.Wanted(part, dumps.checked(name), chosen) for name in formats or settings.dump_formats]
            wanted = dumps.every(connection, settings) if every else wanted
        task = bars.add_task("dumping", total=None)
        made = dumps.make(
            engine,
            open_index(settings),
            settings,
            wanted,
            lambda done, total: bars.update(task, completed=done, total=total),
            utcnow(),
        )
    print_dumps(made, dumps.folder(settings))


def print_dumps(made: Iterable[Made], directory: Path) -> None:
    """What was written, one line a file."""
    for item in made:
        told = f"{item.datasets:,} datasets, {item.bytes:,} bytes, sha256 {item.sha256[:16]}…"
        out.print(f"{directory / item.name}  [dim]{told}[/]", soft_wrap=True)


def _file(path: Path) -> IO[bytes]:
    """Raises `UsageError` where nothing can be written."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder: --output wants the name of a file", code="bad-output")
    try:
        return path.open("wb")
    except OSError as error:
        reason = f"{error.strerror or error}".lower()
        raise UsageError(f"cannot write to the folder {path.parent}: {reason}", code="bad-output") from error


def _write(chunks: Iterable[bytes], output: Path | None) -> None:
    if output is None:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        return
    if output.exists() and not output.is_file():
        # A device or a pipe is written to, never replaced.
        with _file(output) as file:
            file.writelines(chunks)
        return
    partial = output.with_name(output.name + ".part")
    with _file(partial) as file:
        file.writelines(chunks)
    partial.replace(output)
    err.print(f"wrote {output} ({output.stat().st_size:,} bytes)")
