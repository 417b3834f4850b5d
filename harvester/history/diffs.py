"""What a run changed, line by line, as text for people and as CSV, JSON or newline-delimited JSON for programs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from harvester import jsonio
from harvester.history.telling import Field, value_words

COLUMNS = (
    "action", "source", "guid", "title", "dataset", "at", "path", "change", "from", "to", "code", "message", "was",
)  # fmt: skip
# What a spreadsheet takes for a formula; a number with a sign is none.
# Marks that do not show may stand before it.
_FORMULA = re.compile(r"[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Line:
    """One record in a run's diff or a dataset's history.

    `fields` tell what became of an updated one, `code` and `message` why one could not be used, `was` the guid it had
    before; `dataset` and `at` are missing in a dry run, which wrote nothing.
    """

    action: str
    guid: str | None
    title: str | None = None
    fields: tuple[Field, ...] = ()
    code: str | None = None
    message: str | None = None
    was: str | None = None
    source: str | None = None
    dataset: str | None = None
    at: datetime | None = None
    run: int | None = None
    cursor: str | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON; what there is nothing to say of is left out."""
        told = {
            "action": self.action,
            "source": self.source,
            "guid": self.guid,
            "title": self.title,
            "dataset": self.dataset,
            "at": self.at and self.at.isoformat().replace("+00:00", "Z"),
            "run": self.run,
            "was": self.was,
            "code": self.code,
            "message": self.message,
            "changes": [field.plain() for field in self.fields],
        }
        return {name: value for name, value in told.items() if value}


class Form(Protocol):
    """How lines are written: what stands before them, each one, what stands after them."""

    media_type: str

    def head(self) -> str: ...

    def line(self, line: Line) -> str: ...

    def foot(self) -> str: ...


class Text:
    """For people: a line a record, and one under it for each field."""

    media_type = "text/plain; charset=utf-8"

    def head(self) -> str:
        """Nothing."""
        return ""

    def line(self, line: Line) -> str:
        """The record, then what changed of it."""
        named = (line.at and f"{line.at:%Y-%m-%d %H:%M}", line.source, line.guid or "(the source)", line.title)
        told = [f"{line.action:10}{'  '.join(one_line(each) for each in named if each)}"]
        if line.was:
            told.append(f"    was {one_line(line.was)}")
        if line.message:
            told.append(f"    {line.code}: {one_line(line.message)}")
        told += [f"    {one_line(field.words)}" for field in line.fields]
        return "\n".join(told) + "\n"

    def foot(self) -> str:
        """Nothing."""
        return ""


class Csv:
    """One row a field; a record without changed fields is one row.  No cell is a formula for a spreadsheet."""

    media_type = "text/csv; charset=utf-8"

    def head(self) -> str:
        """The names of the columns."""
        return _row(COLUMNS)

    def line(self, line: Line) -> str:
        """As many rows as fields changed."""
        about = {name: value for name, value in line.plain().items() if name in COLUMNS}
        rows = [_cells(field) for field in line.fields] or [{}]
        return "".join(_row([safe({**about, **row}.get(column)) for column in COLUMNS]) for row in rows)

    def foot(self) -> str:
        """Nothing."""
        return ""


class Ndjson:
    """One JSON object a record."""

    media_type = "application/x-ndjson"

    def head(self) -> str:
        """Nothing."""
        return ""

    def line(self, line: Line) -> str:
        """The record with all its changes."""
        return jsonio.dumps(line.plain()).decode() + "\n"

    def foot(self) -> str:
        """Nothing."""
        return ""


class Json:
    """One JSON document."""

    media_type = "application/json"

    def __init__(self) -> None:
        self._before = "\n"

    def head(self) -> str:
        """The beginning of the list."""
        return '{"changes":['

    def line(self, line: Line) -> str:
        """The record with all its changes."""
        told = self._before + jsonio.dumps(line.plain()).decode()
        self._before = ",\n"
        return told

    def foot(self) -> str:
        """The end of the list."""
        return "\n]}\n"


FORMS: dict[str, type[Form]] = {"text": Text, "csv": Csv, "json": Json, "ndjson": Ndjson}


def written(lines: Iterable[Line], name: str) -> Iterator[str]:
    """Lines in one of the forms, piece by piece."""
    form = FORMS[name]()
    yield form.head()
    for line in lines:
        yield form.line(line)
    yield form.foot()


def one_line(text: str) -> str:
    """A text that cannot pass for another line, nor move the cursor of a terminal."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def safe(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    cell = "" if value is None else str(value)
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _cells(field: Field) -> dict[str, str]:
    values = {"from": field.before, "to": field.after}
    told = {name: value_words(value) for name, value in values.items() if value is not None}
    return {"path": field.path, "change": field.kind, **told}


def _row(cells: Iterable[str]) -> str:
    made = io.StringIO()
    csv.writer(made).writerow(cells)
    return made.getvalue()
