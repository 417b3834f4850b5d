"""Controlled vocabularies: labelled strings, idempotence, totality, and the facts of formats and themes."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.vocabularies import VOCABULARIES, Concept, format_facts, split_themes, themes
from harvester.vocabularies.text import fold, iri_key, tidy

LABELLED = Path(__file__).parent / "data" / "vocabulary" / "labelled.csv"
SHARED = Path(__file__).parents[2] / "shared"

# Labels that portals use for another concept than the table's: `continuous` is udata's name for UPDATE_CONT,
# `rdf` means RDF/XML, `vnd.geo+json` gave way to `geo+json`, an undetermined language is none, Flemish is the Dutch of
# Flanders and not the dialect of its west, a stream of octets is no format.
OTHERWISE_USED = {
    "continuous",
    "rdf",
    "application vnd.geo+json",
    "undetermined",
    "flemish",
    "flamand",
    "octet stream",
}


def labelled() -> list[dict[str, str]]:
    with LABELLED.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def code(vocabulary: str, text: str) -> str:
    concept = VOCABULARIES[vocabulary].resolve(text)
    return concept.code if concept else ""


# The vocabularies of texts in words, in which each of these languages has its say, and the share to be recognised.
LANGUAGES = ("fr", "en", "nl", "de", "pt", "es")
RECALL = {
    "licence": 0.97,
    "frequency": 0.98,
    "file-type": 0.97,
    "media-type": 0.97,
    "data-theme": 0.90,
    "language": 0.99,
    "place": 0.85,
}


def test_there_are_enough_labelled_strings() -> None:
    rows = labelled()
    assert len(rows) >= 2_200
    assert sum(not row["expected"] for row in rows) > 450
    assert {row["vocabulary"] for row in rows} == set(VOCABULARIES)
    assert len({(row["vocabulary"], row["text"]) for row in rows}) == len(rows)


@pytest.mark.parametrize("vocabulary", ["licence", "frequency", "file-type", "data-theme", "place", "access-right"])
def test_every_language_has_labelled_strings(vocabulary: str) -> None:
    spoken = Counter(row["language"] for row in labelled() if row["vocabulary"] == vocabulary)
    assert [language for language in LANGUAGES if not spoken[language]] == []


@pytest.mark.parametrize("vocabulary", sorted(VOCABULARIES))
def test_precision_and_recall_on_the_labelled_strings(vocabulary: str) -> None:
    rows = [row for row in labelled() if row["vocabulary"] == vocabulary]
    answers = [(row["expected"], code(vocabulary, row["text"])) for row in rows]
    right = sum(bool(found) and found == expected for expected, found in answers)
    assert right >= 0.99 * sum(bool(found) for _, found in answers)
    assert right >= RECALL.get(vocabulary, 0.99) * sum(bool(expected) for expected, _ in answers)


@pytest.mark.parametrize("vocabulary", sorted(VOCABULARIES))
def test_labelled_strings(vocabulary: str) -> None:
    rows = [row for row in labelled() if row["vocabulary"] == vocabulary]
    answers = [(row["text"], row["expected"], code(vocabulary, row["text"])) for row in rows]
    assert [answer for answer in answers if answer[1] != answer[2]] == []


def some(vocabulary: str) -> Iterator[Concept]:
    """Every concept; of the communes, one in a hundred."""
    for number, concept in enumerate(VOCABULARIES[vocabulary]):
        if not concept.code.startswith("COM") or number % 100 == 0:
            yield concept


@pytest.mark.parametrize("vocabulary", sorted(VOCABULARIES))
def test_a_concept_resolves_from_its_own_iri(vocabulary: str) -> None:
    concepts = list(some(vocabulary))
    assert concepts
    for concept in concepts:
        assert VOCABULARIES[vocabulary].resolve(concept.uri) == concept
        assert VOCABULARIES[vocabulary].concept(concept.uri) == concept


@pytest.mark.parametrize("vocabulary", sorted(set(VOCABULARIES) - {"place"}))
def test_a_concept_resolves_from_its_own_labels(vocabulary: str) -> None:
    owners: dict[str, set[Concept]] = {}
    for concept in VOCABULARIES[vocabulary]:
        for language in ("fr", "en"):
            if text := concept.labels.get(language):
                owners.setdefault(fold(text), set()).add(concept)
    for text, concepts in owners.items():
        if len(concepts) == 1 and text not in OTHERWISE_USED:
            assert VOCABULARIES[vocabulary].resolve(text) in concepts, text


def test_countries_and_areas_resolve_from_their_names() -> None:
    named = [concept for concept in some("place") if concept.code.startswith(("REG", "DEP"))]
    found = [VOCABULARIES["place"].resolve(concept.labels["fr"]) for concept in named]
    names = Counter(fold(concept.labels["fr"]) for concept in named)
    for concept, place in zip(named, found, strict=True):
        if place and place.code.startswith(("REG", "DEP")):
            assert fold(place.labels["fr"]) == fold(concept.labels["fr"])
    assert sum(place is not None for place in found) > 0.9 * len(names)


@pytest.mark.parametrize(
    "uri",
    [
        "http://publications.europa.eu/resource/authority/frequency/ANNUAL",
        "https://publications.europa.eu/resource/authority/frequency/ANNUAL",
        "https://publications.europa.eu/resource/authority/frequency/ANNUAL/",
    ],
)
def test_the_scheme_and_final_slash_of_an_iri_do_not_matter(uri: str) -> None:
    concept = VOCABULARIES["frequency"].concept(uri)
    assert concept is not None
    assert concept.uri == "http://publications.europa.eu/resource/authority/frequency/ANNUAL"


def test_an_unknown_iri_is_no_concept() -> None:
    for vocabulary in VOCABULARIES.values():
        assert vocabulary.concept("http://example.org/none") is None
        assert vocabulary.concept("") is None


def test_a_deprecated_concept_is_known_but_its_successor_is_meant() -> None:
    old = "http://publications.europa.eu/resource/authority/licence/CC_BY"
    known = VOCABULARIES["licence"].concept(old)
    assert known is not None
    assert known.code == "CC_BY"
    assert code("licence", old) == "CC_BY_4_0"
    assert known not in set(VOCABULARIES["licence"])


def test_a_licence_of_no_eu_table_has_its_own_address_and_no_scheme() -> None:
    concept = VOCABULARIES["licence"].resolve("fr-lo")
    assert concept is not None
    assert concept.uri == "https://www.etalab.gouv.fr/wp-content/uploads/2014/05/Licence_Ouverte.pdf"
    assert concept.scheme == ""


def test_provisional_data_means_nothing() -> None:
    for vocabulary in VOCABULARIES.values():
        assert vocabulary.resolve("OP_DATPRO") is None
        assert vocabulary.resolve("Provisional data") is None


@pytest.mark.parametrize(
    "text",
    [
        "Not under CC BY 4.0",
        "These data are no longer under the Open Database License",
        "CC BY 4.0 et ODbL",
        "Licence Ouverte 2.0 ; CC BY-SA 4.0",
        "CC BY 4.0, pas d'usage commercial",
        "CC BY with share-alike",
        "All but the photographs, excluding CC BY content",
        '<a href="https://creativecommons.org/licenses/by/4.0/">CC BY-SA 4.0</a>',
        "compatible with CC BY 4.0",
        "une licence ouverte",
    ],
)
def test_a_negation_a_second_licence_or_a_further_restriction_is_no_licence(text: str) -> None:
    found = VOCABULARIES["licence"].resolve(text)
    assert found is None or "SA" in found.code


@given(st.sampled_from(["by-nc", "by-nc-nd", "by-nc-sa", "by-nd", "by-sa"]), st.sampled_from(["", "3.0", "4.0"]))
def test_a_restricted_creative_commons_licence_is_never_plain_attribution(elements: str, version: str) -> None:
    marks = set(elements.split("-")[1:])
    for text in (
        f"CC {elements} {version}",
        f"cc-{elements}-{version}",
        f"Creative Commons {elements.upper()} {version}",
    ):
        found = code("licence", text.strip("- "))
        assert found.startswith("CC_BY" + "".join(mark.upper() for mark in elements.split("-")[1:]))
        assert all(mark.upper() in found for mark in marks)


@pytest.mark.parametrize("vocabulary", sorted(VOCABULARIES))
@given(text=st.text(max_size=60) | st.text(alphabet="abcdéLI/.:#-_ ()0123456789,;&<>%", max_size=60))
def test_resolve_is_total_and_repeatable(vocabulary: str, text: str) -> None:
    found = VOCABULARIES[vocabulary].resolve(text)
    assert found is None or VOCABULARIES[vocabulary].resolve(found.uri) == found
    assert VOCABULARIES[vocabulary].resolve(text) == found


@pytest.mark.parametrize("vocabulary", sorted(VOCABULARIES))
@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "\ud800", "é" * 30_000, "<" * 30_000, "by " * 9_000, "//", "R/P", "%"]
)
def test_resolve_survives_odd_texts(vocabulary: str, text: str) -> None:
    assert VOCABULARIES[vocabulary].resolve(text) is None


@given(st.text(max_size=40), st.none() | st.text(max_size=40), st.none() | st.text(max_size=60))
def test_format_facts_are_total(text: str, mime: str | None, url: str | None) -> None:
    facts = format_facts(text, mime, url)
    assert facts == format_facts(text, mime, url)
    assert not (facts.service and facts.page)


@given(st.text(max_size=80))
def test_folding_settles_at_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://creativecommons.org/licenses/by/4.0/",
        "http://www.creativecommons.org/licenses/by/4.0",
        "//creativecommons.org/licenses/by/4.0",
        "creativecommons.org/licenses/by/4.0",
        "HTTPS://CREATIVECOMMONS.ORG/LICENSES/BY/4.0/",
    ],
)
def test_an_address_has_one_key_however_it_is_written(text: str) -> None:
    assert iri_key(text) == "creativecommons.org/licenses/by/4.0"
    assert code("licence", text) == "CC_BY_4_0"


@pytest.mark.parametrize(
    ("raw", "meant"),
    [("SantÃ©", "Santé"), ("CC%20BY", "CC BY"), ("Transports &amp; routes", "Transports & routes"), (' "csv" ', "csv")],
)
def test_what_portals_garble_is_restored(raw: str, meant: str) -> None:
    assert tidy(raw) == meant


def facts(text: str | None, mime: str | None = None, url: str | None = None) -> tuple[str, str, str, str]:
    found = format_facts(text, mime, url)
    names = (found.format, found.media_type, found.package, found.compress)
    return tuple(concept.code if concept else "" for concept in names)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("csv",), ("CSV", "text/csv", "", "")),
        (("csv.gz",), ("CSV", "text/csv", "", "application/gzip")),
        (("csvgz",), ("CSV", "text/csv", "", "application/gzip")),
        (("Shapefile (zip)",), ("SHP", "application/vnd.shp", "application/zip", "")),
        (("zip (shp)",), ("SHP", "application/vnd.shp", "application/zip", "")),
        (("ZIP+CSV",), ("CSV", "text/csv", "application/zip", "")),
        (("Zipped CSV",), ("CSV", "text/csv", "application/zip", "")),
        (("jsonl.gz",), ("JSON", "application/json", "", "application/gzip")),
        (("zip",), ("ZIP", "application/zip", "", "")),
        (("zip", "text/csv"), ("CSV", "text/csv", "application/zip", "")),
        (("csv", "application/zip"), ("CSV", "text/csv", "application/zip", "")),
        (("GTFS", "application/zip"), ("GTFS", "application/zip", "", "")),
        (("JSON", "application/geo+json"), ("GEOJSON", "application/geo+json", "", "")),
        (("csv", "text/html"), ("CSV", "text/csv", "", "")),
        ((None, "text/csv; charset=UTF-8"), ("CSV", "text/csv", "", "")),
        ((None, "application/geopackage+sqlite3"), ("GPKG", "application/geopackage+sqlite3", "", "")),
        (("document", None, "https://example.org/a.csv.zip"), ("CSV", "text/csv", "application/zip", "")),
        (
            (None, "application/octet-stream", "https://example.org/a/b.geojson?x=1#y"),
            ("GEOJSON", "application/geo+json", "", ""),
        ),
        (("pdf", None, "https://example.org/a.csv"), ("PDF", "application/pdf", "", "")),
        ((None, None, "https://example.org/index.php"), ("", "", "", "")),
        ((None, None, "https://data.gouv.fr"), ("", "", "", "")),
        ((None, None, "http://[broken"), ("", "", "", "")),
        ((None, None, None), ("", "", "", "")),
        (("csv, json, excel",), ("", "", "", "")),
    ],
)
def test_format_facts(said: tuple[str | None, ...], expected: tuple[str, str, str, str]) -> None:
    assert facts(*said) == expected


@pytest.mark.parametrize(
    "text", ["OGC:WFS-1.1.0-http-get-feature", "WMS", "wmts", "Esri REST", "API", "odata", "gtfs-rt", "csw"]
)
def test_services_are_services(text: str) -> None:
    found = format_facts(text)
    assert found.service
    assert not found.page


@pytest.mark.parametrize("text", ["html", "Web page", "aspx", "www", "WWW:LINK-1.0-http--link", "text/html"])
def test_pages_are_pages(text: str) -> None:
    found = format_facts(text)
    assert found.page
    assert found.format is not None
    assert found.format.code == "HTML"


@pytest.mark.parametrize(
    ("text", "labels", "codes"),
    [
        ("Transports, Déplacements", ("Transports, Déplacements",), ["TRAN"]),
        ("Transports, Déplacements, Environnement", ("Transports, Déplacements", "Environnement"), ["TRAN", "ENVI"]),
        (
            "Culture, Patrimoine, Santé, Services, Social",
            ("Culture, Patrimoine", "Santé", "Services, Social"),
            ["EDUC", "HEAL", "SOCI"],
        ),
        ("Hébergement, Restauration", ("Hébergement, Restauration",), ["ECON", "REGI"]),
        (
            "Hébergement, Restauration, Économie, Business, PME, Développement économique, Emploi",
            ("Hébergement, Restauration", "Économie, Business, PME, Développement économique, Emploi"),
            ["ECON", "REGI"],
        ),
        ("Transport et environnement", ("Transport et environnement",), ["TRAN", "ENVI"]),
        ("Santé, Chose inconnue", ("Santé, Chose inconnue",), []),
        ("", ("",), []),
    ],
)
def test_joined_themes_are_split_on_known_labels(text: str, labels: tuple[str, ...], codes: list[str]) -> None:
    assert split_themes(text) == labels
    assert [theme.code for theme in themes(text)] == codes


ODS_LABELS = (
    "Transports, Déplacements",
    "Culture, Patrimoine",
    "Santé",
    "Services, Social",
    "Énergie",
    "Environnement",
)


@given(st.lists(st.sampled_from(ODS_LABELS), min_size=1, max_size=6, unique=True))
def test_split_themes_undoes_a_join(labels: list[str]) -> None:
    joined = ", ".join(labels)
    assert ", ".join(split_themes(joined)) == joined
    assert len(split_themes(joined)) > len(labels) // 3
    assert set(themes(joined)) == {theme for label in labels for theme in themes(label)}


def test_a_commune_has_its_insee_address() -> None:
    commune = VOCABULARIES["place"].resolve("fr:commune:36063@1943-01-01")
    assert commune is not None
    assert commune.uri == "http://id.insee.fr/geo/commune/36063"
    assert VOCABULARIES["place"].concept("http://id.insee.fr/geo/commune/99999") is None


def test_geonames_addresses_are_made_uniform() -> None:
    for text in (
        "http://sws.geonames.org/2673730",
        "https://www.geonames.org/2673730/stockholm.html",
        "geonames:2673730",
    ):
        place = VOCABULARIES["place"].resolve(text)
        assert place is not None
        assert place.uri == "https://sws.geonames.org/2673730/"


# ---- what real portals wrote: the share of each vocabulary's values that is understood


def shared_datasets() -> Iterator[dict[str, Any]]:
    bundle = SHARED / "corpus" / "udata"
    for path in sorted(bundle.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                found = json.loads(line)
                yield from found.get("data", [found]) if isinstance(found, dict) else found


def rate(values: Counter[str], understood: Callable[[str], object]) -> float:
    known = sum(count for value, count in values.items() if understood(value))
    return known / max(1, sum(values.values()))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the corpus of real payloads is not beside this checkout")
def test_real_udata_values_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    seen: dict[str, Counter[str]] = {name: Counter() for name in ("licence", "frequency", "format", "mime")}
    for dataset in shared_datasets():
        seen["licence"][dataset.get("license") or ""] += 1
        seen["frequency"][dataset.get("frequency") or ""] += 1
        for resource in dataset.get("resources") or []:
            seen["format"][resource.get("format") or ""] += 1
            seen["mime"][resource.get("mime") or ""] += 1
    for values in seen.values():
        del values[""]
    del seen["licence"]["notspecified"], seen["licence"]["other-at"], seen["licence"]["other-open"]
    rates = {
        "licence": rate(seen["licence"], VOCABULARIES["licence"].resolve),
        "frequency": rate(seen["frequency"], VOCABULARIES["frequency"].resolve),
        "format": rate(seen["format"], lambda text: any(format_facts(text))),
        "mime": rate(seen["mime"], lambda text: any(format_facts(None, text))),
    }
    with capsys.disabled():
        print("\nudata:", {name: f"{share:.1%} of {sum(seen[name].values())}" for name, share in rates.items()})  # noqa: T201
    assert rates["licence"] >= 0.99
    assert rates["frequency"] >= 0.99
    assert rates["format"] >= 0.97
    assert rates["mime"] >= 0.85


@pytest.mark.skipif(not SHARED.is_dir(), reason="the corpus of real payloads is not beside this checkout")
def test_real_opendatasoft_values_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    catalogue = SHARED / "corpus" / "opendatasoft" / "fr-paris-public-ods-catalog-2015.csv"
    seen: dict[str, Counter[str]] = {name: Counter() for name in ("licence", "data-theme", "language", "frequency")}
    columns = {"licence": "licen", "data-theme": "theme", "language": "lang", "frequency": "frequen"}
    with catalogue.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter=";" if ";" in catalogue.read_text(encoding="utf-8")[:200] else ","):
            for name, part in columns.items():
                for key, value in row.items():
                    if key and value and part in key.lower():
                        seen[name][value] += 1
    rates = {name: rate(values, VOCABULARIES[name].resolve) for name, values in seen.items() if values}
    with capsys.disabled():
        print("\nopendatasoft:", {name: f"{share:.1%} of {sum(seen[name].values())}" for name, share in rates.items()})  # noqa: T201
    assert rates
    assert rates.get("licence", 1) >= 0.85
    assert rates.get("data-theme", 1) >= 0.95
