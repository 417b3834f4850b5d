"""What the words of one source mean, whatever the tables say: active while its records are mapped, and only there.

Several sources are mapped at once in one process: the active overrides belong to the context (PEP 567), and every
answer that is remembered is remembered for them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

from harvester.vocabularies.table import Concept
from harvester.vocabularies.text import fold, iri_key, is_iri, tidy, untagged

P = ParamSpec("P")
R = TypeVar("R")

# A decision: one concept, or that the text means none.
Told = tuple[Concept | None]
# Longer texts are no keys: whole descriptions stand in the wrong field.
LONGEST = 2_000


class Overrides:
    """The decisions of one source, by vocabulary and text; compared by identity."""

    def __init__(self, meant: Mapping[str, Mapping[str, Concept | None]]) -> None:
        self._meant = {
            vocabulary: {key_of(text): (concept,) for text, concept in texts.items()}
            for vocabulary, texts in meant.items()
        }

    def told(self, vocabulary: str, text: str) -> Told | None:
        """The decision on a text; None when there is none."""
        texts = self._meant.get(vocabulary)
        return texts.get(key_of(text)) if texts and len(text) <= LONGEST else None


def key_of(text: str) -> str:
    """The key under which a text is decided on: case, accents, HTML and the scheme of an address do not matter."""
    plain = tidy(text)
    return iri_key(plain) if is_iri(plain) else fold(untagged(plain)) or plain


_active: ContextVar[Overrides | None] = ContextVar("vocabulary", default=None)


@contextmanager
def heeding(overrides: Overrides | None) -> Iterator[None]:
    """Resolve by these overrides first, in this context, until the block ends."""
    token = _active.set(overrides)
    try:
        yield
    finally:
        _active.reset(token)


def told(vocabulary: str, text: str) -> Told | None:
    """What the source at work decided on a text; None when it decided nothing."""
    overrides = _active.get()
    return None if overrides is None else overrides.told(vocabulary, text)


def remembered(size: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`lru_cache` for functions of positional texts: what one source decided is no answer for another."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        call: Callable[..., R] = function

        @lru_cache(size)
        def kept(overrides: Overrides | None, *args: Hashable) -> R:
            return call(*args)

        @wraps(function)
        def answer(*args: P.args, **kwargs: P.kwargs) -> R:
            return kept(_active.get(), *args)

        return answer

    return decorate
