"""What may be chosen for one CKAN source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from harvester.connector import NoOptions


def _number(value: object) -> object:
    """What a command line or a form says of a number is text."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else value


class Options(NoOptions):
    """Options of a CKAN source."""

    organizations: tuple[str, ...] = Field((), description="Only datasets of these organisations (names, not titles).")
    groups: tuple[str, ...] = Field((), description="Only datasets in these groups (names, not titles).")
    fq: str = Field("", description="A Solr filter query of your own, such as `license_id:cc-by`.", max_length=2000)
    page_size: Annotated[Literal[1000, 500, 250, 50, 10], BeforeValidator(_number)] = Field(
        250, description="Datasets asked for at once; pages that fail are asked for in smaller pieces anyway."
    )

    def clauses(self, since: datetime | None) -> str:
        """The filter query of a walk; "" for none."""
        parts = [_any_of("organization", self.organizations), _any_of("groups", self.groups), self.fq.strip()]
        if since is not None:
            parts.append(f"metadata_modified:[{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} TO *]")
        return " ".join(f"+{part}" if part[0] not in "+-" else part for part in parts if part)

    def sizes(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The page sizes from the chosen one down."""
        return tuple(size for size in sizes if size <= self.page_size)


def _any_of(field: str, names: tuple[str, ...]) -> str:
    quoted = [f'"{name.replace(chr(34), "")}"' for name in names]
    return "" if not quoted else f"{field}:{quoted[0]}" if len(quoted) == 1 else f"{field}:({' OR '.join(quoted)})"
