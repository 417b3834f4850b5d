"""`harvester validate`: what does not fit DCAT-AP in what we export, or in a file of somebody else's."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harvester.errors import UsageError
from harvester.rdf.profiles import PROFILES, profile_named


class Format(StrEnum):
    """How a report is printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def validate(
    source: Annotated[str | None, typer.Argument(help="Only what we export of this source; of all when none.")] = None,
    file: Annotated[Path | None, typer.Option(help="Validate this file of RDF instead, in any syntax.")] = None,
    shapes: Annotated[
        list[Path], typer.Option(help="SHACL files or folders to use instead of our own rules; may be repeated.")
    ] = [],  # noqa: B006
    vocabulary: Annotated[
        list[Path], typer.Option(help="RDF files that describe terms the data only mention; may be repeated.")
    ] = [],  # noqa: B006
    self_contained: Annotated[
        bool, typer.Option("--self-contained", help="Terms of the EU tables have to be described in the file too.")
    ] = False,
    profile: Annotated[str, typer.Option(help=f"One of {', '.join(PROFILES)}.")] = "dcat-ap-3.0.1",
    format: Annotated[Format, typer.Option("--format", help="How to print the report.")] = Format.TEXT,
    warnings: Annotated[bool, typer.Option("--warnings", help="Also show what is only recommended.")] = False,
    limit: Annotated[int | None, typer.Option(help="At most so many datasets.", min=1)] = None,
    after: Annotated[str | None, typer.Option(metavar="KEY", help="Go on after this dataset (key or IRI).")] = None,
) -> None:
    """Tell dataset by dataset what does not fit DCAT-AP: which property, which value, what to do.

    What we filled in because the profile demands it and the source does not say it is told as "derived".
    Exit codes: 0 no violation, 1 violations, 2 the command does not fit.
    """
    if source and file:
        raise UsageError("name a source or a file, not both", code="source-and-file")
    # The SHACL engine takes half a second to load, which no other command has to wait for.
    from harvester.cli import checking
    from harvester.validate.running import Asked

    choice = checking.Choice(source, file, after, limit, format, warnings)
    asked = Asked(
        profile_named(profile).name,
        tuple(shapes),
        tuple(vocabulary),
        exported=file is None,
        closed=self_contained or file is None,
    )
    raise typer.Exit(checking.run(choice, asked))
