"""Reconciliations that were asked for, worked out one after the other beside the rest of the process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from harvester.beside import Beside
from harvester.catalogue.database import writing
from harvester.errors import HarvesterError
from harvester.reconcile import keeping
from harvester.reconcile.running import perform

log = logging.getLogger(__name__)


class Reconciler(Beside):
    """Takes the oldest reconciliation that waits; one that a process left behind is begun again."""

    def __init__(self, engine: Engine, every: float, now: Callable[[], datetime], kept: int) -> None:
        super().__init__("reconciler")
        self._engine, self._every, self._now, self._kept = engine, every, now, kept

    def work(self) -> None:
        while not self.ending.wait(self._every):
            try:
                while not self.ending.is_set() and self.one():
                    continue
            except SQLAlchemyError as error:
                log.warning("reconciliations wait: %s", error)

    def one(self) -> bool:
        """Work out one; False when none waits."""
        with writing(self._engine) as connection:
            ref = keeping.claim(connection, self._now())
        if ref is None:
            return False
        try:
            perform(self._engine, ref, self._now, stop=self.ending.is_set, kept=self._kept)
        except HarvesterError as error:
            log.warning("reconciliation %s: %s", ref.id, error.message)
        except SQLAlchemyError:
            raise
        except Exception:
            log.exception("reconciliation %s failed", ref.id)
        return True
