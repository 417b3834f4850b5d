"""The data services of a DCAT-US 3.0 catalogue, kept until the datasets come that they serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.common import blank, first, listed
from harvester.errors import RecordError

# A catalogue has a few dozen; no list of services may fill the memory.
_MOST = 10_000
_IDENTIFYING = ("identifier", "@id", "notation")


class Serving:
    """Services by the dataset that each says it serves; those listed after the datasets can only be counted."""

    def __init__(self) -> None:
        self._by_dataset: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        self._attached: set[int] = set()
        self._count = 0

    def add(self, service: Any) -> None:
        """Keep one service; what it says of the datasets it serves is reduced to their identifiers."""
        if blank(service):
            return
        self._count += 1
        if not isinstance(service, Mapping) or self._count > _MOST:
            return
        kept = {key: value for key, value in service.items() if key != "servesDataset"}
        for name in {each for item in listed(service.get("servesDataset")) if (each := _name(item))}:
            self._by_dataset.setdefault(name, []).append((self._count, kept))

    def of(self, pod: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The services of one dataset."""
        if not self._by_dataset:
            return []
        names = {name for key in ("identifier", "@id") if (name := _name(pod.get(key)))}
        found = {number: service for name in names for number, service in self._by_dataset.get(name, ())}
        self._attached.update(found)
        own = first(pod, "@id")
        return [{**found[number], **({"servesDataset": [own]} if own else {})} for number in sorted(found)]

    def notes(self, url: str) -> tuple[RecordError, ...]:
        """What is to be told at the end: how many services stand with no dataset."""
        if not (lone := self._count - len(self._attached)):
            return ()
        message = (
            f"{lone} data services of the catalogue are left out: "
            "they come after the datasets they serve, or serve none of them"
        )
        return (RecordError(message, code="unattached-services", url=url, field="service", value=lone),)


def _name(value: Any) -> str | None:
    """The identifier that a reference to a dataset gives, be it the dataset itself."""
    value = first(value, *_IDENTIFYING) if isinstance(value, Mapping) else value
    value = first(value, "@id", "notation", "@value") if isinstance(value, Mapping) else value
    return value.strip() if isinstance(value, str) and value.strip() else None
