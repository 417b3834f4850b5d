"""The embedded index: Tantivy in a directory, one writer, any number of readers in any number of processes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from tantivy import DocAddress, FieldType, Index, Order, Query, Searcher

from harvester.errors import UsageError
from harvester.search import schema
from harvester.search.analysis import primary
from harvester.search.base import (
    DEEPEST,
    LARGEST_PAGE,
    SORTS,
    WAIT,
    Entry,
    FacetValue,
    Hit,
    Position,
    Relaxed,
    Scope,
    SearchRequest,
    SearchResult,
)
from harvester.search.facets import Narrowing, counts
from harvester.search.filters import BY_NAME, Wanted, read
from harvester.search.generations import Generations, State, moved
from harvester.search.parsing import parse
from harvester.search.ranking import Ladder, Readers

_MOST_OVERVIEWS = 64
Found = list[tuple[Any, DocAddress]]
Counts = Mapping[str, tuple[FacetValue, ...]]
log = logging.getLogger(__name__)

_HEAP = 96 << 20
# Order of the fast field behind each sort; documents without a date come last in both directions.
_ORDERS: dict[str, tuple[str, Order]] = {
    "-modified": ("modified", Order.Desc),
    "modified": ("modified", Order.Asc),
    "-issued": ("issued", Order.Desc),
    "title": ("sort_title", Order.Asc),
}
EVERYTHING = ("", "*", "*:*")


class _Batch:
    """The writer of one generation; the lock is held around it."""

    def __init__(self, generations: Generations, state: State, index: Index) -> None:
        self._generations = generations
        self._state = state
        self._languages: set[str] = set()
        # One thread makes few segments, which searches like; more would compete with the harvest for the processor.
        self._writer = index.writer(_HEAP, 1)

    def put(self, entries: Iterable[Entry]) -> None:
        """Replace what has the same id."""
        for entry in entries:
            self._writer.delete_documents_by_term("id", entry.id)
            self._writer.add_document(schema.document(entry))
            self._languages |= {primary(language) for texts in entry.texts.values() for language, _ in texts}

    def drop(self, ids: Iterable[int]) -> None:
        """Delete by id."""
        for dataset_id in ids:
            self._writer.delete_documents_by_term("id", dataset_id)

    def commit(self, position: Position) -> None:
        """First the index, then the pointer that speaks of it."""
        self._writer.commit()
        self._state = moved(self._state, position, frozenset(self._languages - {""}))
        self._generations.write(self._state)

    def close(self) -> State:
        """Forget what was not committed and wait for the merges under way; the writer is of no use afterwards."""
        self._writer.rollback()
        self._writer.wait_merging_threads()
        return self._state


@dataclass(frozen=True, slots=True)
class _Open:
    """A generation as this process has opened it."""

    stamp: tuple[int, int]
    state: State
    index: Index
    searcher: Searcher
    # Facets of the whole catalogue: every visit of the home page asks for them, and they cost the most.
    overview: dict[tuple[object, ...], Counts] = field(default_factory=dict)


class TantivyIndex:
    """The index below a directory; derived from the catalogue and disposable."""

    def __init__(self, root: Path, language: str = "fr") -> None:
        self.language = language
        self._generations = Generations(root, schema.fingerprint(language))
        self._lock = threading.Lock()
        self._open: _Open | None = None

    def position(self) -> Position | None:
        """As of the last commit of any process."""
        opened = self._current()
        return None if opened is None else opened.state.position

    def count(self) -> int:
        """Deleted documents are not counted."""
        opened = self._current()
        return 0 if opened is None else opened.searcher.num_docs

    @contextmanager
    def writing(self, *, fresh: bool = False, wait: float = WAIT) -> Iterator[_Batch]:
        """Hold the lock; what was not committed when the block ends is forgotten."""
        with self._generations.locked(wait):
            state = self._generations.new() if fresh else self._generations.read()
            if state is None:
                raise UsageError("there is no search index to update; rebuild it", code="index-missing")
            target = self._generations.root / state.directory
            batch = _Batch(self._generations, state, schema.prepare(Index(schema.build(), str(target))))
            try:
                yield batch
            finally:
                batch.close()
                current = self._generations.read()
                self._generations.sweep(keep=current.directory if current else "")

    def search(self, request: SearchRequest) -> SearchResult:
        """One page of hits, the exact total, the facets asked for."""
        _check(request)
        wanted = read(request.filters)
        opened = self._current()
        if opened is None:
            return SearchResult()
        narrowing = Narrowing(wanted, tuple(self._scope(opened, scope) for scope in request.within))
        relaxed, query, total, found = self._answer(opened, request, narrowing)
        shown = self._counts(opened, query, narrowing, request)
        return SearchResult(total, relaxed, tuple(_hits(opened.searcher, found, request, self.language)), shown)

    def ids(
        self, scopes: Sequence[Scope], *, after: int = 0, upto: int | None = None, limit: int = 100, last: bool = False
    ) -> list[int]:
        """The ids stand in a column: no document is read."""
        opened = self._current()
        if opened is None:
            return []
        span = Query.range_query(opened.index.schema, "id", FieldType.Integer, after + 1, upto)
        order = Order.Desc if last else Order.Asc
        query = self._every(opened, scopes, span)
        answer: Any = opened.searcher.search(query, limit, count=False, order_by_field="id", order=order)
        return sorted(int(number) for number, _ in answer.hits)

    def among(self, scopes: Sequence[Scope], ids: Sequence[int]) -> set[int]:
        """One query for all of them."""
        opened = self._current()
        if opened is None or not ids:
            return set()
        query = self._every(opened, scopes, Query.term_set_query(opened.index.schema, "id", list(ids)))
        answer: Any = opened.searcher.search(query, len(ids), count=False, order_by_field="id", order=Order.Asc)
        return {int(number) for number, _ in answer.hits}

    def size(self, scopes: Sequence[Scope]) -> int:
        """Exact."""
        opened = self._current()
        if opened is None:
            return 0
        answer: Any = opened.searcher.search(self._every(opened, scopes, Query.all_query()), 1)
        return int(answer.count)

    def _every(self, opened: _Open, scopes: Sequence[Scope], query: Query) -> Query:
        return Narrowing(Wanted({}), tuple(self._scope(opened, scope) for scope in scopes)).around(
            opened.index.schema, query
        )

    def _scope(self, opened: _Open, scope: Scope) -> Query:
        """Only the strictest rung: a part of the catalogue must not grow because some word occurs nowhere."""
        _, query = next(iter(self._rungs(opened, scope.q)), ("all", Query.empty_query()))
        return Narrowing(read(scope.filters)).around(opened.index.schema, query)

    def _counts(self, opened: _Open, query: Query, narrowing: Narrowing, request: SearchRequest) -> Counts:
        key = (*request.facets, request.facet_size, request.language)
        whole = request.q.strip() in EVERYTHING and narrowing == Narrowing(Wanted({}))
        if whole and key in opened.overview:
            return opened.overview[key]
        shown = counts(opened.searcher, opened.index.schema, query, narrowing, request, self.language)
        if whole and len(opened.overview) < _MOST_OVERVIEWS:
            opened.overview[key] = shown
        return shown

    def _answer(self, opened: _Open, request: SearchRequest, narrowing: Narrowing) -> tuple[Relaxed, Query, int, Found]:
        """The first rung of the ladder that has results, its query without filters, the total and the page."""
        relaxed: Relaxed = "all"
        query = Query.empty_query()
        for relaxed, query in self._rungs(opened, request.q):
            total, found = _page(opened.searcher, narrowing.around(opened.index.schema, query), request)
            if total:
                return relaxed, query, total, found
        return relaxed, query, 0, []

    def _rungs(self, opened: _Open, text: str) -> Iterable[tuple[Relaxed, Query]]:
        if text.strip() in EVERYTHING:
            return [("all", Query.all_query())]
        question = parse(text)
        if not question:
            return []
        others = tuple(found for found in opened.state.languages if found != self.language)
        return Ladder(Readers(opened.index.schema, opened.searcher, (self.language, *others)), question).rungs()

    def _current(self) -> _Open | None:
        """The generation in use, as of its last commit; opened again only when the pointer was written since."""
        stamp = self._generations.stamp()
        opened = self._open
        if stamp is None or (opened is not None and opened.stamp == stamp):
            return opened if stamp is not None else None
        with self._lock:
            self._open = self._reopened(stamp, self._open)
            return self._open

    def _reopened(self, stamp: tuple[int, int], before: _Open | None) -> _Open | None:
        trouble: Exception | None = None
        # Twice: a rebuild may sweep the generation away between reading its name and opening it.
        for _ in range(2):
            state = self._generations.read()
            if state is None:
                return None
            try:
                return self._opened(stamp, state, before)
            except (ValueError, OSError) as error:
                trouble = error
        log.warning("search index unusable, it will be rebuilt: %s", trouble)
        return None

    def _opened(self, stamp: tuple[int, int], state: State, before: _Open | None) -> _Open:
        if before is not None and before.state.directory == state.directory:
            index = before.index
        else:
            index = schema.prepare(Index.open(str(self._generations.root / state.directory)))
        index.reload()
        return _Open(stamp, state, index, index.searcher())


def _check(request: SearchRequest) -> None:
    if request.sort not in SORTS:
        raise UsageError(f"sort is one of {', '.join(SORTS)}", code="bad-sort", field="sort", value=request.sort)
    if not 1 <= request.size <= LARGEST_PAGE:
        raise UsageError(f"size lies within 1 and {LARGEST_PAGE}", code="bad-size", field="size", value=request.size)
    if request.page < 1 or request.page * request.size > DEEPEST:
        message = (
            f"only the first {DEEPEST} results can be paged; for all of them read /catalog page by page or /export.nt"
        )
        raise UsageError(message, code="too-deep", field="page", value=request.page)
    unknown = [name for name in request.facets if name not in BY_NAME or BY_NAME[name].kind != "facet"]
    if unknown:
        raise UsageError(f"there is no facet {unknown[0]!r}", code="unknown-facet", field="facets", value=unknown[0])


def _page(searcher: Searcher, query: Query, request: SearchRequest) -> tuple[int, Found]:
    """The exact number of results, and those of the page asked for."""
    offset = (request.page - 1) * request.size
    if request.sort in _ORDERS:
        name, order = _ORDERS[request.sort]
        answer: Any = searcher.search(query, request.size, offset=offset, order_by_field=name, order=order)
    else:
        answer = searcher.search(query, request.size, offset=offset)
    return answer.count, answer.hits


def _hits(searcher: Searcher, found: Found, request: SearchRequest, language: str) -> Iterator[Hit]:
    for score, address in found:
        document = searcher.doc(address)
        number, card = document["id"][0], orjson.loads(document["card"][0])
        yield Hit(number, score if request.sort == "relevance" else None, card, request.language or language)
