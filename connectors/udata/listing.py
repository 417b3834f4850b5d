"""The list of datasets of udata's API v1, read by offset and limit although the API counts in pages."""

from __future__ import annotations

from typing import Any

from connectors.common import mapping, read_json, refuse_vanishing
from connectors.udata.places import DATASETS, OBJECT_ID, Place
from harvester.errors import SourceError
from harvester.http import Http
from harvester.walks import Slice

# A portal owns up to its page size with the first answer, or takes the one that it is asked for then.
_MOST_TRIES = 3


class Listing:
    """One list, with what its answers told of the page size that the portal holds to."""

    def __init__(self, http: Http, place: Place, filters: list[tuple[str, str]], *, incremental: bool) -> None:
        self._http = http
        self._place = place
        self._asked = [*place.filters, *filters]
        # New datasets come last in the order of creation: pages already read do not move.
        self._sort = "-last_update" if incremental else "created"
        self._organisations: dict[str, str] = {}
        # The largest page that the portal gives, the only one it gives, and what one without pages lists at once.
        self._cap: int | None = None
        self._fixed: int | None = None
        self._all: list[Any] | None = None
        self._first: list[Any] = []

    def read(self, offset: int, limit: int) -> Slice:
        """Items from this offset on, as many as a page has that lies so; none after the last page (a 404).

        Raises `SourceError` (`paging-ignored`) where the portal's pages cannot be told from one another.
        """
        for _ in range(_MOST_TRIES):
            if self._all is not None:
                return Slice(self._all[offset : offset + limit])
            page, size = self._page(offset, limit)
            try:
                answer = read_json(self._http, f"{self._place.api}{DATASETS}", self._params(page, size))
            except SourceError as error:
                if error.code == "http-404" and offset > 0:
                    # Datasets were removed during the walk: there is no such page any more.
                    return Slice([], None)
                raise
            items, total, last = self._told(answer, offset, (page, size))
            held = _held(answer, len(items), size)
            self._learn(held, size)
            size = held or size
            start = (page - 1) * size
            if start <= offset < start + size or not items:
                end = last and (total is None or start + len(items) >= total)
                return Slice(items[offset - start :], total, end=end, cut=not end)
        raise SourceError("the portal's pages are of any size, whatever is asked", code="paging-ignored")

    def _page(self, offset: int, limit: int) -> tuple[int, int]:
        if self._fixed is not None:
            return offset // self._fixed + 1, self._fixed
        return paged(offset, min(limit, self._cap or limit))

    def _told(self, answer: Any, offset: int, asked: tuple[int, int]) -> tuple[list[Any], int | None, bool]:
        """The items of an answer, its total, and whether it says that it is the last."""
        if isinstance(answer, list):
            return self._bare(answer, offset, asked), None, False
        envelope = mapping(answer)
        items, total = envelope.get("data"), envelope.get("total")
        if not isinstance(items, list):
            said = str(envelope.get("message", answer))[:200]
            raise SourceError(f"not a list of datasets: {said}", code="unexpected-answer")
        total = total if isinstance(total, int) and not isinstance(total, bool) else None
        refuse_vanishing(len(items), total, offset)
        return items, total, "next_page" in envelope and not envelope["next_page"]

    def _bare(self, answer: list[Any], offset: int, asked: tuple[int, int]) -> list[Any]:
        """udata of 2018 lists without an envelope: all at once whatever page is asked, or page by page."""
        page, size = asked
        if len(answer) > size or (page > 1 and answer == self._first):
            self._all = answer
            return answer[(page - 1) * size :]
        self._first = self._first if offset else answer
        self._cap = len(answer) if 0 < len(answer) < size and page == 1 else self._cap
        return answer

    def _learn(self, held: int | None, asked: int) -> None:
        if held is not None and held < asked:
            self._cap = held
        elif held is not None:
            self._fixed = held

    def _params(self, page: int, size: int) -> list[tuple[str, str]]:
        filters = [
            (name, self._organisation(value) if name == "organization" else value) for name, value in self._filters()
        ]
        return [*filters, ("sort", self._sort), ("page", str(page)), ("page_size", str(size))]

    def _filters(self) -> list[tuple[str, str]]:
        own = self._place.organisation
        return [*self._asked, *([("organization", own)] if own else [])]

    def _organisation(self, key: str) -> str:
        """The identifier of an organisation: the list takes no slug (400 "Organization arg must be an identifier")."""
        if OBJECT_ID.fullmatch(key):
            return key
        if key not in self._organisations:
            found = mapping(read_json(self._http, f"{self._place.api}/organizations/{key}/")).get("id")
            if not isinstance(found, str):
                raise SourceError(f"the portal knows no organisation {key}", code="no-such-organisation")
            self._organisations[key] = found
        return self._organisations[key]


def paged(offset: int, limit: int) -> tuple[int, int]:
    """The page, and its size, that shows most from this offset on, and no more than `limit` at once.

    The API counts in pages: only some sizes have one that begins at an offset, or shortly before.
    """
    size = max(range(limit, limit // 2, -1), key=lambda size: ((offset // size + 1) * size, size))
    return offset // size + 1, size


def _held(answer: Any, count: int, asked: int) -> int | None:
    """The page size that a portal holds to when it is not the one asked for, owned up to or not."""
    envelope = mapping(answer)
    said = envelope.get("page_size")
    if isinstance(said, int) and not isinstance(said, bool) and 0 < said != asked:
        return said
    return count if 0 < count < asked and envelope.get("next_page") else None
