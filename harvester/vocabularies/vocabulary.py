"""`Vocabulary`: raw text of a portal -> the concept it means, or None; pure, total, memoised, loaded on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache

from harvester.vocabularies.overrides import told
from harvester.vocabularies.reservations import doubted
from harvester.vocabularies.table import Concept, Table, read_table
from harvester.vocabularies.text import fold, iri_key, is_iri, tidy, untagged

Rule = Callable[[Table, str], Concept | None]

# Long texts are rare and would fill the cache with megabytes.
_CACHED_LENGTH = 400
_CACHED_TEXTS = 16_384


def no_rule(table: Table, text: str) -> Concept | None:
    """For a vocabulary that knows its texts by heart."""
    return None


class Vocabulary:
    """One controlled vocabulary.

    `tails` are IRI prefixes (no scheme) behind which portals write a code or label of their own;
    `rule` recognises what no table can list (sentences, ISO 8601 durations, zone codes);
    `other_iri` knows exact IRIs that are too many for the table.
    """

    def __init__(
        self,
        name: str,
        scheme: str,
        *,
        tails: tuple[str, ...] = (),
        rule: Rule = no_rule,
        other_iri: Rule = no_rule,
        others: Callable[[], Iterator[Concept]] = lambda: iter(()),
        read: Callable[[str, str], Table] = read_table,
    ) -> None:
        self.name = name
        self.scheme = scheme
        self._tails = (f"publications.europa.eu/resource/authority/{name}/", *tails)
        self._rule = rule
        self._other_iri = other_iri
        self._others = others
        self._read = read
        self._cached = lru_cache(_CACHED_TEXTS)(self._resolve)

    @cached_property
    def table(self) -> Table:
        """The facts, read when first asked for."""
        return self._read(self.name, self.scheme)

    def resolve(self, text: str) -> Concept | None:
        """The concept this text means, or None when it means none, several or one we cannot be sure of.

        What the source at work decided comes first.
        """
        if decided := told(self.name, text):
            return decided[0]
        return self._cached(text) if len(text) <= _CACHED_LENGTH else self._resolve(text)

    def concept(self, uri: str) -> Concept | None:
        """The concept with exactly this IRI (scheme and final slash aside)."""
        key = iri_key(uri)
        return self.table.exact.get(key) or self._other_iri(self.table, key)

    def __iter__(self) -> Iterator[Concept]:
        yield from self.table.current
        yield from self._others()

    def _resolve(self, text: str) -> Concept | None:
        text = tidy(text)
        if is_iri(text):
            return self._by_iri(text)
        if doubted(text):
            return None
        # An anchor's address may say more than its words: that is for the rule to weigh.
        known = None if "href" in text else self.table.texts.get(fold(untagged(text)))
        if known is not None:
            return known[0] if known else None
        return self._rule(self.table, text) if text else None

    def _by_iri(self, text: str) -> Concept | None:
        key = iri_key(text)
        known = self.table.iris.get(key)
        if known is not None:
            return known[0] if known else None
        exact = self.table.exact.get(key) or self._other_iri(self.table, key)
        return exact or self._by_tail(key) or self._rule(self.table, text)

    def _by_tail(self, key: str) -> Concept | None:
        for prefix in self._tails:
            if key.startswith(prefix) and len(key) > len(prefix):
                return self._resolve(key.removeprefix(prefix))
        return None
