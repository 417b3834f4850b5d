"""As much of Solr's query language as harvesters send to CKAN: `field:value`, date ranges, `sort`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

Package = Mapping[str, Any]
Test = Callable[[Package], bool]

CLAUSE = re.compile(r'(?P<sign>[+-]?)(?P<field>[A-Za-z_]\w*):(?P<value>\[[^\]]*\]|"[^"]*"|\S+)')
RANGE = re.compile(r"\[(\S+) TO (\S+)\]")
SORTABLE = frozenset({"id", "name", "title_string", "metadata_created", "metadata_modified", "score"})
DATES = frozenset({"metadata_created", "metadata_modified"})
# What CKAN copies into the index under another shape than the package has.
NAMED = {"organization": "organization", "groups": "groups", "tags": "tags"}
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


class SearchError(ValueError):
    """Solr would refuse this query."""


def instant(text: Any) -> datetime:
    """A date of a package; CKAN writes UTC without saying so.  What is no date sorts first."""
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError:
        return EARLIEST
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def selected(packages: Sequence[Package], q: str, filters: Iterable[str]) -> list[Package]:
    """The packages that match the query and every filter query."""
    tests = [*query_tests(q), *(test for text in filters for test in filter_tests(text))]
    return [package for package in packages if all(test(package) for test in tests)]


def query_tests(q: str) -> list[Test]:
    if q.strip() in {"", "*:*", "*"}:
        return []
    return filter_tests(q) if CLAUSE.search(q) else [partial(has_words, words=q.lower().split())]


def has_words(package: Package, words: Sequence[str]) -> bool:
    text = f"{package.get('title')} {package.get('notes')} {package.get('name')}".lower()
    return all(word.strip('"*') in text for word in words)


def filter_tests(text: str) -> list[Test]:
    return [clause_test(found) for found in CLAUSE.finditer(text)]


def clause_test(found: re.Match[str]) -> Test:
    sign, name, value = found["sign"], found["field"], found["value"]
    test = range_test(name, value) if value.startswith("[") else partial(equals, name=name, value=value.strip('"'))
    return (lambda package: not test(package)) if sign == "-" else test


def equals(package: Package, name: str, value: str) -> bool:
    values = {text.lower() for text in indexed(package, name)}
    wanted = value.lower()
    if wanted.endswith("*"):
        return any(text.startswith(wanted[:-1]) for text in values)
    return wanted in values


def indexed(package: Package, name: str) -> list[str]:
    """The values Solr holds for a field of a package."""
    if name in NAMED:
        held = package.get(name)
        parts = held if isinstance(held, list) else [held]
        return [str(part.get("name")) for part in parts if isinstance(part, Mapping)]
    if name == "res_format":
        return [str(part.get("format")) for part in package.get("resources") or () if isinstance(part, Mapping)]
    key = "type" if name == "dataset_type" else name
    # Fields that every visible package has by definition.
    return [str(package.get(key) or {"state": "active", "capacity": "public"}.get(key, ""))]


def range_test(name: str, value: str) -> Test:
    found = RANGE.fullmatch(value)
    if found is None or name not in DATES:
        raise SearchError(f"org.apache.solr.search.SyntaxError: Cannot parse '{name}:{value}'")
    low, high = (bound(text) for text in found.groups())
    return lambda package: (low or EARLIEST) <= instant(package.get(name)) <= (high or datetime.max.replace(tzinfo=UTC))


def bound(text: str) -> datetime | None:
    """One end of a date range; Solr insists on the Z."""
    if text == "*":
        return None
    if not text.endswith("Z") or instant(text) == EARLIEST:
        raise SearchError(f"Invalid Date String:'{text}'")
    return instant(text)


def ordered(packages: Sequence[Package], sort: str) -> list[Package]:
    """Packages in the order asked for; the last key is applied first because sorting is stable."""
    found = list(packages)
    for part in reversed(sort.split(",")):
        name, _, direction = part.strip().partition(" ")
        if name not in SORTABLE or direction.strip() not in {"asc", "desc"}:
            raise SearchError(f"sort param field can't be found: {name}")
        found.sort(key=sort_key(name), reverse=direction.strip() == "desc")
    return found


def sort_key(name: str) -> Callable[[Package], Any]:
    if name in DATES:
        return lambda package: instant(package.get(name))
    if name == "score":
        return lambda package: 0
    return lambda package: str(package.get("title" if name == "title_string" else name))
