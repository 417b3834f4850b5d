"""What a feed states under several, older or national predicates arrives whole."""

from __future__ import annotations

import pytest

from harvester.fields.terms import Term
from harvester.model import Dataset
from harvester.rdf.parse import parse
from harvester.rdf.reading import read
from harvester.rdf.trees import datasets
from harvester.rdf.writing import write

ME = "http://x.example/1"
AUTHORITY = "http://publications.europa.eu/resource/authority"
ROLE = "http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole"
PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix prov: <http://www.w3.org/ns/prov#> . @prefix geodcatap: <http://data.europa.eu/930/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix locn: <http://www.w3.org/ns/locn#> .
@prefix gsp: <http://www.opengis.net/ont/geosparql#> . @prefix schema: <http://schema.org/> .
@prefix dcatde: <http://dcat-ap.de/def/dcatde/> . @prefix x: <http://x.example/> ."""


def of(statements: str, others: str = "") -> Dataset:
    body = f'{PREFIXES} <{ME}> a dcat:Dataset ; dct:title "A" ; {statements} . {others}'
    return back(body.encode())


def back(body: bytes) -> Dataset:
    return next(
        Dataset.of(read(found.tree))
        for found in datasets(parse(body, base="https://feed.example/"))
        if found.guid in (ME, "T")
    )


def names(iris: list[str | None]) -> list[str]:
    return [str(iri).removeprefix("http://x.example/") for iri in iris]


@pytest.mark.parametrize(
    ("field", "statements", "expected"),
    [
        ("source", "dct:source x:a ; prov:wasDerivedFrom x:b , x:a", ["a", "b"]),
        ("has_version", "dct:hasVersion x:a ; dcat:hasVersion x:b", ["a", "b"]),
        ("relation", "dct:references x:a ; dct:hasPart x:b ; dct:replaces x:c ; dcat:prev x:d", ["a", "b", "c", "d"]),
        ("relation", "dct:isRequiredBy x:a ; dct:relation x:b ; dct:isPartOf x:c , x:cat , x:series", ["a", "b", "c"]),
        ("in_series", "dct:isPartOf x:c , x:cat , x:series", ["series"]),
        ("creator", "dct:creator x:a ; schema:creator x:b", ["a"]),
        ("theme", "dcat:theme x:a ; dct:subject x:b , 'words'", ["a", "b"]),
    ],
)
def test_the_predicates_of_a_field_are_united(field: str, statements: str, expected: list[str]) -> None:
    dataset = of(statements, "x:cat a dcat:Catalog . x:series a dcat:DatasetSeries .")
    assert names([item.uri for item in getattr(dataset, field)]) == expected


def test_agents_under_the_name_of_their_role_are_kept() -> None:
    dataset = of(
        'geodcatap:custodian x:org ; geodcatap:user [ foaf:name "U" ] ; dct:rightsHolder [ foaf:mbox <mailto:a@b.fr> ]'
        " ; prov:qualifiedAttribution [ prov:agent [ foaf:mbox <mailto:c@d.fr> ] ; dcat:hadRole x:role ]",
        'x:org foaf:name "Org" .',
    )
    kept = {str(item.role): item.target for item in dataset.qualified_attribution}
    assert {role: target and (target.uri, target.name, target.email) for role, target in kept.items()} == {
        "http://x.example/role": (None, {}, "c@d.fr"),
        f"{ROLE}/custodian": ("http://x.example/org", {"": "Org"}, None),
        f"{ROLE}/user": (None, {"": "U"}, None),
        f"{ROLE}/owner": (None, {}, "a@b.fr"),
    }
    assert back(write(dataset)).plain() == dataset.plain()


@pytest.mark.parametrize("predicates", ["locn:geometry", "gsp:asWKT"])
def test_the_geometry_that_is_understood_is_taken(predicates: str) -> None:
    gml = "locn:geometry '<gml:Point><gml:pos>48 2</gml:pos></gml:Point>'^^gsp:gmlLiteral"
    dataset = of(f"dct:spatial [ {gml} ; {predicates} 'POINT(2 48)'^^gsp:wktLiteral ]")
    assert dataset.spatial[0].geometry == '{"coordinates":[2,48],"type":"Point"}'
    assert dataset.problems == ()


def test_a_second_resolution_is_reported() -> None:
    dataset = of("dcat:spatialResolutionInMeters 25.0 , 10.0")
    assert dataset.spatial_resolution_in_meters == 10
    assert [(problem.code, problem.value) for problem in dataset.problems] == [("repeated-value", "25.0")]


def test_the_german_profile_is_read() -> None:
    planned = "dcatde:plannedAvailability <http://dcat-ap.de/def/plannedAvailability/stable>"
    (found,) = of(
        f'dcat:distribution [ dcat:accessURL x:f ; {planned} ; dcatde:licenseAttributionByText "Stadt X" ]'
    ).distribution
    assert found.availability is not None
    assert found.availability.uri == f"{AUTHORITY}/planned-availability/STABLE"
    assert found.rights == {"": "Stadt X"}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ('"water, air; soil"', ("air", "soil", "water")),
        ('"water, air"', ("water, air",)),
        ('"a, b, c" , "d"', ("a, b, c", "d")),
        (f'"a, b, {"long " * 10}"', (f"a, b, {'long ' * 10}".strip(),)),
    ],
)
def test_a_lone_keyword_that_is_a_list_is_split(said: str, kept: tuple[str, ...]) -> None:
    assert of(f"dcat:keyword {said}").keyword == {"": kept}


def test_a_text_that_means_two_concepts_comes_back_as_both() -> None:
    themes = tuple(Term("Finances", f"{AUTHORITY}/data-theme/{code}") for code in ("ECON", "GOVE"))
    licence = ["CC BY 4.0", "https://opendatacommons.org/licenses/odbl/1-0/"]
    dataset = Dataset.of({"title": "T", "uri": ME, "theme": themes, "license": licence})
    assert dataset.theme == themes
    assert back(write(dataset)).plain() == dataset.plain()


REGISTER = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @base <https://x.example/> .
<d> a dcat:Dataset ; dct:title "T" .
"""


def registered(*records: str) -> Dataset:
    about = " ".join(f"{record} ; a dcat:CatalogRecord ; foaf:primaryTopic <d> ." for record in records)
    (found,) = datasets(parse((REGISTER + about).encode(), base="https://x.example/"))
    return Dataset.of(read(found.tree))


@pytest.mark.parametrize(
    ("records", "issued"),
    [
        (('<ours> dct:issued "2026-01-01"',), "2026-01-01"),
        (('<ours> dct:issued "2026-01-01" ; dct:source <https://portal.example/api/1>',), "2026-01-01"),
        (('<ours> dct:issued "2026-01-01" ; dct:source <theirs>', '<theirs> dct:issued "2017-03-11"'), "2017-03-11"),
        (('<ours> dct:issued "2026-01-01" ; dct:source _:t', '_:t dct:issued "2017-03-11"'), "2017-03-11"),
        (
            ('<a> dct:source <b> ; dct:issued "2026-01-01"', "<b> dct:source <c>", '<c> dct:issued "2017-03-11"'),
            "2017-03-11",
        ),
        (
            (
                '<a> dct:issued "2026-01-01"',
                '<o1> dct:source <z> ; dct:issued "2026-01-01"',
                '<o2> dct:source <b> ; dct:issued "2026-01-01"',
                '<b> dct:issued "2018-01-01"',
                '<z> dct:issued "2017-03-11"',
            ),
            "2017-03-11",
        ),
        (
            ('<a> dct:source <b> ; dct:issued "2019-01-01"', '<b> dct:source <a> ; dct:issued "2018-01-01"'),
            "2018-01-01",
        ),
    ],
)
def test_the_record_is_the_one_of_the_source_itself(records: tuple[str, ...], issued: str) -> None:
    for order in (records, records[::-1]):
        dataset = registered(*order)
        assert dataset.record is not None
        assert dataset.record.issued == issued
        assert not dataset.source


def test_a_record_of_another_dataset_is_no_source_of_this_one() -> None:
    other = "<theirs> a dcat:CatalogRecord ; foaf:primaryTopic <e> . <e> a dcat:Dataset ; dct:issued"
    record = registered(f'{other} "2017-03-11" . <ours> dct:issued "2026-01-01" ; dct:source <theirs>').record
    assert record is not None
    assert (record.uri, record.issued) == ("https://x.example/ours", "2026-01-01")
