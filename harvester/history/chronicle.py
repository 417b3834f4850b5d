"""A run's diff and a dataset's history as lines, read in pages along ascending keys, never whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row

from harvester.catalogue import history, past, queries
from harvester.catalogue.history import REVISED, SECTIONS, Revision
from harvester.errors import UsageError
from harvester.history.diffs import Line
from harvester.history.telling import fields

# What is told without being asked for: the unchanged are most of a source.
USUAL = tuple(name for name in SECTIONS if name != "unchanged")
PAGE = 500
_CURSOR = re.compile(rf"({'|'.join(SECTIONS)})-(\d{{1,18}})")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records a run did what with; `unchanged_named` says whether the unchanged ones can still be listed."""

    counts: dict[str, int]
    unchanged_named: bool


def counts(connection: Connection, run: Row[Any]) -> Counts:
    """The counters of a run, and what its row does not count."""
    known = {name: getattr(run, name) for name in SECTIONS if name in run._mapping}
    counted = {name: known[name] if name in known else history.counted(connection, run.id, name) for name in SECTIONS}
    return Counts(counted, history.still_named(connection, run))


def diff_page(
    connection: Connection, run: Row[Any], actions: Sequence[str] = USUAL, after: str = "", limit: int = 100
) -> tuple[list[Line], str | None]:
    """Lines of a run's diff, grouped by action, from a cursor; and the next cursor, None at the end.

    Raises `UsageError` on a cursor that none of our pages gave.
    """
    section, place = _place(actions, after)
    lines: list[Line] = []
    for name in [name for name in SECTIONS if name in actions][section:]:
        found, place = _section(connection, run, name, place, limit - len(lines))
        lines += found
        if place:
            return lines, f"{name}-{place}"
        if len(lines) == limit:
            return lines, _following(actions, name)
    return lines, None


def diff_lines(engine: Engine, run: Row[Any], actions: Sequence[str] = USUAL) -> Iterator[Line]:
    """The whole diff, a short transaction a page."""
    after: str | None = ""
    while after is not None:
        with engine.connect() as connection:
            lines, after = diff_page(connection, run, actions, after, PAGE)
        yield from lines


def history_page(connection: Connection, key: str, before: int | None = None, limit: int = 100) -> list[Line]:
    """What became of a dataset and of those it took in, newest first, from `before` (exclusive).

    Raises `UsageError` (`unknown-dataset`) when no dataset has this key.
    """
    ids = past.lineage(connection, key) if key.isalnum() else None
    if ids is None:
        raise UsageError(f"there is no dataset {key[:64]!r}", code="unknown-dataset")
    return [line_of(revision) for revision in history.of_datasets(connection, ids, before, limit)]


def line_of(revision: Revision) -> Line:
    """A revision as it is told."""
    return Line(
        revision.action,
        revision.guid,
        revision.title,
        tuple(fields(revision.fields)),
        was=revision.was,
        source=revision.source,
        dataset=revision.dataset,
        at=revision.at,
        run=revision.run_id,
        cursor=str(revision.id),
    )


def known_run(connection: Connection, run_id: int) -> Row[Any]:
    """The row of a run.  Raises `UsageError` when there is none."""
    row = queries.run_by_id(connection, run_id)
    if row is None:
        raise UsageError(f"there is no run {run_id}; `harvester runs` lists them", code="unknown-run")
    return row


def checked_actions(names: Sequence[str]) -> tuple[str, ...]:
    """The actions asked for, the usual ones when none are.  Raises `UsageError` on any other word."""
    for name in names:
        if name not in SECTIONS:
            raise UsageError(f"{name[:60]!r} is none of {', '.join(SECTIONS)}", code="unknown-action", field="action")
    return tuple(names) or USUAL


def _place(actions: Sequence[str], after: str) -> tuple[int, int]:
    """Which of the sections asked for, and after which number in it."""
    if not after:
        return 0, 0
    cursor = _CURSOR.fullmatch(after)
    wanted = [name for name in SECTIONS if name in actions]
    if cursor is None or cursor[1] not in wanted:
        raise UsageError("`after` is what `next` of another page says", code="bad-parameter", field="after")
    return wanted.index(cursor[1]), int(cursor[2])


def _following(actions: Sequence[str], name: str) -> str | None:
    rest = [each for each in SECTIONS[SECTIONS.index(name) + 1 :] if each in actions]
    return f"{rest[0]}-0" if rest else None


def _section(connection: Connection, run: Row[Any], name: str, after: int, limit: int) -> tuple[list[Line], int]:
    """Lines of one section, and where it goes on; 0 when it is over."""
    if name in REVISED:
        found = history.of_run(connection, run.id, name, after, limit)
        return [line_of(revision) for revision in found], found[-1].id if len(found) == limit else 0
    if name == "failed":
        rows = history.failures(connection, run.id, after, limit)
        return [_failure(run, row) for row in rows], rows[-1].id if len(rows) == limit else 0
    if not history.still_named(connection, run):
        return [], 0
    left, place = history.unchanged(connection, run, after, limit)
    return [Line(name, row.guid, row.title, source=run.source, dataset=row.key) for row in left], place


def _failure(run: Row[Any], row: Row[Any]) -> Line:
    return Line("failed", row.guid, code=row.code, message=row.message, source=run.source, run=run.id)
