"""JSON-LD made self-contained before it is parsed: contexts elsewhere are never fetched, ours stands in for them."""

from __future__ import annotations

import re
from typing import Any

from harvester.rdf.namespaces import KNOWN_PREFIXES

# The names JSON feeds use without saying where they come from, as DCAT-AP's own context means them.
_TERMS: dict[str, str] = {
    "Catalog": "dcat:Catalog",
    "CatalogRecord": "dcat:CatalogRecord",
    "Dataset": "dcat:Dataset",
    "DatasetSeries": "dcat:DatasetSeries",
    "DataService": "dcat:DataService",
    "Distribution": "dcat:Distribution",
    "accessRights": "dct:accessRights",
    "accrualPeriodicity": "dct:accrualPeriodicity",
    "byteSize": "dcat:byteSize",
    "conformsTo": "dct:conformsTo",
    "contactPoint": "dcat:contactPoint",
    "creator": "dct:creator",
    "dataset": "dcat:dataset",
    "description": "dct:description",
    "distribution": "dcat:distribution",
    "endDate": "dcat:endDate",
    "fn": "vcard:fn",
    "format": "dct:format",
    "hasEmail": "vcard:hasEmail",
    "hasURL": "vcard:hasURL",
    "identifier": "dct:identifier",
    "inSeries": "dcat:inSeries",
    "issued": "dct:issued",
    "keyword": "dcat:keyword",
    "language": "dct:language",
    "license": "dct:license",
    "mediaType": "dcat:mediaType",
    "modified": "dct:modified",
    "name": "foaf:name",
    "publisher": "dct:publisher",
    "rights": "dct:rights",
    "service": "dcat:service",
    "spatial": "dct:spatial",
    "startDate": "dcat:startDate",
    "temporal": "dct:temporal",
    "theme": "dcat:theme",
    "title": "dct:title",
    "type": "dct:type",
    "version": "dcat:version",
}
_ADDRESSES = {
    "accessService": "dcat:accessService",
    "accessURL": "dcat:accessURL",
    "downloadURL": "dcat:downloadURL",
    "endpointDescription": "dcat:endpointDescription",
    "endpointURL": "dcat:endpointURL",
    "homepage": "foaf:homepage",
    "landingPage": "dcat:landingPage",
    "page": "foaf:page",
    "servesDataset": "dcat:servesDataset",
}
DEFAULT_CONTEXT: dict[str, Any] = {
    **KNOWN_PREFIXES,
    **_TERMS,
    **{name: {"@id": curie, "@type": "@id"} for name, curie in _ADDRESSES.items()},
}
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(\s*[}\]])')


def localised(document: Any) -> tuple[Any, list[str]]:
    """The document with its remote contexts replaced by ours, and their addresses."""
    remote: list[str] = []
    _walk(document, remote)
    if isinstance(document, list):
        return {"@context": DEFAULT_CONTEXT, "@graph": document}, remote
    if isinstance(document, dict):
        given = document.get("@context")
        contexts = given if isinstance(given, list) else [given] if isinstance(given, dict) else []
        return {**document, "@context": [DEFAULT_CONTEXT, *contexts]}, remote
    return document, remote


def without_trailing_commas(text: str) -> str:
    """JSON as people write it by hand."""
    return _TRAILING_COMMA.sub(lambda found: found.group(1) or found.group(2), text)


def _walk(document: Any, remote: list[str]) -> None:
    """Every context of the document, in place; without recursion, for documents may be large."""
    stack = [document]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if "@context" in node:
                node["@context"] = _local(node["@context"], remote)
            stack.extend(value for value in node.values() if isinstance(value, dict | list))
        elif isinstance(node, list):
            stack.extend(value for value in node if isinstance(value, dict | list))


def _local(context: Any, remote: list[str]) -> Any:
    if isinstance(context, list):
        return [_local(item, remote) for item in context]
    if isinstance(context, str):
        remote.append(context)
        return DEFAULT_CONTEXT
    if isinstance(context, dict) and "@import" in context:
        remote.append(str(context["@import"]))
        return {key: value for key, value in context.items() if key != "@import"}
    return context
