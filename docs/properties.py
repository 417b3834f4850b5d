"""Writes docs/properties.md: every property of DCAT-AP 3.0.1, what fills it from where, and where it is exported.

The columns of the JSON portals are found by running the connectors (`tracing`), that of DCAT feeds and the export come
from the table between the model and RDF (`harvester.rdf.profile`), the list of properties is `dcat-ap-3.0.1.csv`.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from tracing import Field, filled, payloads, traced  # noqa: E402

from connectors import ckan, dcat_us, opendatasoft, udata  # noqa: E402
from connectors.ckan.walk import portal as ckan_portal  # noqa: E402
from connectors.dcat_us.catalogue import described as dcat_us_portal  # noqa: E402
from connectors.opendatasoft.home import HEAD  # noqa: E402
from harvester.connector import Record, Source  # noqa: E402
from harvester.model import (  # noqa: E402
    Agent,
    Attribution,
    CatalogRecord,
    Catalogue,
    Checksum,
    ContactPoint,
    DataService,
    Dataset,
    Distribution,
    Identifier,
    Location,
    Part,
    PeriodOfTime,
    Relationship,
    Resource,
)
from harvester.rdf.namespaces import expand, shortened  # noqa: E402
from harvester.rdf.profile import SHAPES, Row  # noqa: E402

__all__ = ["claims", "filled", "page", "payloads", "specified", "traced", "unfilled"]
TARGET = HERE / "properties.md"
FIXTURES = HERE.parent / "tests" / "portals"
CONNECTORS = {
    "ckan": "CKAN",
    "udata": "udata",
    "opendatasoft": "Opendatasoft",
    "dcat": "DCAT feeds",
    "dcat_us": "DCAT-US",
}
# The classes of the specification and those of the model; those without one of their own are described by the export.
CLASSES: dict[str, type[Part] | None] = {
    "Catalogue": Catalogue,
    "Catalogue Record": CatalogRecord,
    "Dataset": Dataset,
    "Dataset Series": Dataset,
    "Distribution": Distribution,
    "Data Service": DataService,
    "Agent": Agent,
    "Kind": ContactPoint,
    "Location": Location,
    "Period of Time": PeriodOfTime,
    "Checksum": Checksum,
    "Relationship": Relationship,
    "Attribution": Attribution,
    "Identifier": Identifier,
    "Related resource": Resource,
    "Licence Document": None,
    "Concept": None,
    "Concept Scheme": None,
}
# What no field of a harvested dataset holds, because the export makes it of what the catalogue knows.
MADE: dict[tuple[str, str], str] = {
    ("Catalogue", "dcat:dataset"): "the datasets of the page or dump",
    ("Catalogue", "dcat:record"): "one record for each source of a dataset",
    ("Catalogue", "dcat:catalog"): "the catalogue of each source",
    ("Catalogue Record", "foaf:primaryTopic"): "the dataset",
    ("Concept", "skos:prefLabel"): "the labels of the vocabulary for every concept that is used",
    ("Concept Scheme", "dct:title"): "the name of the vocabulary",
}
MISSING: dict[tuple[str, str], str] = {
    ("Licence Document", "dct:type"): "not exported: licences are concepts of the EU table, which says what they are",
}
_NOBODY = "–"
_ENVELOPE = re.compile(r"^(?:pod|dataset)\.")


class Property(NamedTuple):
    """One property of the specification."""

    owner: str
    name: str
    level: str
    cardinality: str


def specified() -> list[Property]:
    """The properties of DCAT-AP 3.0.1, in the order of its classes."""
    with (HERE / "dcat-ap-3.0.1.csv").open(encoding="utf-8") as lines:
        rows = csv.reader(lines)
        next(rows)
        return [Property(*row) for row in rows]


Claims = Mapping[str, Mapping[Field, Collection[str]]]


def claims() -> Claims:
    """connector -> field of the model -> the keys that fill it."""
    found: dict[str, dict[Field, Collection[str]]] = {
        name: {field: set(map(_short, keys)) for field, keys in traced(payloads(FIXTURES / name), build).items()}
        for name, build in _BUILDERS.items()
    }
    for name, build in _CATALOGUES.items():
        specimen = json.loads((FIXTURES / "catalogues" / f"{name}.json").read_text("utf-8"))
        found[name] |= traced([specimen], build)
    found["opendatasoft"] |= {(Catalogue, field): {f"home page: {label}"} for field, (label, _) in HEAD.items()}
    found["udata"][(Catalogue, "homepage")] = found["opendatasoft"][(Catalogue, "homepage")] = {
        "the address of the source"
    }
    found["dcat"] = {(kind, row.field): _predicates(row) for kind, shape in SHAPES.items() for row in shape.rows}
    return found


def unfilled(found: Claims) -> list[tuple[Property, str]]:
    """The properties, each with its field, that no portal but a DCAT feed can fill."""
    told = {field for name, fields in found.items() if name != "dcat" for field in fields}
    rows = ((each, kind, _row_of(kind, each.name)) for each in specified() if (kind := CLASSES[each.owner]))
    return [(each, row.field) for each, kind, row in rows if row and (kind, row.field) not in told]


def _normalised(module: Any, source: Source) -> Callable[[Any], Part]:
    """How a connector builds a dataset of a payload."""
    return lambda payload: module.normalise(Record("guid", payload), source)


_BUILDERS: dict[str, Callable[[Any], Part]] = {
    "ckan": _normalised(ckan, Source("s", "https://portal.example/data", ckan.Options())),
    "udata": _normalised(udata, Source("s", "https://donnees.example.fr/")),
    "opendatasoft": _normalised(opendatasoft, Source("s", "https://data.montrieux.example/")),
    "dcat_us": _normalised(dcat_us, Source("s", "https://agency.example/data.json")),
}
_CATALOGUES: dict[str, Callable[[Any], Part]] = {
    "ckan": lambda said: Catalogue.of(ckan_portal(said)),
    "udata": lambda said: Catalogue.of(udata.portal(said)),
    "dcat_us": lambda said: Catalogue.of(dcat_us_portal(said)),
}


def _predicates(row: Row) -> tuple[str, ...]:
    return tuple(shortened(iri) for iri in (row.predicate, *row.also))


def _short(key: str) -> str:
    """A key without the envelope that our own records (`pod`) or an older API (`dataset`) put around it."""
    return _ENVELOPE.sub("", key, count=1)


def page() -> str:
    """The whole page."""
    found = claims()
    parts = [_head(), *(_section(owner, found) for owner in CLASSES), _rare(found)]
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _head() -> Iterator[str]:
    yield "# Properties of DCAT-AP 3.0.1"
    yield ""
    yield "Made from the code by `python docs/generate.py`; do not edit."
    yield ""
    yield (
        "Level and cardinality are those of the specification (M mandatory, R recommended, O optional). The columns of "
        "the portals name the keys whose absence empties the field, found by leaving them out of sample payloads one "
        "at a time; a star stands for a language code. For DCAT feeds they are the properties that are read, the first "
        f"one preferred. `{_NOBODY}` means that the portal's API has nothing of the kind. Fields marked with a plus "
        "are no part of DCAT-AP 3.0.1 and are exported all the same."
    )
    yield ""


def _rare(found: Claims) -> Iterator[str]:
    yield "## What only DCAT feeds tell"
    yield ""
    yield "The APIs of CKAN, udata, Opendatasoft and DCAT-US have nothing that says:"
    yield ""
    for each, field in unfilled(found):
        yield f"- {each.owner}: `{each.name}` (`{field}`)"


def _section(owner: str, found: Claims) -> Iterator[str]:
    kind = CLASSES[owner]
    yield f"## {owner}"
    yield ""
    yield "| property | | field | " + " | ".join(CONNECTORS.values()) + " | exported |"
    yield "|" + " --- |" * (len(CONNECTORS) + 4)
    listed = [each for each in specified() if each.owner == owner]
    told: set[str] = set()
    for each in listed:
        row = _row_of(kind, each.name) if kind else None
        told |= {row.field} if row else set()
        yield _line(f"`{each.name}`", f"{each.level} {each.cardinality}", kind, row, found, _exported(each, row))
    if kind and owner != "Dataset Series":
        for row in SHAPES[kind].rows:
            if row.field not in told:
                yield _line(f"`{shortened(row.predicate)}`", "+", kind, row, found, _written(row))
    yield ""


def _row_of(kind: type[Part], name: str) -> Row | None:
    """The row that writes a property, else the one that reads it."""
    rows, iri = SHAPES[kind].rows, expand(name)
    written = next((row for row in rows if row.predicate == iri), None)
    return written or next((row for row in rows if iri in row.also), None)


def _line(name: str, level: str, kind: type[Part] | None, row: Row | None, found: Claims, end: str) -> str:
    keys = [_keys(found[each].get((kind, row.field), ()), each) if kind and row else "" for each in CONNECTORS]
    return f"| {' | '.join([name, level, f'`{row.field}`' if row else '', *keys, end])} |"


def _keys(keys: Collection[str], connector: str) -> str:
    ordered = keys if connector == "dcat" else sorted(keys)
    return ", ".join(f"`{key}`" for key in ordered) or _NOBODY


def _exported(each: Property, row: Row | None) -> str:
    key = (each.owner, each.name)
    if key in MADE:
        return f"`{each.name}`: {MADE[key]}"
    if row is None:
        return MISSING.get(key, "not held")
    return _written(row) if row.predicate == expand(each.name) else f"as `{shortened(row.predicate)}`"


def _written(row: Row) -> str:
    limit = f", the first {row.most}; the others as `{shortened(row.own)}`" if row.most else ""
    return f"`{shortened(row.predicate)}`{limit}"
