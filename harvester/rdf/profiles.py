"""The application profiles an export can follow: DCAT-AP 3.0.1, 2.1.1, and HVD 3.0.0 on top of 3.0.1 (SEMIC).

Each is the table of `harvester.rdf.profile` with some rows replaced.  What a profile does not know (dataset series in
2.1.1) stands under what it has instead or under a property of our own.

HVD takes the datasets alone whose source calls them high-value (by their legislation or a category): the flag is a
legal act, never guessed.  Their legislation and categories go on to their distributions and services, their contact
points and pages to their services, and their licence to what has none, all marked as derived.  A dataset is left out,
with a reason, for what nobody but its publisher can say: its category, a distribution, the conditions of use, the
interface the regulation demands.  So are tombstones: of what is gone, nobody knows whether it was high-value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from harvester.errors import UsageError
from harvester.model import (
    ContactPoint,
    DataService,
    Dataset,
    Distribution,
    Part,
    Relationship,
)
from harvester.rdf import hvd
from harvester.rdf.derived import facts_of
from harvester.rdf.namespaces import PREFIXES, expand
from harvester.rdf.profile import CLOSED, SHAPES, Kind, Shape

Overrides = Mapping[tuple[type[Part], str], Mapping[str, Any]]


@dataclass(frozen=True)
class Profile:
    """A profile: the IRI records say they conform to, other names it is asked for by, and whether it is HVD only.

    `concepts` are the names it has for concepts, each with its scheme; `algorithms` the checksums it takes, if not all;
    `closed` the codelists in which it takes no other value;
    `series` whether it has a class for series; `elsewhere` whether it takes datasets that are only mentioned.
    """

    name: str
    iri: str
    title: str
    aliases: tuple[str, ...] = ()
    only_hvd: bool = False
    series: bool = True
    elsewhere: bool = True
    overrides: Overrides = field(default_factory=dict, compare=False, repr=False)
    concepts: Mapping[str, tuple[str, str]] = field(default_factory=dict, compare=False, repr=False)
    algorithms: frozenset[str] | None = field(default=None, compare=False, repr=False)
    closed: frozenset[str] = field(default=CLOSED, compare=False, repr=False)

    @cached_property
    def shapes(self) -> dict[type[Part], Shape]:
        """The table between model and RDF."""
        found: dict[type[Part], Shape] = {}
        for cls, shape in SHAPES.items():
            rows = tuple(replace(row, **self.overrides.get((cls, row.field), {})) for row in shape.rows)
            found[cls] = replace(shape, rows=rows, by_field={row.field: row for row in rows})
        return found

    def reason(self, dataset: Any) -> str | None:
        """Why a dataset is not in an export of this profile; None when it is."""
        return hvd.reason(facts_of(dataset)) if self.only_hvd else None


_ADMS = "http://purl.org/adms/status/"
_STATUS = "http://publications.europa.eu/resource/authority/distribution-status/"
_IN_2: Overrides = {
    (Dataset, "version"): {"predicate": expand("owl:versionInfo")},
    (Dataset, "has_version"): {"predicate": expand("dct:hasVersion")},
    (Dataset, "is_version_of"): {"predicate": expand("dct:isVersionOf"), "range": expand("dcat:Dataset")},
    (Dataset, "in_series"): {"predicate": expand("dct:isPartOf"), "range": expand("dcat:Dataset"), "marked": True},
    (Distribution, "byte_size"): {"kind": Kind.DECIMAL},
}
_ANYTHING = {"range": expand("rdfs:Resource")}
_IN_HVD: Overrides = {
    (Distribution, "access_url"): _ANYTHING,
    (DataService, "endpoint_url"): _ANYTHING,
    (DataService, "endpoint_description"): _ANYTHING,
    (ContactPoint, "email"): _ANYTHING,
    (ContactPoint, "url"): _ANYTHING,
    # Whether another dataset is high-value too is not known here, and the profile has no others.
    (Dataset, "in_series"): {"predicate": expand("ch:inSeries"), "range": ""},
    (Dataset, "has_version"): {"predicate": expand("ch:hasVersion"), "range": ""},
    (DataService, "serves_dataset"): {"predicate": expand("ch:servesDataset"), "range": ""},
    (Relationship, "target"): {"range": ""},
}
_ALL = (
    Profile(
        "dcat-ap-3.0.1",
        PREFIXES["dcatap"],
        "DCAT-AP 3.0.1",
        (
            "dcat-ap",
            "dcat-ap-3",
            "dcat-ap-3.0",
            "dcat-ap-3.0.0",
            "dcatap",
            "european_dcat_ap_3",
            "https://semiceu.github.io/DCAT-AP/releases/3.0.1",
        ),
    ),
    Profile(
        "dcat-ap-2.1.1",
        PREFIXES["dcatap"],
        "DCAT-AP 2.1.1",
        ("dcat-ap-2", "dcat-ap-2.1", "euro_dcat_ap_2", "https://semiceu.github.io/DCAT-AP/releases/2.1.1"),
        series=False,
        overrides=_IN_2,
        concepts={
            _STATUS + new: (_ADMS + old, _ADMS + "1.0")
            for new, old in (
                ("COMPLETED", "Completed"),
                ("DEPRECATED", "Deprecated"),
                ("DEVELOP", "UnderDevelopment"),
                ("WITHDRAWN", "Withdrawn"),
            )
        },
        algorithms=frozenset(("http://spdx.org/rdf/terms#checksumAlgorithm_sha1",)),
        closed=CLOSED | {"access-right"},
    ),
    Profile(
        "dcat-ap-hvd-3.0.0",
        "https://semiceu.github.io/DCAT-AP/releases/3.0.0-hvd/",
        "DCAT-AP HVD 3.0.0",
        ("hvd", "dcat-ap-hvd", "dcat-ap-hvd-3", "https://semiceu.github.io/DCAT-AP/releases/3.0.0-hvd"),
        only_hvd=True,
        elsewhere=False,
        overrides=_IN_HVD,
    ),
)
PROFILES: dict[str, Profile] = {profile.name: profile for profile in _ALL}
DEFAULT = _ALL[0]
_KNOWN = {
    name.lower().rstrip("/"): profile
    for profile in reversed(_ALL)
    for name in (profile.name, profile.iri, *profile.aliases)
}


def profile_named(text: str) -> Profile:
    """The profile of a name, alias or IRI.  Raises `UsageError` for one we do not write."""
    found = _KNOWN.get(text.strip().strip("<>").lower().rstrip("/"))
    if found is None:
        raise UsageError(f"no profile {text!r}; there are {', '.join(PROFILES)}", code="unknown-profile")
    return found
