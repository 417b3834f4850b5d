"""`harvester ready`: for the health checks of processes that serve nothing."""

from __future__ import annotations

from harvester.catalogue.database import is_current, open_engine
from harvester.cli.shared import out
from harvester.errors import HarvesterError
from harvester.settings import Settings


def ready() -> None:
    """Say whether the database answers and its tables are up to date; changes nothing. Exit code 1: not so."""
    engine = open_engine(Settings())
    try:
        current = is_current(engine)
    finally:
        engine.dispose()
    if not current:
        raise HarvesterError("the tables are not up to date: run `harvester migrate`", code="not-migrated")
    out.print("ready")
