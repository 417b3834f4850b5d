"""A connector that a test programs: what it lists, when it fails, what it says about its total."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from harvester.connector import NoOptions, Page, Recognised, Record, Source, Walk
from harvester.errors import RecordError, SourceError
from harvester.http import Http
from harvester.model import Dataset


class Programmable:
    """Lists `packages` (guid -> raw dataset) in pages of `size`; set the other attributes to misbehave."""

    NAME = "programmable"
    Options: type[BaseModel] = NoOptions

    def __init__(self, packages: dict[str, dict[str, Any]] | None = None, size: int = 3) -> None:
        self.packages = packages or {}
        self.size = size
        self.fail_after: int | None = None
        self.advertised: int | None = None
        self.unreadable: tuple[str, ...] = ()
        self.nameless = False
        self.deleted: tuple[str, ...] = ()
        self.walks: list[Walk] = []
        self.catalogue: dict[str, Any] | None = None

    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]:
        self.walks.append(walk)
        guids = list(self.packages)
        total = len(guids) if self.advertised is None else self.advertised
        for start in range(0, len(guids), self.size):
            if self.fail_after is not None and start >= self.fail_after:
                raise SourceError("the portal fell over", code="unavailable", url=f"{source.url}?start={start}")
            part = guids[start : start + self.size]
            good = tuple(
                Record(g, self.packages[g], deleted=g in self.deleted) for g in part if g not in self.unreadable
            )
            bad = tuple(
                RecordError("cannot be read", guid=None if self.nameless else g) for g in part if g in self.unreadable
            )
            yield Page(good, total, str(start + len(part)), bad, catalogue=self.catalogue)

    def normalise(self, record: Record, source: Source) -> Dataset:
        raw = {key: value for key, value in record.payload.items() if key != "views"}
        if raw.get("title") == "BOOM":
            raise KeyError("boom")
        return Dataset.of({"identifier": record.guid, **raw} if raw.get("title") else raw)

    def recognise(self, http: Http, url: str) -> Recognised | None:
        return None


def packages(number: int, **more: Any) -> dict[str, dict[str, Any]]:
    """`number` small datasets, all alike but for their titles."""
    return {f"g{i}": {"title": f"Jeu {i}", "keyword": ["eau"], **more} for i in range(number)}
