"""What the profiles demand, as data: DCAT-AP 3.0.1, DCAT-AP HVD 3.0.0 and DCAT-AP 2.1.1, one row a property.

`card` is what counts as a violation: where the text of a profile allows more than its own shapes do, the shapes decide.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

EU = "http://publications.europa.eu/resource/authority/"
HVD = "dcat-ap-hvd-3.0.0"
# The tables a profile consists of: the one for high-value datasets comes on top of DCAT-AP.
TABLES: dict[str, tuple[str, ...]] = {
    "dcat-ap-3.0.1": ("dcat-ap-3.0.1",),
    "dcat-ap-2.1.1": ("dcat-ap-2.1.1",),
    HVD: ("dcat-ap-3.0.1", HVD),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One property of one class.

    `level` is M(andatory), R(ecommended) or O(ptional); `node` is literal, text, iri, node, date or a datatype;
    `values` is a code list or, after "=", a value that must be among the others.  A "?" behind makes it a warning.
    """

    target: str
    path: str
    label: str
    level: str
    least: int
    most: int | None
    node: str
    range: tuple[str, ...]
    values: str


@dataclass(frozen=True, slots=True)
class CodeList:
    """A controlled vocabulary: the schemes its concepts are in, or the pattern of its IRIs."""

    label: str
    schemes: tuple[str, ...] = ()
    pattern: str = ""
    # The official shapes ask for some schemes to be typed as such.
    typed: bool = False


CODE_LISTS: dict[str, CodeList] = {
    "access-right": CodeList("the EU table of access rights", (f"{EU}access-right",)),
    "adms-status": CodeList("the ADMS table of statuses", ("http://purl.org/adms/status/1.0",), typed=True),
    "checksum-algorithm": CodeList("the SPDX list of checksum algorithms", pattern="^https://spdx.org/rdf/terms"),
    "corporate-body": CodeList("the EU table of corporate bodies", (f"{EU}corporate-body",)),
    "data-theme": CodeList("the EU table of data themes", (f"{EU}data-theme",)),
    "dataset-type": CodeList("the EU table of dataset types", (f"{EU}dataset-type",)),
    "distribution-status": CodeList("the EU table of distribution statuses", (f"{EU}distribution-status",), typed=True),
    "file-type": CodeList("the EU table of file types", (f"{EU}file-type",)),
    "frequency": CodeList("the EU table of frequencies", (f"{EU}frequency",)),
    "hvd-category": CodeList("the EU table of high-value categories", ("http://data.europa.eu/bna/asd487ae75",)),
    "language": CodeList("the EU table of languages", (f"{EU}language",)),
    "licence-type": CodeList("the ADMS table of licence types", ("http://purl.org/adms/licencetype/1.0",)),
    "media-type": CodeList("the IANA list of media types", pattern="^http.*://www.iana.org/assignments/media-types/"),
    "place": CodeList(
        "the EU tables of countries, places and continents (or https://sws.geonames.org)",
        (f"{EU}country", f"{EU}place", f"{EU}continent"),
        "^https://sws.geonames.org",
    ),
    "planned-availability": CodeList("the EU table of availabilities", (f"{EU}planned-availability",)),
}


@lru_cache(maxsize=8)
def rules(profile: str) -> tuple[Rule, ...]:
    """Every rule of a profile of `TABLES`."""
    return tuple(rule for table in TABLES[profile] for rule in _read(table))


def _read(table: str) -> Iterator[Rule]:
    with files(__package__).joinpath("data", f"{table}.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            least, _, most = row["card"].partition("..")
            yield Rule(
                row["class"],
                row["property"],
                row["label"],
                row["level"],
                int(least),
                None if most == "*" else int(most),
                row["node"],
                tuple(row["range"].split("|")) if row["range"] else (),
                row["values"],
            )


@lru_cache(maxsize=1)
def labels() -> dict[tuple[str, str], str]:
    """(class, property) -> what people call it; the class "" holds the name the property has in any class."""
    found: dict[tuple[str, str], str] = {}
    for table in ("dcat-ap-3.0.1", "dcat-ap-hvd-3.0.0", "dcat-ap-2.1.1"):
        for rule in _read(table):
            found.setdefault((rule.target, rule.path), rule.label)
            found.setdefault(("", rule.path), rule.label)
    return found
