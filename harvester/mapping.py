"""The mapping half of a run: a record becomes a decided outcome, or a reason why not."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from harvester import jsonio
from harvester.catalogue.clusters import prepare
from harvester.catalogue.packing import dataset_json
from harvester.catalogue.store import Outcome, Problem, RunRef
from harvester.connector import Connector, Page, Record, Source
from harvester.decide import Action, Stored, after_mapping, at_a_glance
from harvester.errors import RecordError
from harvester.harvest import problem_of
from harvester.identity import known_as
from harvester.identity.originals import alone
from harvester.model import Dataset
from harvester.vocabularies import heeding

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mapper:
    """The mapping half of a connector, with every way it can fail turned into a reason."""

    connector: Connector
    source: Source
    always: bool
    ours: str
    # What the connector did not foresee, by its place in the code, with how often it came.
    stumbles: Counter[str] = field(default_factory=Counter)

    def dataset(self, record: Record) -> Dataset:
        """The normalised dataset.  Raises `RecordError`, also for what the connector did not foresee."""
        try:
            with heeding(getattr(self.source.options, "overrides", None)):
                return self.connector.normalise(record, self.source)
        except RecordError:
            raise
        except Exception as error:
            self._note(error, record)
            message = f"the connector failed on this record: {type(error).__name__}: {error}"
            raise RecordError(message, code="unexpected") from error

    def _note(self, error: Exception, record: Record) -> None:
        """Log the first of each kind with its traceback: a mistake in a mapping may meet every record."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__} at {place.filename}:{place.lineno}"
        self.stumbles[kind] += 1
        if self.stumbles[kind] == 1:
            log.error("unexpected in normalise source=%s guid=%s", self.source.name, record.guid, exc_info=error)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """At the end of the block the log tells how often each kind came that came more than once."""
        try:
            yield
        finally:
            for kind, number in self.stumbles.items():
                if number > 1:
                    log.error("unexpected in normalise source=%s records=%s: %s", self.source.name, number, kind)


def decided(
    page: Page, known: dict[str, Stored], mapper: Mapper, ref: RunRef, problems: list[Problem]
) -> Iterator[Outcome]:
    """What becomes of each record of a page; why one cannot be used goes to `problems`."""
    met: set[str] = set()
    for record in page.records:
        stored, payload_hash = known.get(record.guid), jsonio.digest(record.payload)
        if record.guid in met:
            yield Outcome(Action.REPEATED, record, payload_hash, stored)
            continue
        met.add(record.guid)
        if record.deleted:
            # Whether it goes is decided when all that the source withdraws is known.
            yield Outcome(Action.REPEATED, record, payload_hash, stored)
            continue
        action = None if mapper.always else at_a_glance(stored, payload_hash, ref.id)
        if page.doubtful and stored is not None and stored.status == "active" and action is None:
            # What is left of a broken document must not replace what was whole.
            yield Outcome(Action.UNCHANGED, record, stored.payload_hash, stored)
            continue
        yield (
            Outcome(action, record, payload_hash, stored)
            if action
            else _mapped(record, stored, payload_hash, mapper, problems)
        )


def _mapped(
    record: Record, stored: Stored | None, payload_hash: bytes, mapper: Mapper, problems: list[Problem]
) -> Outcome:
    try:
        dataset = mapper.dataset(record)
    except RecordError as error:
        error.guid = record.guid
        problems.append(problem_of(error, "normalise"))
        return Outcome(Action.FAILED, record, payload_hash, stored)
    problems.extend(
        Problem("normalise", "warning", p.code, p.message, record.guid, p.field, p.value)
        for p in dict.fromkeys(dataset.problems)
    )
    outcome = Outcome(
        Action.CREATED,
        record,
        payload_hash,
        stored,
        dataset,
        dataset_json(dataset),
        prepare(dataset, record.guid, mapper.source.home),
        known_as(dataset, record.guid, mapper.source.home),
        alone(dataset, mapper.source.home, mapper.ours),
    )
    return replace(outcome, action=after_mapping(stored, outcome.dataset_hash))
