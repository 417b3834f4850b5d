"""The keys under which the partners of a record are found; a key that too many records have says nothing.

Kinds: `id` hard identifiers, `url` files and checksums, `page` pages; `title` whole titles, `plain` titles without
years and numbers but with the words of their owner, `pair` two telling words of a title, `copy` equal descriptions,
`band` alike ones.  `twin` is `copy` once more, and dead as soon as a third record has it: a description that two
records alone have is a copy, one that more have may be a template.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

from harvester.identity.lexicon import EDITION, LOCAL
from harvester.identity.owners import telling
from harvester.identity.signs import Signs, key_hash, title_key
from harvester.identity.tokens import is_number, is_period, is_year, stem

Block = tuple[str, int]

# Most holders beyond which a block says nothing.
LIMITS: dict[str, int] = {
    "id": 50,
    "url": 12,
    "page": 6,
    "title": 40,
    "plain": 25,
    "pair": 20,
    "copy": 12,
    "band": 20,
    "twin": 2,
}
_MOST = {"id": 8, "url": 10, "page": 3, "title": 3, "plain": 5, "pair": 3, "copy": 2, "band": 3, "twin": 2}


def blocks(signs: Signs) -> tuple[Block, ...]:
    """Every key of the record, the surest first."""
    found: dict[Block, None] = {}
    for kind, keys in _kinds(signs):
        for count, key in enumerate(keys):
            if count == _MOST[kind]:
                break
            found[kind, key] = None
    return tuple(found)


def _kinds(signs: Signs) -> Iterator[tuple[str, Iterator[int]]]:
    yield "id", iter(signs.keys)
    yield "url", iter((*signs.sums, *signs.urls))
    yield "page", iter(signs.pages)
    yield "title", _titles(signs)
    yield "plain", _plain(signs)
    yield "pair", _pairs(signs)
    heads = dict.fromkeys(filter(None, (signs.prose.mark, signs.prose.head)))
    yield "copy", iter(heads)
    yield "twin", iter(heads)
    yield "band", _bands(signs)


def _titles(signs: Signs) -> Iterator[int]:
    for title in signs.titles:
        yield key_hash("t " + " ".join(title_key(title.main)))


def _plain(signs: Signs) -> Iterator[int]:
    """The words of a title and of its owner together, without years and the like.

    "Polling districts - Highland" of a hub is "Polling districts" of Highland Council.
    """
    owners = [telling(name) for name in signs.owners[:2]]
    for title in signs.titles[:2]:
        left = {word for word in title_key(title.main) if not _changing(word) and word not in LOCAL}
        for words in ((), *owners):
            # By its letters, so that "South Ayrshire" meets `southayrshire`.
            yield key_hash("p " + "".join(sorted("".join(left.union(map(stem, words))))))


def _pairs(signs: Signs) -> Iterator[int]:
    """The longest words of a title two by two: long words are rare ones, and no two portals have to agree on more."""
    for title in signs.titles[:2]:
        words = {stem(word) for word in title.main if len(word) > 3 and not _changing(word)}
        longest = sorted(words, key=lambda word: (-len(word), word))[:3]
        for first, second in combinations(sorted(longest), 2):
            yield key_hash(f"w {first} {second}")


def _bands(signs: Signs) -> Iterator[int]:
    """The least hashes of the description, a few at a time: texts that are mostly one share them."""
    least = signs.runs.least
    if signs.runs.size >= 12:
        yield from (key_hash(f"b {item}") for item in least[: _MOST["band"]])


@lru_cache(maxsize=100_000)
def _changing(word: str) -> bool:
    return is_year(word) or is_period(word) or is_number(word) or word in EDITION
