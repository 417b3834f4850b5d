"""Values that are not what they should be, as portals of each kind write them."""

from __future__ import annotations

from typing import Any

from tests.faults.ways import Edit

NOT_A_NUMBER = '{"type": "Polygon", "coordinates": [[[NaN, 1], [2, 2], [3, 1], [NaN, 1]]]}'


def _with(**values: Any) -> Edit:
    return lambda row: row | values


def _basic(**values: Any) -> Edit:
    def edit(row: Any) -> Any:
        return row | {"metas": {**row["metas"], "default": row["metas"]["default"] | values}}

    return edit


def _saying(turtle: str) -> Edit:
    """Further statements about the dataset."""
    return lambda row: f"{row.rstrip(' .')} ; {turtle} ."


def _typed(row: Any) -> Any:
    return row | {"resources": [each | {"resource_type": "releves.csv"} for each in row["resources"]]}


_DATED = 'dct:issued "hier"^^xsd:date ; dct:modified "0000-00-00"^^xsd:dateTime, "R/P1D" ; dct:temporal "2019/.."'
_PLACED = (
    'dct:spatial "POLYGON((", [ a dct:Location ; locn:geometry "POLYGON((NaN 1, 2 2))"^^xsd:string ] , '
    '[ dcat:bbox "[\\"ARG\\", \\"02\\"]" ]'
)
_UNNAMED = (
    "dct:publisher [] ; dcat:theme [] ; dct:conformsTo [ a dct:Standard ] ; dcat:keyword [] ; dct:language [] ; "
    "dct:license [] ; dcat:distribution [ a dcat:Distribution ; dct:format [] ; dct:license [] ; "
    "dcat:accessURL <https://files.example/nodes.csv> ]"
)

DATES: dict[str, Edit] = {
    "ckan": _with(metadata_created="", metadata_modified="31/02/2024", issued="R/P1D", temporal_start="2019-13"),
    "udata": _with(created_at="hier", last_update="0000-00-00", temporal_coverage={"start": "n/a", "end": 12}),
    "opendatasoft": _basic(modified="31/02/2024", data_processed="", metadata_processed="R/P1D"),
    "dcat": _saying(_DATED),
    "rdf-xml": _saying(_DATED),
    "data-json": _with(modified="R/P1D", issued="hier", temporal="2019-13/.."),
}

PLACES: dict[str, Edit] = {
    "ckan": _with(spatial=NOT_A_NUMBER, extras=[{"key": "spatial", "value": "POLYGON(("}]),
    "udata": _with(spatial={"geom": {"type": "MultiPolygon", "coordinates": [[["ARG", "02"]]]}, "zones": ["x"]}),
    "opendatasoft": _basic(territory=["ARG", "02"], geographic_reference="POLYGON(("),
    "dcat": _saying(_PLACED),
    "rdf-xml": _saying(_PLACED),
    "data-json": _with(spatial='["ARG", "02"]'),
}

NODES: dict[str, Edit] = {"dcat": _saying(_UNNAMED), "rdf-xml": _saying(_UNNAMED)}
TYPES: dict[str, Edit] = {"ckan": _typed}
