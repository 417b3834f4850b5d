"""Filters as Tantivy queries, and facet counts: OR inside a facet, AND across, each counted without its own filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tantivy import FieldType, Occur, Query, Schema, Searcher

from harvester.search.base import FacetValue, SearchRequest
from harvester.search.filters import BY_NAME, Filter, Wanted
from harvester.search.ranges import Box, Days
from harvester.search.schema import also_field, facet_field, folded

# Counts are merged over the segments of the index: each must answer more values than are shown to be exact.
_PER_SEGMENT = 10_000


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The filters of a request, ready to be put around a query; `within` are further queries that must match."""

    wanted: Wanted
    within: tuple[Query, ...] = ()

    def around(self, schema: Schema, query: Query, without: str | None = None) -> Query:
        """The query, narrowed by every filter but the facet `without`; filters add nothing to the score."""
        clauses = [(Occur.Must, Query.const_score_query(clause, 0.0)) for clause in self._clauses(schema, without)]
        return Query.boolean_query([(Occur.Must, query), *clauses]) if clauses else query

    def _clauses(self, schema: Schema, without: str | None) -> Iterable[Query]:
        yield from self.within
        for name, values in self.wanted.values.items():
            if name != without:
                fields = [facet_field(name), *([also_field(name)] if BY_NAME[name].also else [])]
                each = (Query.term_query(schema, field, folded(v)) for field in fields for v in values)
                yield Query.boolean_query([(Occur.Should, term) for term in each])
        if self.wanted.bbox is not None:
            yield _touching(schema, self.wanted.bbox)
        if self.wanted.period is not None:
            yield _overlapping(schema, self.wanted.period)
        if self.wanted.since is not None:
            yield _range(schema, "modified", FieldType.Integer, low=int(self.wanted.since))


def counts(
    searcher: Searcher, schema: Schema, query: Query, narrowing: Narrowing, request: SearchRequest, language: str
) -> dict[str, tuple[FacetValue, ...]]:
    """The values of the facets asked for, most frequent first."""
    wanted = narrowing.wanted.values
    facets = [BY_NAME[name] for name in dict.fromkeys(request.facets)]
    passive = [item for item in facets if item.name not in wanted]
    buckets = _aggregate(searcher, narrowing.around(schema, query), passive, request.facet_size)
    for item in facets:
        if item.name in wanted:
            around = narrowing.around(schema, query, without=item.name)
            buckets |= _aggregate(searcher, around, [item], request.facet_size)
    shown = request.language or language
    return {
        item.name: _values(item, buckets[item.name], wanted.get(item.name, ()), shown)[: request.facet_size]
        for item in facets
    }


def _aggregate(searcher: Searcher, query: Query, facets: list[Filter], size: int) -> dict[str, list[dict[str, Any]]]:
    if not facets:
        return {}
    # Twice as many as shown: values that differ in case only are joined afterwards.
    terms = {"size": 2 * size, "segment_size": _PER_SEGMENT}
    asked = {item.name: {"terms": {"field": facet_field(item.name), **terms}} for item in facets}
    answer = searcher.aggregate(query, asked)
    return {item.name: answer[item.name]["buckets"] for item in facets}


def _values(
    item: Filter, buckets: list[dict[str, Any]], wanted: tuple[str, ...], language: str
) -> tuple[FacetValue, ...]:
    """Values joined whatever their case, the most frequent spelling shown; those asked for are always among them."""
    numbers: Counter[str] = Counter()
    spellings: dict[str, str] = {}
    for bucket in buckets:
        key = folded(bucket["key"])
        numbers[key] += bucket["doc_count"]
        spellings.setdefault(key, bucket["key"])
    chosen = {folded(value): value for value in wanted}
    for key, value in chosen.items():
        spellings.setdefault(key, value)
        numbers.setdefault(key, 0)
    found = [
        FacetValue(spellings[key], item.label(spellings[key], language), number, key in chosen)
        for key, number in numbers.items()
    ]
    return tuple(sorted(found, key=lambda value: (not value.selected, -value.count, value.label)))


def _touching(schema: Schema, area: Box) -> Query:
    """Boxes that meet the area, seen also one turn of the globe further east and west."""
    turns = [Box(area.west + turn, area.south, area.east + turn, area.north) for turn in (0.0, 360.0, -360.0)]
    return Query.boolean_query([(Occur.Should, _meeting(schema, turned)) for turned in turns])


def _meeting(schema: Schema, area: Box) -> Query:
    number = FieldType.Float
    return _every(
        _range(schema, "west", number, high=area.east),
        _range(schema, "east", number, low=area.west),
        _range(schema, "south", number, high=area.north),
        _range(schema, "north", number, low=area.south),
    )


def _overlapping(schema: Schema, period: Days) -> Query:
    number = FieldType.Integer
    return _every(
        _range(schema, "start", number, high=period.end),
        _range(schema, "end", number, low=period.start),
    )


def _every(*queries: Query) -> Query:
    return Query.boolean_query([(Occur.Must, query) for query in queries])


def _range(schema: Schema, name: str, kind: FieldType, low: float | None = None, high: float | None = None) -> Query:
    return Query.range_query(schema, name, kind, low, high)
