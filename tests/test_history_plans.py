"""Lists over history read indexes, however long it is: what SQLite plans for each query of the benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from bench.history import Query, Sizes, fill, queries_of
from harvester.catalogue import history
from harvester.catalogue.history import SECTIONS
from harvester.history import chronicle

ROWS = 8000
# In the order of their ids, as far as the page goes.
WALKED = {"runs, latest": "SCAN runs"}
pytestmark = pytest.mark.one_database("sqlite", reason="EXPLAIN QUERY PLAN is SQLite's")


@contextmanager
def heard(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are executed meanwhile."""
    found: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        found.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", hear)
    yield found
    event.remove(connection, "before_cursor_execute", hear)


def plans(connection: Connection, statements: list[tuple[str, Any]]) -> list[str]:
    return [
        str(step.detail)
        for statement, parameters in statements
        for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    ]


@pytest.fixture
def filled(engine: Engine) -> Engine:
    fill(engine, ROWS)
    return engine


def of_section(section: str) -> Query:
    """One part of the diff of the large run."""
    run_id = Sizes(ROWS).large_run
    return lambda c, n: chronicle.diff_page(c, chronicle.known_run(c, run_id), [section], limit=5)


def test_no_list_reads_a_whole_table_nor_sorts_one(filled: Engine) -> None:
    size = Sizes(ROWS)
    asked = dict(queries_of(ROWS))
    asked |= {section: of_section(section) for section in SECTIONS}
    asked["counts"] = lambda c, n: chronicle.counts(c, chronicle.known_run(c, size.large_run))
    asked["told"] = lambda c, n: history.of_run(c, size.large_run, "updated", 7, 5)
    with filled.connect() as connection:
        for name, query in asked.items():
            with heard(connection) as statements:
                query(connection, 3)
            assert statements
            for step in plans(connection, statements):
                scanned = step.startswith("SCAN") and not step.startswith(WALKED.get(name, "SCAN CONSTANT"))
                assert not scanned, (name, step, statements)
                assert "TEMP B-TREE FOR ORDER BY" not in step, (name, step, statements)
