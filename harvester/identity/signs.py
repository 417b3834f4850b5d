"""What judging a dataset needs, and no more: a small value that is kept beside each record.

Only what its makers wrote counts: texts tagged as machine translations (RFC 6497) are nobody's titles.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import accumulate, islice
from typing import Any, NamedTuple, Self

import orjson

from harvester import storable
from harvester.fields.languages import translated
from harvester.identity import addresses, owners
from harvester.identity.keys import match_keys
from harvester.identity.lexicon import STOP
from harvester.identity.sketches import Sketch, runs_sketch, words_sketch
from harvester.identity.tokens import folded, is_year, plain_words, significant, stem, title_words
from harvester.model import Agent, Dataset, Distribution

_MOST_TITLES = 4
_MOST_URLS = 24
_MOST_NAMES = 32
_MOST_KEYWORDS = 16
_MOST_OWNERS = 6
_MOST_ACRONYMS = 8
_LONGEST_WORD = 24
_LONGEST_NAME = 100
_LONGEST_PROSE = 20_000
# A description as short as a title says nothing of its own.
_FEWEST_TELLING = 8
_NAME = re.compile(r"\b(?:[A-ZÀ-ÖØ-Þ][^\W_]+|\d[\d.,]*\d|\d+)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+")
# Truncated descriptions begin alike; so do those with a note of the portal at their end.
_HEAD = 30
_FRAME = 4


class Title(NamedTuple):
    """One title: its language, its words and those in brackets."""

    language: str
    main: tuple[str, ...]
    aside: tuple[str, ...]


class Prose(NamedTuple):
    """What is kept of the descriptions."""

    length: int = 0
    mark: int = 0
    head: int = 0
    languages: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


_NOTHING = Sketch()
_SILENT = Prose()


@dataclass(frozen=True, order=True)
class Signs:
    """The features of one record; hashes are signed 64-bit integers, sketches of 32 bits, all texts folded."""

    guid: str = ""
    host: str = ""
    kind: str = "dataset"
    version: str = ""
    owners: tuple[str, ...] = ()
    owner_marks: tuple[str, ...] = ()
    acronyms: tuple[str, ...] = ()
    level: str = ""
    seats: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    bbox: tuple[float, ...] = ()
    period: tuple[str, str] = ("", "")
    keywords: tuple[str, ...] = ()
    issued: str = ""
    modified: str = ""
    formats: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    titles: tuple[Title, ...] = ()
    prose: Prose = _SILENT
    keys: tuple[int, ...] = ()
    urls: tuple[int, ...] = ()
    pages: tuple[int, ...] = ()
    sums: tuple[int, ...] = ()
    words: Sketch = _NOTHING
    runs: Sketch = _NOTHING

    def packed(self) -> bytes:
        """The signs as bytes: a head in JSON, then the hashes."""
        head = orjson.dumps(
            [
                *(getattr(self, name) for name in _BEFORE),
                [tuple(title) for title in self.titles],
                tuple(self.prose),
                self.words.size,
                self.runs.size,
                [len(hashes) for hashes in self._long()],
                len(self.words.least),
            ]
        )
        long = array("q", [each for hashes in self._long() for each in hashes])
        short = array("I", (*self.words.least, *self.runs.least))
        return len(head).to_bytes(_FRAME, "big") + head + long.tobytes() + short.tobytes()

    @classmethod
    def unpacked(cls, raw: bytes) -> Self:
        """The signs that were packed."""
        start = _FRAME + int.from_bytes(raw[:_FRAME], "big")
        *head, titles, prose, words, runs, counts, kept = orjson.loads(raw[_FRAME:start])
        middle = start + 8 * sum(counts)
        hashes, least = tuple(array("q", raw[start:middle])), tuple(array("I", raw[middle:]))
        length, mark, begin, *texts = prose
        ends = list(accumulate(counts))
        found: list[Any] = [tuple(value) if type(value) is list else value for value in head]
        found.append(tuple(Title(language, tuple(main), tuple(aside)) for language, main, aside in titles))
        found.append(Prose(length, mark, begin, *map(tuple, texts)))
        found += [hashes[end - count : end] for end, count in zip(ends, counts, strict=True)]
        found += [Sketch(words, least[:kept]), Sketch(runs, least[kept:])]
        return cls(*found)

    def _long(self) -> tuple[tuple[int, ...], ...]:
        return self.keys, self.urls, self.pages, self.sums

    @cached_property
    def owner_words(self) -> frozenset[str]:
        """The telling words of the names of its owners."""
        return frozenset(stem(word) for name in self.owners for word in owners.telling(name))

    @cached_property
    def owners_joined(self) -> frozenset[str]:
        """The telling words of each owner written together, as in addresses: `open.data@southayrshire`."""
        joined = ("".join(owners.telling(name)) for name in self.owners)
        return frozenset(name for name in joined if len(name) >= _FEWEST_TELLING)

    @cached_property
    def place_words(self) -> frozenset[str]:
        """The words of the names of its places."""
        return frozenset(stem(word) for place in self.places if "/" not in place for word in plain_words(place))

    @cached_property
    def context(self) -> frozenset[str]:
        """Every word under which its owners, its portal and its places are known."""
        named = (stem(word) for name in self.owners for word in plain_words(name))
        return self.owner_words.union(self.place_words, map(stem, (*plain_words(self.host), *self.acronyms)), named)

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """The words of its keywords, and the names in its descriptions."""
        return frozenset(stem(word) for text in (*self.keywords, *self.prose.names) for word in plain_words(text))

    @cached_property
    def title_words(self) -> frozenset[str]:
        """Every word of its titles."""
        return frozenset(stem(word) for title in self.titles for word in (*title.main, *title.aside))


# The fields that are kept as they are.
_BEFORE = tuple(each.name for each in fields(Signs))[: [each.name for each in fields(Signs)].index("titles")]


def signs_of(dataset: Dataset, *, guid: str, source_url: str) -> Signs:
    """The signs of a dataset that a source knows as `guid`."""
    prose = _unaddressed(" \n".join(_originals(dataset.description))[:_LONGEST_PROSE])
    words = plain_words(folded(prose))
    names, agents = _owners(dataset)
    files, pages, sums = _addresses(dataset)
    telling = [word for word in words if word not in STOP and len(word) > 1]
    return Signs(
        guid=storable.text(guid[:500]),
        host=addresses.host(source_url),
        kind=dataset.kind,
        titles=_titles(dataset.title),
        version=folded(dataset.version or "")[:40],
        owners=names,
        owner_marks=_marks(agents),
        acronyms=_acronyms(agents),
        level=owners.level(names),
        seats=tuple(sorted({place for name in names[:2] for place in owners.seats(name)})),
        places=_places(dataset),
        bbox=next((tuple(round(edge, 3) for edge in spot.bbox) for spot in dataset.spatial if spot.bbox), ()),
        period=_period(dataset),
        keywords=_keywords(dataset),
        prose=Prose(len(words), _mark(words), _mark(words[:_HEAD]), _languages(dataset.description), _names(prose)),
        issued=dataset.issued or "",
        modified=dataset.modified or "",
        formats=tuple(sorted({part.format.text.lower()[:20] for part in _parts(dataset) if part.format}))[:8],
        themes=tuple(sorted((theme.uri or theme.text).rpartition("/")[2].lower()[:30] for theme in dataset.theme))[:6],
        keys=tuple(sorted(key_hash(key) for key in match_keys(dataset, source_url))),
        urls=files,
        pages=pages,
        sums=sums,
        words=words_sketch(telling),
        runs=runs_sketch(words),
    )


def key_hash(text: str) -> int:
    """A signed 64-bit hash, the same in every process."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True)


def _originals(texts: Mapping[str, str]) -> Iterator[str]:
    """The texts that a person wrote, each once."""
    seen: set[str] = set()
    for tag, text in sorted(texts.items()):
        if not translated(tag) and text not in seen:
            seen.add(text)
            yield text


def _unaddressed(prose: str) -> str:
    """The text without addresses, which portals write as links, as text, or not at all."""
    bare = _ADDRESS.sub(" ", prose) if "://" in prose or "www." in prose else prose
    return _MAIL.sub(" ", bare) if "@" in bare else bare


def _languages(texts: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted({tag.partition("-")[0] for tag in texts if not translated(tag)}))[:8]


def _titles(texts: Mapping[str, str]) -> tuple[Title, ...]:
    found: dict[tuple[str, ...], Title] = {}
    for tag, text in sorted(texts.items()):
        if not translated(tag):
            main, aside = title_words(text)
            if main:
                found.setdefault((*main, "|", *aside), Title(tag.partition("-")[0], main, aside))
    return tuple(found.values())[:_MOST_TITLES]


def _agents(dataset: Dataset) -> Iterator[Agent]:
    if dataset.publisher:
        yield dataset.publisher
    yield from dataset.creator[:3]
    yield from (held.target for held in dataset.qualified_attribution[:3] if held.target)


def _owners(dataset: Dataset) -> tuple[tuple[str, ...], list[Agent]]:
    agents = list(_agents(dataset))
    names = (folded(name)[:_LONGEST_NAME] for agent in agents for name in agent.name.values())
    return tuple(dict.fromkeys(names))[:_MOST_OWNERS], agents


def _acronyms(agents: Iterable[Agent]) -> tuple[str, ...]:
    names = (name[:_LONGEST_NAME] for agent in agents for name in agent.name.values())
    return tuple(sorted({each for name in names for each in owners.acronyms(name)}))[:_MOST_ACRONYMS]


def _marks(agents: Iterable[Agent]) -> tuple[str, ...]:
    found = {
        mark
        for agent in agents
        for mark in owners.marks(agent.identifier, filter(None, (agent.uri, agent.homepage)), agent.email)
    }
    return tuple(sorted(found))[:_MOST_OWNERS]


def _places(dataset: Dataset) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for spot in dataset.spatial[:8]:
        if spot.place:
            if spot.place.uri:
                found[addresses.canonical(spot.place.uri)[:100]] = None
            if "/" not in spot.place.text:
                found[folded(spot.place.text)[:60]] = None
        found.update((folded(name)[:60], None) for name in spot.name.values() if "/" not in name)
    return tuple(filter(None, found))[:8]


def _period(dataset: Dataset) -> tuple[str, str]:
    starts = [period.start[:10] for period in dataset.temporal if period.start]
    ends = [period.end[:10] for period in dataset.temporal if period.end]
    return min(starts, default=""), max(ends, default="")


def _keywords(dataset: Dataset) -> tuple[str, ...]:
    words = (folded(word)[:40] for tag, all_ in sorted(dataset.keyword.items()) if not translated(tag) for word in all_)
    return tuple(dict.fromkeys(words))[:_MOST_KEYWORDS]


def _names(prose: str) -> tuple[str, ...]:
    """Names and numbers of the descriptions, in their order."""
    found: dict[str, None] = {}
    for name in _NAME.finditer(prose):
        word = folded(name[0])[:_LONGEST_WORD]
        if word not in STOP:
            found[word] = None
            if len(found) == _MOST_NAMES:
                break
    return tuple(found)


def _mark(words: list[str]) -> int:
    """What equal descriptions share; 0 for one too short to tell."""
    telling = set(words[:_HEAD]) - STOP
    return key_hash(" ".join(words)) if len(telling) >= _FEWEST_TELLING else 0


def _parts(dataset: Dataset) -> tuple[Distribution, ...]:
    return dataset.distribution[:40]


def _addresses(dataset: Dataset) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    files: dict[str, None] = {}
    sums: dict[str, None] = {}
    pages = dict.fromkeys(map(addresses.canonical, (*dataset.landing_page[:4], *dataset.page[:4])))
    for part in _parts(dataset):
        files |= dict.fromkeys(map(addresses.canonical, (*part.download_url[:3], *part.access_url[:3])))
        if part.checksum and part.checksum.value and len(part.checksum.value) >= 32:
            sums[f"sum:{part.checksum.value.lower()}"] = None
    return _hashes(files), _hashes(url for url in pages if url not in files), _hashes(sums)


def _hashes(texts: Iterable[Any]) -> tuple[int, ...]:
    return tuple(sorted(key_hash(text) for text in islice(filter(None, texts), _MOST_URLS)))


def title_years(title: Title) -> frozenset[str]:
    """The years that a title names."""
    return frozenset(word for word in (*title.main, *title.aside) if is_year(word))


@lru_cache(maxsize=4_096)
def title_key(words: tuple[str, ...]) -> tuple[str, ...]:
    """The telling words of a title, whatever their order and plurals."""
    return tuple(sorted({stem(word) for word in significant(words)}))
