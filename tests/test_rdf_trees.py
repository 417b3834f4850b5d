"""Trees: what belongs to a dataset and nothing else, the same whatever the order, small however large the feed."""

from __future__ import annotations

import pytest

from harvester.jsonio import canonical
from harvester.model import Dataset
from harvester.rdf.parse import parse
from harvester.rdf.reading import read
from harvester.rdf.trees import Found, datasets

BASE = "https://feed.example/"
PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix schema: <http://schema.org/> .
@base <https://x.example/> .
"""


def grown(turtle: str) -> list[Found]:
    return list(datasets(parse((PREFIXES + turtle).encode(), base=BASE)))


def many(count: int, each: str) -> str:
    return " ".join(f'<d{n}> a dcat:Dataset ; dct:title "T{n}" ; {each} .' for n in range(count))


def test_blank_node_labels_and_order_do_not_change_a_tree() -> None:
    one = """_:a a dcat:Dataset ; dct:identifier "i" ; dcat:distribution _:x, _:y .
        _:x dct:title "1" . _:y dct:title "2" ."""
    two = """_:q dct:title "2" . _:p dct:title "1" .
        _:z dcat:distribution _:q, _:p ; dct:identifier "i" ; a dcat:Dataset ."""
    assert grown(one) == grown(two)
    assert grown(one)[0].guid == "i"


@pytest.mark.parametrize(
    ("said", "guid"),
    [
        ('dct:identifier "i" ; dcat:landingPage <p>', "i"),
        ('schema:identifier "s" ; dct:title "T"', "s"),
        ('dcat:landingPage <p> ; dct:title "T"', "https://x.example/p"),
        ('schema:url <u> ; dct:title "T"', "https://x.example/u"),
    ],
)
def test_what_stands_for_the_name_of_a_dataset_without_one(said: str, guid: str) -> None:
    assert [found.guid for found in grown(f"[] a dcat:Dataset ; {said} .")] == [guid]


def test_repeated_statements_count_once() -> None:
    (found,) = grown('<d> a dcat:Dataset ; dct:title "A", "A" . <d> dct:title "A" .')
    assert found.tree["http://purl.org/dc/terms/title"] == [{"@value": "A"}]


def test_lists_are_their_members() -> None:
    (found,) = grown('<d> a dcat:Dataset ; dct:title "A" ; dcat:keyword ("a" "b"), "c", () .')
    keywords = [value["@value"] for value in found.tree["http://www.w3.org/ns/dcat#keyword"]]
    assert keywords == ["a", "b", "c"]


def test_lists_that_bite_their_tail_end() -> None:
    loop = '_:a rdf:first "a" ; rdf:rest _:b . _:b rdf:first "b" ; rdf:rest _:a .'
    (found,) = grown(f'<d> a dcat:Dataset ; dct:title "A" ; dcat:keyword _:a . {loop}')
    assert len(found.tree["http://www.w3.org/ns/dcat#keyword"]) == 2


def test_shared_parts_are_in_every_tree_that_mentions_them() -> None:
    publisher = '<org> a foaf:Agent ; foaf:name "Org" ; dct:spatial [ rdfs:label "Here" ] .'
    trees = [found.tree for found in grown(many(5, "dct:publisher <org>") + publisher)]
    parts = [tree["http://purl.org/dc/terms/publisher"] for tree in trees]
    assert len(parts) == 5
    assert all(part == parts[0] for part in parts)
    assert "Here" in canonical(parts[0]).decode()


def test_a_shared_part_is_cut_where_it_stands_too_deep_and_only_there() -> None:
    chain = " ".join(f"<c{n}> dct:relation <c{n + 1}> ." for n in range(5)) + ' <c5> rdfs:label "E" .'
    deep = many(3, "dct:relation [ dct:relation [ dct:relation <c0> ] ]")
    flat = many(3, "dct:relation <c0>").replace("<d", "<e")
    apart = {found.guid: found for part in (deep, flat) for found in grown(part + chain)}
    for turtle in (deep + flat, flat + deep):
        assert {found.guid: found for found in grown(turtle + chain)} == apart
    assert b"/c5" in canonical(apart["https://x.example/e2"].tree)
    assert b"/c5" not in canonical(apart["https://x.example/d2"].tree)


def test_circles_end() -> None:
    found = grown(
        many(3, "dct:publisher <a>") + ' <a> foaf:name "A" ; foaf:knows <b> . <b> foaf:name "B" ; foaf:knows <a> .'
    )
    texts = [canonical(item.tree).decode().replace(f"d{n}", "d").replace(f"T{n}", "T") for n, item in enumerate(found)]
    assert len(set(texts)) == 1
    assert texts[0].count("/knows") == 2


@pytest.mark.parametrize(
    "hub",
    [
        "<org> foaf:made {all} .",
        "<all> a dcat:DataService ; dcat:servesDataset {all} .",
        "<org> schema:subjectOf [ schema:dataset {all} ] .",
    ],
)
def test_what_points_at_every_dataset_does_not_swell_each(hub: str) -> None:
    def largest(count: int) -> int:
        pointing = hub.format(all=", ".join(f"<d{n}>" for n in range(count)))
        found = grown(many(count, "dct:publisher <org>") + f' <org> foaf:name "Org" . {pointing}')
        assert len(found) == count
        return max(len(canonical(item.tree)) for item in found)

    assert largest(400) <= largest(100) + 50


def test_a_hub_still_points_at_the_dataset_it_is_shown_for() -> None:
    everything = ", ".join(f"<d{n}>" for n in range(60))
    found = grown(many(60, "dct:publisher <org>") + f" <all> a dcat:DataService ; dcat:servesDataset {everything} .")
    assert [Dataset.of(read(item.tree)).service[0].serves_dataset for item in found] == [
        (f"https://x.example/d{n}",) for n in range(60)
    ]


def test_vocabularies_are_named_and_not_followed() -> None:
    concepts = " ".join(f'<t{n}> a skos:Concept ; skos:prefLabel "L{n}" ; skos:inScheme <s> .' for n in range(40))
    scheme = (
        f'<s> a skos:ConceptScheme ; skos:hasTopConcept {", ".join(f"<t{n}>" for n in range(40))} ; dct:title "S" .'
    )
    (found,) = grown(many(1, "dcat:theme <t7>") + concepts + scheme)
    text = canonical(found.tree).decode()
    assert "L7" in text
    assert "L8" not in text


def test_other_datasets_are_referred_to_the_same_whether_they_stand_on_the_page_or_not() -> None:
    alone = """<a> a dcat:Dataset ; dct:title "A" ; dct:relation <b> ; dcat:inSeries <s> ; dct:source <c> ."""
    others = """<b> a dcat:Dataset ; dct:title "B" ; rdfs:label "Bee" . <s> a dcat:DatasetSeries ; dct:title "S" .
        <feed> a dcat:Catalog ; dct:title "F" ; dcat:dataset <a>, <b>, <s>, <c> . <c> dct:title "C" ."""
    (apart,), (first, *rest) = grown(alone), grown(alone + others)
    assert first == apart
    assert len(rest) == 3


def test_names_that_a_source_gave_other_datasets_are_kept_where_the_writer_says_so() -> None:
    alone = """@prefix ch: <https://w3id.org/catalogue-harvester/ns#> . <b> rdfs:label "Bee" .
        <a> a dcat:Dataset ; dct:title "A" ; dct:relation <b> . <r> ch:lastSeen "2026-01-01" ."""
    (apart,) = grown(alone)
    (standing,) = grown(alone + '<b> a dcat:Dataset ; ch:reference true ; dct:title "Written by the writer" .')
    described, other = grown(alone + '<b> a dcat:Dataset ; dct:title "B" .')
    assert apart == standing == described
    assert Dataset.of(read(apart.tree)).relation[0].name == {"": "Bee"}
    assert other.guid == "https://x.example/b"


def test_counting_agrees_with_growing() -> None:
    found = datasets(parse((PREFIXES + many(7, "dct:publisher <org>")).encode(), base=BASE))
    assert found.count() == len(list(found)) == 7


def test_of_the_names_of_one_publisher_the_shortest_is_taken_and_the_rest_reported() -> None:
    names = ", ".join(f'"Ministry, department {n}"@en' for n in range(30))
    (found,) = grown(
        f'<d> a dcat:Dataset ; dct:title "A" ; dct:publisher <org> . <org> foaf:name {names}, "Ministry"@en .'
    )
    dataset = Dataset.of(read(found.tree))
    assert dataset.publisher is not None
    assert dataset.publisher.name == {"en": "Ministry"}
    assert [problem.code for problem in dataset.problems] == ["repeated-text"]
