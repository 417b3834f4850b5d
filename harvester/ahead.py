"""Reads ahead of its consumer: the next page is under way while the present one is worked on."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Last:
    """What ended the producer: its own end (None) or an error."""

    error: BaseException | None


def ahead(source: Iterable[T], depth: int = 1) -> Generator[T, None, None]:
    """The same items in the same order, made by a thread that is at most `depth` items ahead.

    Errors come out where the item would have; when the consumer stops, the producer is closed and its thread
    has ended before this iterator has.
    """
    producer = _Producer(source, depth)
    thread = threading.Thread(target=contextvars.copy_context().run, args=(producer.run,), name="ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := producer.made.get(), _Last):
            producer.permits.release()
            yield item
        if item.error is not None:
            raise item.error
    finally:
        producer.stopped.set()
        producer.permits.release()
        thread.join()


class _Producer(Generic[T]):
    """Permits are taken before an item is made, so that never more than `depth` wait for the consumer."""

    def __init__(self, source: Iterable[T], depth: int) -> None:
        self.made: queue.SimpleQueue[T | _Last] = queue.SimpleQueue()
        self.permits = threading.Semaphore(max(depth, 1))
        self.stopped = threading.Event()
        self._source = source

    def run(self) -> None:
        try:
            self._make()
        except BaseException as error:  # handed over to the consumer, whatever it is
            self.made.put(_Last(error))
        else:
            self.made.put(_Last(None))

    def _make(self) -> None:
        items = iter(self._source)
        try:
            while self._may_go_on():
                self.made.put(next(items))
        except StopIteration:
            return
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    def _may_go_on(self) -> bool:
        self.permits.acquire()
        return not self.stopped.is_set()
