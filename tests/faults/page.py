"""The table of faults as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.faults.elsewhere import ELSEWHERE
from tests.faults.table import ROWS, Row
from tests.faults.worlds import KINDS

TARGET = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
_HEAD = """# Faults

What portals do to harvesters, and what is true here after they did. Made from `tests/faults` by
`python docs/generate.py`; do not edit. T1 to T45 number what the users of other harvesters suffer from.

Each line of the first table is played on each kind of portal that it names (`tests/test_faults.py`): the portal is
harvested while it behaves; a day later some of its datasets have changed, two have gone, two have come, and it
misbehaves; a day after that it behaves again. Whatever it did,

- what it still has stays, at its address, and nothing is there twice;
- the run has ended in the status that its row says, and a failed one marks its source as failing;
- every problem has a code that says what to do;
- once it behaves, the next run makes the catalogue that a first harvest of it would have made.

`python -m tests.faults` prints this page; `pytest tests/test_faults.py -k NAME` plays one line.
"""


def page() -> str:
    """The whole page."""
    parts = ([_HEAD], ["## Played"], [""], _played(), ["## Shown elsewhere"], [""], _elsewhere())
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _played() -> Iterator[str]:
    rows = ([f"`{row.name}`", _numbers(row.tickets), row.does, _kinds(row), "; ".join(_after(row))] for row in ROWS)
    yield from _table(("fault", "of", "the portal", "kinds", "after that"), rows)


def _elsewhere() -> Iterator[str]:
    rows = ([_numbers(each.tickets), each.fails, each.here, f"`{each.shown}`"] for each in ELSEWHERE)
    yield from _table(("of", "elsewhere", "here", "shown by"), rows)


def _after(row: Row) -> Iterator[str]:
    return (truth.sentence for truth in row.after)


def _kinds(row: Row) -> str:
    return "all" if set(row.kinds) == set(KINDS) else ", ".join(row.kinds)


def _numbers(tickets: Iterable[int]) -> str:
    return ", ".join(f"T{number}" for number in tickets)


def _table(columns: Iterable[str], rows: Iterable[list[str]]) -> Iterator[str]:
    names = list(columns)
    yield f"| {' | '.join(names)} |"
    yield f"|{'|'.join(' --- ' for _ in names)}|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
