"""A catalogue of one source, whose runs may be killed and go on when some time has passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

import pytest
from sqlalchemy import Engine, select

from harvester import sources, worker
from harvester.catalogue import claims, store
from harvester.catalogue.database import writing
from harvester.catalogue.tables import problems, records
from harvester.harvest import Harvest, Result
from harvester.http import Http
from harvester.run import run
from harvester.settings import Settings

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """The process ends here."""


class Dying(Protocol):
    """A connector whose walk ends its process after so many pages."""

    killed_after: int | None


class OneSource:
    """One source, whose runs may be killed and go on when some time has passed."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings, self.now = engine, settings, NOW
        with writing(engine) as connection:
            row = {"name": "one", "title": "one", "connector": "programmable", "url": "http://one.example/"}
            store.add_source(connection, row | {"options": {}, "created_at": NOW})

    def run(self, connector: Any, mode: str = "full", **more: Any) -> Result:
        """A run of the source, begun or resumed."""
        with writing(self.engine) as connection:
            row = sources.named(connection, "one")
            dry = more.get("dry")
            claim = (claims.unrecorded if dry else partial(worker.begin, connection))(row, mode, self.now)
        with Http(self.settings) as http:
            made = Harvest(self.engine, self.settings, http, lambda: self.now, connectors=lambda _: connector, **more)
            return run(made, row, claim)

    def killed(self, connector: Dying, pages: int, stands: timedelta) -> None:
        """A run that dies after some pages, some time ago."""
        connector.killed_after = pages
        with pytest.raises(Killed):
            self.run(connector)
        connector.killed_after = None
        self.now += stands

    def source(self) -> Any:
        """Its row."""
        with self.engine.connect() as connection:
            return sources.named(connection, "one")

    def problems(self) -> list[Any]:
        """The rows of all problems, in order."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(problems).order_by(problems.c.id)))

    def active(self) -> set[str]:
        """The guids that are active."""
        statement = select(records.c.guid).where(records.c.status == "active")
        with self.engine.connect() as connection:
            return set(connection.execute(statement).scalars())
