"""The list of datasets of udata's API v1, read by offset and limit although the API counts in pages."""

from __future__ import annotations

from math import gcd
from typing import Any

from connectors.common import mapping, read_json, refuse_vanishing
from connectors.udata.places import DATASETS, OBJECT_ID, Place
from harvester.errors import SourceError
from harvester.http import Http
from harvester.walks import Slice


class Listing:
    """One list, with what its answers told: where it ends, and the page size the portal holds to."""

    def __init__(self, http: Http, place: Place, filters: list[tuple[str, str]], *, incremental: bool) -> None:
        self._http = http
        self._place = place
        self._asked = [*place.filters, *filters]
        # New datasets come last in the order of creation: pages already read do not move.
        self._sort = "-last_update" if incremental else "created"
        self._organisations: dict[str, str] = {}
        self._end: int | None = None
        self._total: int | None = None
        self._passed: tuple[int, int] | None = None
        self._cap: int | None = None
        self._first: list[Any] = []

    def read(self, offset: int, limit: int) -> Slice:
        """The items at this offset; none after the last page, which udata would answer with a 404."""
        if self._end is not None and offset >= self._end:
            return Slice([], self._end)
        # A capped portal, or a cursor from another walk, may leave an offset that is not a whole number of pages.
        limit = gcd(offset, min(limit, self._cap or limit)) if offset else min(limit, self._cap or limit)
        try:
            answer = read_json(self._http, f"{self._place.api}{DATASETS}", self._params(offset // limit + 1, limit))
        except SourceError as error:
            if error.code == "http-404" and offset > 0:
                # Datasets were removed during the walk: there is no such page any more.
                return Slice([], None)
            raise
        return self._slice(answer, offset, limit)

    def passed_over(self) -> list[Any]:
        """What may have been skipped: when datasets vanish, all that follow move up, some onto pages already read."""
        if self._passed is None:
            return []
        (offset, limit), self._passed = self._passed, None
        return self.read(offset, limit).items

    def _slice(self, answer: Any, offset: int, limit: int) -> Slice:
        if isinstance(answer, list):
            return self._bare(answer, offset)
        envelope = mapping(answer)
        items, total = envelope.get("data"), envelope.get("total")
        if not isinstance(items, list):
            raise SourceError(
                f"not a list of datasets: {str(envelope.get('message', answer))[:200]}", code="unexpected-answer"
            )
        total = total if isinstance(total, int) else None
        refuse_vanishing(len(items), total, offset)
        self._learn(envelope, offset, len(items), limit)
        if total is not None and self._total is not None and total < self._total and offset:
            self._passed = (offset - limit, limit)
        self._total = total
        return Slice(items, total)

    def _bare(self, answer: list[Any], offset: int) -> Slice:
        """udata of 2018 lists without an envelope: all at once whatever page is asked, or page by page."""
        if offset and answer == self._first:
            return Slice([])
        self._first = self._first if offset else answer
        return Slice(answer)

    def _learn(self, envelope: Any, offset: int, count: int, limit: int) -> None:
        said = envelope.get("page_size")
        if isinstance(said, int) and 0 < said < limit:
            self._cap = said
        elif 0 < count < limit and envelope.get("next_page"):
            # A cap that the envelope does not own up to: pages are as long as the one that came.
            self._cap = count
        if "next_page" in envelope and not envelope["next_page"]:
            self._end = offset + count

    def _params(self, page: int, size: int) -> list[tuple[str, str]]:
        filters = [
            (name, self._organisation(value) if name == "organization" else value) for name, value in self._all()
        ]
        return [*filters, ("sort", self._sort), ("page", str(page)), ("page_size", str(size))]

    def _all(self) -> list[tuple[str, str]]:
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
