"""Everything that follows the change log, brought up to date after a run and in a thread of the services."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from harvester import reclustering
from harvester.beside import Beside
from harvester.catalogue import agents, showing
from harvester.catalogue.following import Follower, follow
from harvester.figures import counting
from harvester.links import following as links
from harvester.quality import assessing as quality
from harvester.schedule import utcnow
from harvester.search import open_index, refresh
from harvester.settings import Settings

log = logging.getLogger(__name__)

# What is derived from the catalogue, and kept in its database.
FOLLOWERS: tuple[Follower, ...] = (
    reclustering.FOLLOWER,
    showing.FOLLOWER,
    agents.FOLLOWER,
    links.FOLLOWER,
    quality.FOLLOWER,
    counting.FOLLOWER,
)


def followers(language: str) -> tuple[Follower, ...]:
    """The same; names are taken in this language where there are several."""
    return tuple(counting.follower(language) if each.name == counting.NAME else each for each in FOLLOWERS)


def catch_up(
    engine: Engine,
    now: Callable[[], datetime],
    stop: Callable[[], bool] = lambda: False,
    following: Sequence[Follower] = FOLLOWERS,
) -> dict[str, int]:
    """Bring every follower up to date; answers how many datasets each went over.

    One that fails keeps no other from going on; its error is raised at the end.
    """
    done: dict[str, int] = {}
    failed: list[Exception] = []
    for follower in following:
        try:
            done[follower.name] = follow(engine, follower, now, stop)
        except Exception as error:
            failed.append(error)
    # What link checks find is in no change log.
    quality.assess_linked(engine, now, stop)
    if failed:
        raise failed[0]
    return done


def bring_up_to_date(engine: Engine, settings: Settings) -> None:
    """Let the index and every follower see what a command has changed."""
    catch_up(engine, utcnow, following=followers(settings.language))
    refresh(engine, open_index(settings))


class Following(Beside):
    """Follows the log every few seconds; of several processes that do, one does the work and the others find none."""

    def __init__(self, engine: Engine, every: float, now: Callable[[], datetime], language: str) -> None:
        super().__init__("following")
        self._engine, self._every, self._now = engine, every, now
        self._followers = followers(language)

    def work(self) -> None:
        while not self.ending.wait(self._every):
            try:
                catch_up(self._engine, self._now, self.ending.is_set, self._followers)
            except SQLAlchemyError as error:
                # The database is away or busy: the next time catches up.
                log.warning("what follows the change log is behind: %s", error)
            except Exception:
                log.exception("what follows the change log stumbled; it tries again")
