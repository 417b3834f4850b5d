"""Link checks beside the other services: a little at a time, for as long as the process lives."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from harvester.beside import Beside
from harvester.catalogue.tables import link_hosts
from harvester.errors import HarvesterError
from harvester.links import store
from harvester.links.checking import check_due, client
from harvester.settings import Settings

log = logging.getLogger(__name__)


class Checking(Beside):
    """Checks what is due; of several processes that do, each takes other hosts."""

    def __init__(self, engine: Engine, settings: Settings, now: Callable[[], datetime]) -> None:
        super().__init__("links")
        self._engine, self._settings, self._now = engine, settings, now

    def work(self) -> None:
        with client(self._settings, self.ending.is_set) as http:
            while not self.ending.wait(self._settings.tick_seconds):
                try:
                    store.begin(self._engine)
                    if self._due():
                        check_due(self._engine, self._settings, self._now, stop=self.ending.is_set, http=http)
                except (HarvesterError, SQLAlchemyError) as error:
                    # The database is away or busy: what is due stays so.
                    log.warning("links are not checked for now: %s", error)

    def _due(self) -> bool:
        """Whether any host may be asked: to find out costs less than to try."""
        with self._engine.connect() as connection:
            first = next_at(connection)
        return first is not None and first <= self._now()


def next_at(connection: Connection) -> datetime | None:
    """When the next host may be asked; None when there is nothing to ask."""
    found: datetime | None = connection.execute(select(func.min(link_hosts.c.next_at))).scalar_one()
    return found
