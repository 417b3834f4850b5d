"""A question -> Tantivy queries, strictest first: every word, then most, any, and words spelt similarly.

CKAN's rule for "most" is kept (`2<-1 5<80%`): of three to five words one may be missing, of more a fifth.
Measured on real queries, strict AND answers nothing for 59 %, OR for 4 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tantivy import Occur, Query, Schema, Searcher

from harvester.search import analysis
from harvester.search.base import Relaxed
from harvester.search.parsing import Question
from harvester.search.schema import WEIGHTS
from harvester.search.spelling import similar

# What every field says is added up: measured better than the best field alone (a short title then wins over content).
TIE = 1.0
# A stem of another language than the reader's: rare in the index, its rarity must not lift it.
FOREIGN = 0.8
# Direct hits stand above any sum of word scores.
NAMED = 1000.0
TITLED = 500.0
ACRONYM = 20.0
TOGETHER = 2.0
SIMILAR = 0.6


@dataclass(frozen=True, slots=True)
class Readers:
    """What a query is built against; `languages` are those of the index, the preferred one first, never none."""

    schema: Schema
    searcher: Searcher
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Ladder:
    """The queries of one question."""

    readers: Readers
    question: Question

    def rungs(self) -> Iterator[tuple[Relaxed, Query]]:
        """(what had to match, query), strictest first."""
        required = [self._word(word) for word in self._required]
        yield "all", self._whole(_all(required))
        if self._unknown:
            yield "fuzzy", self._whole(_all([self._spelt(word) for word in self._required]))
        most = _most(len(required))
        if most < len(required):
            yield "most", self._whole(_least(required, most))
        if len(required) > 1:
            yield "any", self._whole(_least(required, 1))
        if self._required:
            yield "fuzzy", self._whole(_least([self._fuzzy(word) for word in self._required], 1))

    @cached_property
    def _required(self) -> tuple[str, ...]:
        """The words that carry meaning; small words only when there are no others."""
        kept = tuple(word for word in self.question.words if not self._small(word))
        return kept or self.question.words

    @cached_property
    def _unknown(self) -> frozenset[str]:
        return frozenset(word for word in self._required if not self._known(word))

    def _small(self, word: str) -> bool:
        if len(word) == 1 and not word.isdigit():
            return True
        return any(analysis.is_stop_word(word, language) for language in self.readers.languages[:1])

    def _known(self, word: str) -> bool:
        searcher = self.readers.searcher
        return any(searcher.doc_freq(name, stem) for stem in self._stems(word) for name in WEIGHTS)

    def _stems(self, word: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for position, language in enumerate(self.readers.languages):
            found.setdefault(analysis.stem(word, language), 1.0 if position == 0 else FOREIGN)
        return found

    def _word(self, word: str, weight: float = 1.0) -> Query:
        schema = self.readers.schema
        terms = [
            Query.boost_query(Query.term_query(schema, name, stem, index_option="freq"), field * share * weight)
            for stem, share in self._stems(word).items()
            for name, field in WEIGHTS.items()
        ]
        return Query.disjunction_max_query(terms, TIE)

    def _spelt(self, word: str) -> Query:
        return self._fuzzy(word) if word in self._unknown else self._word(word)

    def _fuzzy(self, word: str) -> Query:
        found = similar(self.readers.searcher, word)
        if found:
            return Query.disjunction_max_query([self._word(other, SIMILAR) for other in (word, *found)], 0.0)
        if not word.isalpha() or len(word) < 4:
            return self._word(word)
        # Only here may the first letters be wrong as well.
        loose = Query.fuzzy_term_query(self.readers.schema, "spelling", word, 1 if len(word) < 8 else 2)
        return Query.disjunction_max_query([self._word(word), loose], 0.0)

    def _phrase(self, words: Sequence[str], slop: int = 0) -> Query:
        schema, languages = self.readers.schema, self.readers.languages
        forms = dict.fromkeys(tuple(analysis.stem(word, language) for word in words) for language in languages)
        if len(words) == 1:
            return self._word(words[0])
        return Query.disjunction_max_query(
            [
                Query.boost_query(Query.phrase_query(schema, name, list(form), slop), weight)
                for form in forms
                for name, weight in WEIGHTS.items()
            ],
            TIE,
        )

    def _whole(self, words: Query | None) -> Query:
        """The required words, the phrases, what only adds to the score, and direct hits beside them."""
        clauses = [(Occur.Must, words)] if words is not None else []
        clauses += [(Occur.Must, self._phrase(phrase)) for phrase in self.question.phrases]
        if not clauses:
            clauses.append((Occur.Must, Query.all_query()))
        clauses += [(Occur.Should, query) for query in self._bonuses]
        matching = Query.boolean_query(clauses)
        either = Query.boolean_query([(Occur.Should, query) for query in (matching, *self._named)])
        if not self.question.excluded:
            return either
        without = [(Occur.MustNot, self._phrase(words)) for words in self.question.excluded]
        return Query.boolean_query([(Occur.Must, either), *without])

    @cached_property
    def _named(self) -> list[Query]:
        """The dataset whose identifier, or whole title but for accents, case and number, was typed."""
        whole, schema = self.question.whole, self.readers.schema
        titles = dict.fromkeys(analysis.stems(whole, language) for language in self.readers.languages)
        return [
            Query.const_score_query(Query.term_query(schema, "names", whole), NAMED),
            Query.const_score_query(Query.term_set_query(schema, "titles", list(titles)), TITLED),
        ]

    @cached_property
    def _bonuses(self) -> list[Query]:
        words, schema = self.question.words, self.readers.schema
        small = [self._word(word, 0.1) for word in words if word not in self._required]
        acronyms = [
            Query.const_score_query(Query.term_query(schema, "acronyms", word), ACRONYM / len(words)) for word in words
        ]
        if len(words) < 2:
            return small + acronyms
        return [*small, *acronyms, Query.boost_query(self._title_phrase(words), TOGETHER)]

    def _title_phrase(self, words: Sequence[str]) -> Query:
        language = self.readers.languages[0]
        form: list[str | tuple[int, str]] = [analysis.stem(word, language) for word in words]
        return Query.phrase_query(self.readers.schema, "title", form, 1)


def _all(queries: Sequence[Query]) -> Query | None:
    return Query.boolean_query([(Occur.Must, query) for query in queries]) if queries else None


def _least(queries: Sequence[Query], number: int) -> Query:
    return Query.boolean_query([(Occur.Should, query) for query in queries], number)


def _most(number: int) -> int:
    if number <= 2:
        return number
    return number - 1 if number <= 5 else number * 4 // 5
