"""How a field cleans what a portal sent: a total function that answers a clean value and reports what it changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

EXCERPT = 200


class FieldProblem(NamedTuple):
    """One value that was dropped or repaired: where it stood, a stable code, the value, what was wrong."""

    field: str
    code: str
    value: str
    message: str


class Report:
    """Collects the problems of fields while they are cleaned, one after the other: `field` is the one at work.

    Without a list to fill, it forgets them.
    """

    __slots__ = ("_problems", "field")

    def __init__(
        self, field: str | core_schema.ValidationInfo = "", problems: list[FieldProblem] | None = None
    ) -> None:
        self.field = field
        self._problems = problems

    def __call__(self, code: str, value: object, message: str) -> None:
        """Note that `value` was dropped or repaired."""
        if self._problems is not None:
            # Named only now: nearly all fields of nearly all records have nothing to report.
            field = self.field if isinstance(self.field, str) else _path(self.field)
            self._problems.append(FieldProblem(field, code, excerpt(value), message))


SILENT = Report()


def excerpt(value: object) -> str:
    """The value as a short, printable, single line."""
    shown = value if isinstance(value, str) else repr(value)
    shown = "".join(c if c.isprintable() else " " for c in shown[: EXCERPT + 1])
    return shown if len(shown) <= EXCERPT else shown[: EXCERPT - 1] + "…"


class Cleaned:
    """Annotates a field of the model: its value is whatever `clean` answers, whoever sends what.

    Serialised by its actual type: pydantic's own PlainValidator would serialise every value twice.
    """

    def __init__(self, clean: Callable[[Any, Report], Any]) -> None:
        self._clean = clean

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(_validator(self._clean))


def _validator(clean: Callable[[Any, Report], Any]) -> Callable[[Any, core_schema.ValidationInfo], Any]:
    """A closure: it runs for every field of every record, and has nothing to look up."""
    nothing = clean(None, SILENT)

    def validate(value: Any, info: core_schema.ValidationInfo) -> Any:
        if value is None:
            return nothing.copy() if type(nothing) is dict else nothing
        report = info.context
        if report is None:
            return clean(value, SILENT)
        report.field = info
        return clean(value, report)

    return validate


def cleaned_by(clean: Callable[[Any, Report], Any]) -> Cleaned:
    """The annotation of a field that `clean` cleans."""
    return Cleaned(clean)


def _path(info: core_schema.ValidationInfo) -> str:
    """The field as a person names it: `issued` of the dataset itself, `distribution.issued` of a part."""
    owner = (info.config or {}).get("title", "dataset")
    return str(info.field_name) if owner == "dataset" else f"{owner}.{info.field_name}"
