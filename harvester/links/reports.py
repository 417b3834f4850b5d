"""What is wrong with the links of a source or of a dataset, link by link, with what to do about it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Engine, Row, Select, and_, case, func, or_, select

from harvester.catalogue.packing import expand
from harvester.catalogue.tables import addresses, datasets, documents, link_uses, records, sources
from harvester.errors import UsageError
from harvester.fields.languages import preferred
from harvester.history.diffs import safe
from harvester.links.faults import FAULTS, Severity
from harvester.links.store import pieces
from harvester.links.verdicts import unpacked
from harvester.net.urls import redacted

PAGE = 500
_MARKS = {"broken": "BROKEN ", "warning": "warning", "notice": "notice "}


@dataclass(frozen=True, slots=True)
class Line:
    """One link of one record that something is wrong with; `since` when, `declared` and `found` are formats."""

    severity: str
    fault: str
    source: str
    dataset: str
    guid: str
    title: str | None
    record_url: str | None
    distribution: str | None
    number: int
    role: str
    url: str
    status: int | None
    declared: str | None
    found: str | None
    target: str | None
    since: datetime | None
    checked_at: datetime | None
    meaning: str
    advice: str


COLUMNS = tuple(Line.__dataclass_fields__)


class Cursor(NamedTuple):
    """Where a page ends."""

    record_id: int
    link_id: int

    def __str__(self) -> str:
        return f"{self.record_id}-{self.link_id}"


class Summary(NamedTuple):
    """Addresses of a source by state, and its links by what is wrong with them."""

    addresses: dict[str, int]
    faults: dict[tuple[str, str], int]

    def of(self, severity: str) -> int:
        """How many links have faults of this severity."""
        return sum(number for (found, _), number in self.faults.items() if found == severity)


def cursor(text: str) -> Cursor | None:
    """Where to go on; None for the beginning.  Raises `UsageError` for what was never the end of a page."""
    if not text:
        return None
    first, _, second = text.partition("-")
    if not (first.isascii() and first.isdecimal() and second.isascii() and second.isdecimal() and len(text) < 40):
        raise UsageError("`after` is what `next` of another page says", code="bad-parameter", field="after")
    return Cursor(min(int(first), (1 << 63) - 1), min(int(second), (1 << 63) - 1))


def page(
    connection: Connection,
    source_id: int,
    after: Cursor | None = None,
    limit: int = PAGE,
    severity: str | None = None,
    fault: str | None = None,
    language: str = "",
) -> tuple[list[Line], Cursor | None]:
    """Faulty links of a source, by record, and where the next page begins; None at the end."""
    statement = _faulty().where(link_uses.c.source_id == source_id)
    for column, wanted in ((link_uses.c.severity, severity), (link_uses.c.fault, fault)):
        statement = statement if wanted is None else statement.where(column == wanted)
    if after is not None:
        later = and_(link_uses.c.record_id == after.record_id, link_uses.c.link_id > after.link_id)
        statement = statement.where(or_(link_uses.c.record_id > after.record_id, later))
    ordered = statement.order_by(link_uses.c.record_id, link_uses.c.link_id).limit(limit)
    rows = connection.execute(ordered).all()
    last = Cursor(rows[-1].record_id, rows[-1].link_id) if len(rows) == limit else None
    return _lines(connection, rows, language), last


def of_dataset(connection: Connection, dataset_id: int, limit: int = PAGE, language: str = "") -> list[Line]:
    """Faulty links of a dataset, of whatever records name them, the worst first."""
    worst = case({str(name): place for place, name in enumerate(Severity)}, value=link_uses.c.severity)
    faulty = _faulty().where(link_uses.c.dataset_id == dataset_id)
    ordered = faulty.order_by(worst, addresses.c.address, link_uses.c.record_id)
    return _lines(connection, connection.execute(ordered.limit(limit)).all(), language)


def lines(engine: Engine, source_id: int, severity: str | None = None, language: str = "") -> Iterator[Line]:
    """Every faulty link of a source; each page is read in a transaction of its own."""
    after: Cursor | None = None
    while True:
        with engine.connect() as connection:
            found, after = page(connection, source_id, after, PAGE, severity, None, language)
        yield from found
        if after is None:
            return


def summary(connection: Connection, source_id: int) -> Summary:
    """How the links of a source are."""
    states = select(addresses.c.state, func.count(link_uses.c.link_id.distinct()))
    states = states.join(link_uses, link_uses.c.link_id == addresses.c.id)
    states = states.where(link_uses.c.source_id == source_id).group_by(addresses.c.state)
    kinds = (link_uses.c.severity, link_uses.c.fault)
    faults = select(*kinds, func.count()).where(link_uses.c.source_id == source_id, link_uses.c.severity.is_not(None))
    return Summary(
        {state: number for state, number in connection.execute(states)},
        {(severity, fault): n for severity, fault, n in connection.execute(faults.group_by(*kinds).order_by(*kinds))},
    )


def address_page(
    connection: Connection, after: int, limit: int, state: str | None = None, host: str | None = None
) -> Sequence[Row[Any]]:
    """Addresses by id, of a state or of a host where that is given."""
    statement = select(addresses).where(addresses.c.id > after)
    for column, wanted in ((addresses.c.state, state), (addresses.c.host, host)):
        statement = statement if wanted is None else statement.where(column == wanted)
    return connection.execute(statement.order_by(addresses.c.id).limit(limit)).all()


def written(found: Iterator[Line], form: str) -> Iterator[str]:
    """A report as `text`, `json` (one object a line) or `csv`, piece by piece."""
    return _FORMS[form](found)


def plain(line: Line) -> dict[str, Any]:
    """A line as JSON has it."""
    return asdict(line)


def _text(found: Iterator[Line]) -> Iterator[str]:
    before = None
    for line in found:
        if (line.dataset, line.guid) != before:
            before = (line.dataset, line.guid)
            yield f"\n{line.title or line.guid}\n  dataset {line.dataset}, record {line.guid}\n"
        name = line.distribution or f"distribution {line.number + 1}"
        since = f" since {line.since:%Y-%m-%d}" if line.since else ""
        yield f"  {_MARKS[line.severity]} {line.fault}{since}: {name} ({line.role})\n    {line.url}\n"
        yield f"    {line.meaning}{_detail(line)}\n    What to do: {line.advice}\n"


def _detail(line: Line) -> str:
    if line.fault == "format":
        return f" Declared: {line.declared}; found: {line.found}."
    if line.target:
        return f" It is at {line.target} now."
    return f" Status {line.status}." if line.status is not None else ""


def _json(found: Iterator[Line]) -> Iterator[str]:
    for line in found:
        yield orjson.dumps(plain(line)).decode() + "\n"


def _csv(found: Iterator[Line]) -> Iterator[str]:
    yield _cells(COLUMNS)
    for line in found:
        yield _cells([safe(_cell(getattr(line, name))) for name in COLUMNS])


def _cell(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _cells(cells: Sequence[str]) -> str:
    made = io.StringIO()
    csv.writer(made).writerow(cells)
    return made.getvalue()


_FORMS: dict[str, Callable[[Iterator[Line]], Iterator[str]]] = {"text": _text, "json": _json, "csv": _csv}


def _faulty() -> Select[Any]:
    of_address = [addresses.c[n] for n in ("address", "status", "format", "target", "since", "checked_at")]
    named = (datasets.c.key, records.c.guid, records.c.title, records.c.url.label("record_url"))
    statement = select(link_uses, *of_address, *named, sources.c.name.label("source"))
    statement = statement.join(addresses, addresses.c.id == link_uses.c.link_id)
    statement = statement.join(records, records.c.id == link_uses.c.record_id)
    statement = statement.join(sources, sources.c.id == link_uses.c.source_id)
    statement = statement.join(datasets, datasets.c.id == link_uses.c.dataset_id)
    return statement.where(link_uses.c.severity.is_not(None))


def _lines(connection: Connection, rows: Sequence[Row[Any]], language: str) -> list[Line]:
    titles = _titles(connection, {row.record_id for row in rows}, language)
    return [_line(row, titles.get((row.record_id, row.number))) for row in rows]


def _line(row: Row[Any], distribution: str | None) -> Line:
    fault = FAULTS[row.fault]
    return Line(
        severity=row.severity,
        fault=row.fault,
        source=row.source,
        dataset=row.key,
        guid=row.guid,
        title=row.title,
        record_url=row.record_url,
        distribution=distribution,
        number=row.number,
        role=row.role,
        url=redacted(row.address),
        status=row.status,
        declared=row.declared or None,
        found=unpacked(row.format).format,
        target=row.target and redacted(row.target),
        since=row.since,
        checked_at=row.checked_at,
        meaning=fault.meaning,
        advice=fault.advice,
    )


def _titles(connection: Connection, record_ids: set[int], language: str) -> dict[tuple[int, int], str]:
    """(record id, number of the distribution) -> its title."""
    found: dict[tuple[int, int], str] = {}
    statement = select(documents.c.record_id, documents.c.dataset).where(documents.c.dataset.is_not(None))
    for part in pieces(sorted(record_ids)):
        for record_id, blob in connection.execute(statement.where(documents.c.record_id.in_(part))):
            parts: list[Mapping[str, Any]] = orjson.loads(expand(blob)).get("distribution", [])
            for number, item in enumerate(parts):
                if title := preferred(item.get("title") or {}, language):
                    found[record_id, number] = title
    return found
