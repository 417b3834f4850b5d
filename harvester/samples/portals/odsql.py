"""As much of ODSQL (Opendatasoft's query language) as harvesters send: comparisons joined by AND, `order_by`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from operator import eq, ge, gt, le, lt
from typing import Any

Item = Mapping[str, Any]
Test = Callable[[Item], bool]

DATES = frozenset({"modified", "data_processed", "metadata_processed"})
TOP_LEVEL = frozenset({"dataset_id", "dataset_uid", "has_records", "data_visible", "visibility", "features"})
BASIC = frozenset(
    {
        "title",
        "description",
        "theme",
        "keyword",
        "license",
        "license_url",
        "language",
        "publisher",
        "references",
        "records_count",
        "attributions",
        "territory",
        "federated",
        "source_domain",
        "source_domain_address",
        "source_dataset",
        "update_frequency",
    }
)
OTHER_GROUPS = ("dcat.", "inspire.", "custom.", "dcat_ap.")
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {">=": ge, "<=": le, ">": gt, "<": lt, "=": eq}

NULL = re.compile(r"(?P<field>[\w.-]+)\s+is\s+(?P<not>not\s+)?null", re.IGNORECASE)
COMPARISON = re.compile(r"(?P<field>[\w.-]+)\s*(?P<sign>>=|<=|>|<|=|:)\s*(?P<value>date'[^']*'|'[^']*'|\"[^\"]*\"|\S+)")
SEARCH = re.compile(r"(?:search\(\s*)?[\"'](?P<text>[^\"']*)[\"']\s*\)?")
AND = re.compile(r"\s+and\s+", re.IGNORECASE)


class OdsqlError(ValueError):
    """The query is refused; `code` is the `error_code` of the answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def unknown_field(name: str, clause: str) -> OdsqlError:
    message = f"ODSQL query is malformed: Unknown field: {name}. Clause(s) containing the error(s): {clause}."
    return OdsqlError("ODSQLError", message)


def syntax_error(text: str, clause: str) -> OdsqlError:
    message = f"ODSQL syntax exception: unexpected {text!r}. Clause(s) containing the error(s): {clause}."
    return OdsqlError("ODSQLSyntaxError", message)


def value_of(item: Item, name: str) -> Any:
    """A field by its name in ODSQL; the prefix `default.` may be left out."""
    if name in TOP_LEVEL:
        return item.get(name)
    group, _, key = name.rpartition(".")
    metas = (item.get("metas") or {}).get(group or "default")
    return metas.get(key) if isinstance(metas, Mapping) else None


def known(name: str, clause: str) -> str:
    plain = name.removeprefix("default.")
    if plain not in TOP_LEVEL | BASIC | DATES and not name.startswith(OTHER_GROUPS):
        raise unknown_field(name, clause)
    return name


def instant(value: Any) -> datetime | None:
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def where_test(where: str) -> Test:
    """The test a `where` clause stands for."""
    tests = [condition(part) for part in AND.split(where.strip()) if part]
    return lambda item: all(test(item) for test in tests)


def condition(text: str) -> Test:
    text = text.strip().removeprefix("(").removesuffix(")") if text.startswith("(") else text.strip()
    if found := NULL.fullmatch(text):
        return partial(is_null, name=known(found["field"], "where"), wanted=not found["not"])
    if found := SEARCH.fullmatch(text):
        return partial(mentions, text=found["text"].lower())
    if found := COMPARISON.fullmatch(text):
        return comparison(known(found["field"], "where"), found["sign"].replace(":", "="), found["value"])
    raise syntax_error(text, "where")


def is_null(item: Item, name: str, wanted: bool) -> bool:
    return (value_of(item, name) is None) is wanted


def mentions(item: Item, text: str) -> bool:
    return any(text in str(value_of(item, name)).lower() for name in ("dataset_id", "title", "description"))


def comparison(name: str, sign: str, text: str) -> Test:
    plain = name.removeprefix("default.")
    if plain in DATES:
        return partial(dated, name=name, sign=sign, bound=date_literal(text))
    if plain == "records_count":
        return partial(counted, name=name, sign=sign, bound=number_literal(text))
    if sign != "=":
        message = f"ODSQL query is malformed: {sign} is not supported on text field {name}."
        raise OdsqlError("ODSQLError", f"{message} Clause(s) containing the error(s): where.")
    return partial(equals, name=name, wanted=text.strip("'\"").lower())


def date_literal(text: str) -> datetime:
    """`date'2026-01-31'`, and the bare year that the documentation shows."""
    inner = text.removeprefix("date").strip("'\"")
    read = instant(f"{inner}-01-01" if re.fullmatch(r"\d{4}", inner) else inner)
    if read is None:
        raise syntax_error(text, "where")
    return read


def number_literal(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise syntax_error(text, "where") from error


def dated(item: Item, name: str, sign: str, bound: datetime) -> bool:
    value = instant(value_of(item, name))
    return value is not None and OPERATORS[sign](value, bound)


def counted(item: Item, name: str, sign: str, bound: float) -> bool:
    value = value_of(item, name)
    return isinstance(value, int | float) and OPERATORS[sign](value, bound)


def equals(item: Item, name: str, wanted: str) -> bool:
    value = value_of(item, name)
    values = value if isinstance(value, list) else [value]
    return wanted in {str(one).lower() for one in values}


def ordered(items: Sequence[Item], order_by: str) -> list[Item]:
    """Items in the order asked for, those without a value last in either direction."""
    found = list(items)
    for part in reversed([part.split() for part in order_by.split(",") if part.strip()]):
        name, direction = part[0], part[1].lower() if len(part) > 1 else "asc"
        if direction not in {"asc", "desc"} or len(part) > 2:
            raise syntax_error(" ".join(part), "order_by")
        key = sort_key(known(name, "order_by"))
        with_value = [item for item in found if key(item) is not None]
        without = [item for item in found if key(item) is None]
        found = sorted(with_value, key=key, reverse=direction == "desc") + without
    return found


def sort_key(name: str) -> Callable[[Item], Any]:
    if name.removeprefix("default.") in DATES:
        return lambda item: instant(value_of(item, name))
    if name.removeprefix("default.") == "records_count":
        return lambda item: value_of(item, name)
    return lambda item: None if value_of(item, name) is None else str(value_of(item, name))
