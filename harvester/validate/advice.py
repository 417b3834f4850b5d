"""What to do about a finding: at the source, and in our configuration."""

from __future__ import annotations

# A vocabulary of ours for the properties whose values it resolves.
_VOCABULARIES = {
    "dcat:mediaType": "media-type",
    "dcat:compressFormat": "media-type",
    "dcat:packageFormat": "media-type",
    "dcat:theme": "data-theme",
    "dcatap:availability": "availability",
    "dcatap:hvdCategory": "hvd-category",
    "dct:accessRights": "access-right",
    "dct:accrualPeriodicity": "frequency",
    "dct:format": "file-type",
    "dct:language": "language",
    "dct:license": "licence",
    "dct:spatial": "place",
    "dct:type": "dataset-type",
}
_DATE = "write the date as 2024-05-31, 2024-05-31T10:00:00Z, 2024-05 or 2024 and type it accordingly"
# (property, group) -> what the publisher of the source does; the property "" holds for all others.
_AT_THE_SOURCE: dict[tuple[str, str], str] = {
    ("dcat:accessURL", "missing"): "give every distribution the address of the page or file that leads to the data",
    ("dcat:bbox", "several"): "give one bounding box, in one encoding",
    ("dcat:byteSize", "type"): "give the size in bytes, a whole number",
    ("dcat:contactPoint", "missing"): "name someone to write to: a name with an e-mail address or a form",
    ("dcat:distribution", "missing"): "list the files or services the data can be had from",
    ("dcat:endpointURL", "missing"): "give the address requests to the service are sent to",
    ("dcat:keyword", "missing"): "add a few keywords",
    ("dcat:theme", "missing"): "choose at least one of the thirteen EU data themes",
    ("dcatap:applicableLegislation", "missing"): "name the law: http://data.europa.eu/eli/reg_impl/2023/138/oj",
    ("dcatap:applicableLegislation", "list"): "add http://data.europa.eu/eli/reg_impl/2023/138/oj to the laws named",
    ("dcatap:availability", "missing"): "say how long the distribution is meant to stay",
    ("dcatap:hvdCategory", "missing"): "choose one of the six categories of the regulation",
    ("dct:description", "missing"): "describe it in a few sentences",
    ("dct:license", "missing"): "state the licence on every distribution, best by the address of its text",
    ("dct:license", "several"): "keep one licence; offer the data under another one as a distribution of its own",
    ("dct:publisher", "missing"): "name the body responsible for the data",
    ("dct:rights", "several"): "say all there is to say in one statement",
    ("dct:spatial", "missing"): "say which country or place the data are about",
    ("dct:temporal", "missing"): "say which period the data are about",
    ("dct:title", "missing"): "give it a title",
    ("foaf:name", "missing"): "name the organisation",
    ("foaf:page", "missing"): "link to the documentation",
    ("skos:prefLabel", "missing"): "describe the concept with a label, or use one of the EU tables",
    ("spdx:algorithm", "list"): "name the algorithm as https://spdx.org/rdf/terms#checksumAlgorithm_sha256",
    ("spdx:checksumValue", "type"): "write the checksum in hexadecimal digits, typed xsd:hexBinary",
    ("^dcat:servesDataset|dcat:distribution/dcat:accessService", "missing"): "high-value data have to be had from an "
    "API: describe it as a data service that serves the dataset",
    ("dct:license|dct:rights", "missing"): "state the licence, or the rights, of each distribution and service",
    ("vcard:hasEmail|vcard:hasURL", "missing"): "give an e-mail address or the page of a form",
    ("", "missing"): "state it",
    ("", "several"): "keep the one that counts",
    ("", "kind"): "write text as text and addresses as IRIs, not the other way round",
    ("", "class"): "describe what is pointed at in the same document, with its class",
    ("", "type"): "give the value the datatype the profile asks for",
    ("", "list"): "use a term of the table, and describe it with its skos:inScheme in the same document",
    ("", "text"): "write something in it, or leave it out",
    ("", "iri"): "write what no IRI may hold (spaces, quotation marks, brackets) in percent: %20 for a space",
    ("dcat:bbox", "derived"): "nothing: it was computed from the geometry",
    ("dcat:themeTaxonomy", "derived"): "name the EU data themes among the themes of the catalogue",
    ("", "derived"): "state it at the source",
    ("", "other"): "compare with what the profile says of this property",
}
_TAG = "tag the text with its language, such as @fr"
_RESOLVE = (
    "see `harvester vocabulary unmatched --vocabulary {0}` for what was not understood, and say what it means in the "
    "option `vocabulary` of the source"
)


def advice(prefixed: str, group: str, problem: str, exported: bool) -> str:
    """What to do; of an export of ours also what its configuration can mend."""
    if problem == "has no language tag":
        return _TAG
    if "typed as xsd:date" in problem:
        return _DATE
    first = _AT_THE_SOURCE.get((prefixed, group)) or _AT_THE_SOURCE[("", group)]
    vocabulary = _VOCABULARIES.get(prefixed)
    if exported and vocabulary and group in ("missing", "list"):
        return f"{first}; {_RESOLVE.format(vocabulary)}"
    return first
