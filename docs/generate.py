"""Writes docs/reference.md (settings, commands, connectors, filters, endpoints, codes), properties.md and faults.md.

python docs/generate.py        (the tests fail while the file is out of date)
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from api.app import create_app
from harvester import registry
from harvester.cli import app as commands
from harvester.codes import table
from harvester.search.filters import FILTERS
from harvester.settings import Settings

TARGET = Path(__file__).with_name("reference.md")


def reference() -> str:
    """The whole page."""
    parts = (_head(), _settings(), _commands(), _connectors(), _filters(), _endpoints(), _codes())
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _head() -> Iterator[str]:
    yield "# Reference"
    yield ""
    yield "Made from the code by `python docs/generate.py`; do not edit."
    yield ""


def _settings() -> Iterator[str]:
    yield "## Settings"
    yield ""
    yield "Read from the environment."
    yield ""
    prefix = Settings.model_config.get("env_prefix") or ""
    rows = (
        [f"`{prefix}{name.upper()}`", _default(f), f.description or ""] for name, f in Settings.model_fields.items()
    )
    yield from _table(("variable", "default", "meaning"), rows)


def _commands() -> Iterator[str]:
    yield "## Commands"
    yield ""
    root = typer.main.get_command(commands)
    yield from _table(("command", "what it does"), _command_rows(root, "harvester"))


def _command_rows(command: Any, path: str) -> Iterator[list[str]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        usage = " ".join(_argument(p) for p in command.params if p.name not in ("help",) and not p.hidden)
        yield [f"`{path} {usage}`".replace(" `", "`"), (command.help or "").strip().split("\n\n")[0].replace("\n", " ")]
        return
    for name, child in inner.items():
        yield from _command_rows(child, f"{path} {name}")


def _argument(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(
            parameter.metavar or (parameter.name.upper() if parameter.required else f"[{parameter.name.upper()}]")
        )
    return f"[{max(parameter.opts, key=len)}]"


def _connectors() -> Iterator[str]:
    yield "## Connectors and their options"
    yield ""
    yield "Options are given as `--option key=value` when a source is added; a repeated key makes a list."
    yield ""
    for name in registry.names():
        module = registry.connector(name)
        yield f"### {name}"
        yield ""
        yield (getattr(module, "__doc__", "") or "").strip().split("\n\n")[0].replace("\n", " ")
        yield ""
        yield from _options(module.Options)


def _options(options: type[BaseModel]) -> Iterator[str]:
    rows = ([f"`{name}`", _default(f), f.description or ""] for name, f in options.model_fields.items())
    if options.model_fields:
        yield from _table(("option", "default", "meaning"), rows)
    else:
        yield "No options."
        yield ""


def _filters() -> Iterator[str]:
    yield "## Search filters"
    yield ""
    yield "Parameters of `GET /api/datasets`, and of `harvester search --filter name=value`."
    yield ""
    yield from _table(("filter", "meaning"), ([f"`{f.name}`", f.description] for f in FILTERS))


def _endpoints() -> Iterator[str]:
    yield "## Endpoints"
    yield ""
    paths = create_app(Settings()).openapi()["paths"]
    rows = (
        [f"`{method.upper()} {path}`", operation.get("summary", "")]
        for path, operations in paths.items()
        for method, operation in operations.items()
    )
    yield from _table(("endpoint", "what it answers"), rows)


def _codes() -> Iterator[str]:
    yield "## Problem codes"
    yield ""
    yield "Of the problems of a run, of the reason why it ended as it did, and of the errors of commands and the API."
    yield "`*` stands for anything."
    yield ""
    rows = ([f"`{code.code}`", code.stage, code.severity, code.meaning, code.remedy] for code in table().values())
    yield from _table(("code", "arises in", "severity", "what it means", "what to do"), rows)


def _default(field: Any) -> str:
    default = field.get_default(call_default_factory=True)
    return "" if default in (PydanticUndefined, None, "", ()) else f"`{default}`"


def _table(columns: Iterable[str], rows: Iterable[list[str]]) -> Iterator[str]:
    names = list(columns)
    yield f"| {' | '.join(names)} |"
    yield f"|{'|'.join(' --- ' for _ in names)}|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in row)} |"
    yield ""


if __name__ == "__main__":
    # The table of properties runs every connector: only whoever writes it needs it.
    import properties

    TARGET.write_text(reference(), "utf-8")
    properties.TARGET.write_text(properties.page(), "utf-8")
    # The table of faults lies with the tests that play it.
    sys.path.insert(0, str(TARGET.parents[1]))
    from tests.faults import page

    page.TARGET.write_text(page.page(), "utf-8")
