"""The metadata model: DCAT-AP 3 in snake_case, frozen, built from field types that clean what portals send.

Build a dataset with `Dataset.of(raw)`: a bad value is left out and the reason kept in `problems`; only a record with
neither title nor identifier is refused.  Sources: DCAT 3 (W3C), DCAT-AP 3.0.1 and DCAT-AP HVD 3.0.0 (SEMIC).
"""

from harvester.model.dataset import (
    TERM_FIELDS,
    TYPE_VOCABULARIES,
    CatalogRecord,
    Catalogue,
    DataService,
    Dataset,
    Distribution,
)
from harvester.model.parts import (
    Agent,
    Attribution,
    Checksum,
    ContactPoint,
    Identifier,
    Location,
    Part,
    PeriodOfTime,
    Relationship,
    Resource,
)

__all__ = [
    "TERM_FIELDS",
    "TYPE_VOCABULARIES",
    "Agent",
    "Attribution",
    "CatalogRecord",
    "Catalogue",
    "Checksum",
    "ContactPoint",
    "DataService",
    "Dataset",
    "Distribution",
    "Identifier",
    "Location",
    "Part",
    "PeriodOfTime",
    "Relationship",
    "Resource",
]
