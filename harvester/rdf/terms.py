"""How terms of vocabularies are written: the concept where the profile takes it, and the words that say more.

What cannot stand under the predicate of the profile stands under a property of our own, words and concept as a pair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from harvester.fields.terms import term
from harvester.model import TERM_FIELDS, TYPE_VOCABULARIES
from harvester.rdf.concepts import CONCEPT as CONCEPT_CLASS
from harvester.rdf.concepts import Told, concept, foreign
from harvester.rdf.derived import words_of
from harvester.rdf.namespaces import expand
from harvester.rdf.nodes import named
from harvester.rdf.profile import CONCEPT, TEXT, Row
from harvester.vocabularies import VOCABULARIES

if TYPE_CHECKING:
    from harvester.rdf.writing import Block, Compiled, Pen

_LABEL, _PREF_LABEL = expand("rdfs:label"), expand("skos:prefLabel")
_SPELLED = re.compile(r"^http(?=://spdx\.org/)")
# Beside the closed ones, vocabularies of which a text without a concept cannot be a node of its own.
_NO_NODES = ("data-theme", "place")
_REMEMBERED = 4096

_Item = tuple[str, str | None, bool]
Emit = Callable[["Block", list[bytes], Any], None]


class _Plan(NamedTuple):
    """How a term is written: its object, words beside it, what to tell of it; `foreign` and `paired` need the block."""

    object: bytes = b""
    words: bytes = b""
    told: tuple[Told, ...] = ()
    foreign: str = ""
    paired: bool = False
    alone: bool = False


class _Ready(NamedTuple):
    """A term that is written the same in every block."""

    told: tuple[tuple[Told, ...], ...]
    facts: list[bytes]


class _Writer:
    """Writes the terms of one row; the plans of terms met before are remembered."""

    def __init__(self, pen: Pen, row: Row, compiled: Compiled) -> None:
        self.syntax, self.profile, self.row = pen.syntax, pen.profile, row
        self.vocabulary = TERM_FIELDS.get(row.field) or TYPE_VOCABULARIES[compiled.cls]
        first = compiled.first
        self._under = pen.around(first, row.predicate)
        self._words = pen.around(first, row.own + "Text")
        self._own = pen.around(first, row.own)
        label = _PREF_LABEL if row.range == CONCEPT_CLASS else _LABEL
        self._types, self._label = pen.syntax.types((row.range,)), pen.around(row.range, label)
        self._text, self._concept = pen.around("", TEXT), pen.around("", CONCEPT)
        self.plan = lru_cache(_REMEMBERED)(self._plan)
        self.ready = lru_cache(_REMEMBERED)(self._ready)
        self.together = lru_cache(_REMEMBERED)(self._together)

    def emit(self, block: Block, facts: list[bytes], items: Sequence[_Item], alone: bool) -> None:
        """Write (text, concept, whether as a pair in any case)."""
        objects: list[bytes] = []
        words: list[bytes] = []
        pairs: list[bytes] = []
        for text, uri, apart in items:
            plan = _PAIR if apart else self.plan(text, uri, alone)
            block.tell_all(plan.told)
            if plan.object:
                objects.append(plan.object)
            if plan.words:
                words.append(plan.words)
            if plan.alone:
                objects.append(self._only_text(block, text))
            elif plan.paired or (plan.foreign and not self._foreign(block, plan.foreign, text)):
                pairs.append(self._pair(block, text, uri))
        for (before, behind), found in ((self._under, objects), (self._words, words), (self._own, pairs)):
            if found:
                facts += self.syntax.several(before, dict.fromkeys(found), behind)

    def _ready(self, text: str, uri: str | None) -> _Ready | None:
        """The facts of a lone term, where they are the same in every block."""
        plan = self.plan(text, uri, True)
        if plan.foreign or plan.paired or plan.alone:
            return None
        found = ((self._under, plan.object), (self._words, plan.words))
        return _Ready((plan.told,), [before + value + behind for (before, behind), value in found if value])

    def _together(self, items: tuple[_Item, ...]) -> _Ready | None:
        """The facts of several terms, where they are the same in every block."""
        plans = [_PAIR if apart else self.plan(text, uri, False) for text, uri, apart in items]
        if any(plan.foreign or plan.paired or plan.alone for plan in plans):
            return None
        objects, words = [plan.object for plan in plans], [plan.words for plan in plans]
        facts: list[bytes] = []
        for (before, behind), found in ((self._under, objects), (self._words, words)):
            if values := dict.fromkeys(filter(None, found)):
                facts += self.syntax.several(before, values, behind)
        return _Ready(tuple(plan.told for plan in plans), facts)

    def _plan(self, text: str, uri: str | None, alone: bool) -> _Plan:
        vocabulary = self.vocabulary
        if uri is None:
            words_only = vocabulary in self.profile.closed or vocabulary in _NO_NODES
            return _Plan(words=self.syntax.text(text)) if words_only else _Plan(alone=True)
        known = VOCABULARIES[vocabulary].concept(uri)
        if known is not None and known.uri in self.profile.concepts:
            name, scheme = self.profile.concepts[known.uri]
            known = replace(known, scheme=scheme)
            node = named(name)
        else:
            node = named(self._spelled(uri))
        if node is None or (known is None and vocabulary in self.profile.closed):
            return _PAIR
        if known is None:
            return _Plan(self.syntax.ref(node), foreign=node)
        plan = _Plan(self.syntax.ref(node), told=tuple(concept(self.syntax, known, node, self.row.range)))
        if text == node:
            return plan
        meant = term(vocabulary, text)
        if alone or (meant is not None and meant.uri == uri):
            return plan._replace(words=self.syntax.text(text))
        return plan._replace(paired=True)

    def _spelled(self, uri: str) -> str:
        """The shapes know the algorithms of SPDX by https IRIs, which SPDX itself does not; those of 2.1.1 do not."""
        if self.vocabulary != "checksum-algorithm" or self.profile.algorithms is not None:
            return uri
        return _SPELLED.sub("https", uri)

    def _foreign(self, block: Block, node: str, text: str) -> bool:
        """Whether a concept of the source's own is described in these words; another may have come first."""
        if block.first(node, self.row.range):
            block.said.add((node, self.row.range + "\n" + text))
            block.add(foreign(self.syntax, text, node, self.row.range))
            return True
        return (node, self.row.range + "\n" + text) in block.said

    def _only_text(self, block: Block, text: str) -> bytes:
        node = block.label()
        block.add(self.syntax.node(node, [*self._types, self._label[0] + self.syntax.text(text) + self._label[1]]))
        return self.syntax.ref(node)

    def _pair(self, block: Block, text: str, uri: str | None) -> bytes:
        syntax, node = self.syntax, block.label()
        iri = named(uri) if uri else None
        meant = syntax.ref(iri) if iri is not None else syntax.text(uri or "")
        said = self._text[0] + syntax.text(text) + self._text[1]
        block.add(syntax.node(node, [said, self._concept[0] + meant + self._concept[1]]))
        return syntax.ref(node)


_PAIR = _Plan(paired=True)


def _say(block: Block, facts: list[bytes], ready: _Ready) -> None:
    for told in ready.told:
        block.tell_all(told)
    facts += ready.facts


def term_writer(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    """For rows of one term."""
    writer = _Writer(pen, row, compiled)

    def emit(block: Block, facts: list[bytes], value: Any) -> None:
        text, uri = words_of(value)
        ready = writer.ready(text, uri)
        if ready is None:
            writer.emit(block, facts, ((text, uri, False),), True)
            return
        _say(block, facts, ready)

    return emit


def terms_writer(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    """For rows of several terms."""
    writer = _Writer(pen, row, compiled)

    def emit(block: Block, facts: list[bytes], value: Sequence[Any]) -> None:
        items = [words_of(item) for item in value]
        # Beside another wording of the same concept, the bare concept must be said in words too.
        worded = {uri for text, uri in items if uri and text != uri}
        marked = tuple([(text, uri, text == uri and uri in worded) for text, uri in items])
        ready = writer.together(marked)
        if ready is None:
            writer.emit(block, facts, marked, False)
            return
        _say(block, facts, ready)

    return emit
