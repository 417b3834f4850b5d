"""Field types: total, idempotent, and right on what portals really write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode

from harvester.fields import languages, number, place, terms, text, web, when
from harvester.fields.base import FieldProblem, Report
from harvester.model import Dataset
from harvester.vocabularies import heeding, overrides

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
CLEANERS: list[Callable[[Any, Report], Any]] = [
    text.text,
    text.prose,
    text.texts,
    text.proses,
    text.words,
    text.lines,
    languages.language_tag,
    when.when,
    web.iri,
    web.url,
    web.urls,
    web.iris,
    web.email,
    number.size,
    number.metres,
    number.duration,
    number.flag,
    place.geometry,
    place.bbox,
    place.centroid,
]
MARKUP = st.text(alphabet="<>&;/ab#x1l gtamp\n\"'=!-[]{}()", max_size=40)
ADDRESSES = st.builds(
    "{}{}".format, st.sampled_from(["http://", "https://é.fr/", "http://a.b/", "www.", "urn:"]), st.text()
)
DATES = st.text(alphabet="0123456789-/T:.Z+ jandecmrvouû,", max_size=25)
ALL = JUNK | MARKUP | ADDRESSES | DATES


@pytest.mark.parametrize("clean", CLEANERS, ids=lambda f: f.__name__)
@given(value=ALL)
def test_total_and_idempotent(clean: Callable[[Any, Report], Any], value: Any) -> None:
    once = clean(value, Report())
    assert clean(once, Report()) == once


@given(value=ADDRESSES | st.text())
def test_an_address_is_always_a_valid_iri(value: str) -> None:
    for found in (web.url(value), web.iri(value)):
        if found is not None:
            NamedNode(found)


@given(value=MARKUP | st.text())
def test_text_never_keeps_markup_or_control_characters(value: str) -> None:
    found = text.prose(value) or ""
    assert "<script" not in found.lower()
    assert not any(ord(c) < 32 and c not in "\n\t" for c in found)
    found.encode("utf-8")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2020", "2020"),
        (2020, "2020"),
        ("2014-11", "2014-11"),
        ("20141112", "2014-11-12"),
        ("2014-11-12", "2014-11-12"),
        ("2014-11-12T09:47:16+0000", "2014-11-12T09:47:16Z"),
        ("2014-11-12T09:47:16+02:00", "2014-11-12T07:47:16Z"),
        ("2019-06-10T13:12:22.161302", "2019-06-10T13:12:22.161302"),
        ("2019-06-27 12:41:27", "2019-06-27T12:41:27"),
        ("2024-08-20T13:41:37.838Z", "2024-08-20T13:41:37.838Z"),
        ("2024-08-20T13:41:37.838000000Z", "2024-08-20T13:41:37.838Z"),
        ("mar, 10/12/2019 - 09:23", "2019-12-10T09:23:00"),
        ("Date changed  jeu, 19/12/2019 - 03:00", "2019-12-19T03:00:00"),
        ("31/12/2019", "2019-12-31"),
        ("12/31/2019", "2019-12-31"),
        ("12 janvier 2020", "2020-01-12"),
        ("1er août 2021", "2021-08-01"),
        ("January 5, 2018", "2018-01-05"),
        ("mars 2017", "2017-03"),
        ("Wed, 12 Nov 2014 09:47:16 GMT", "2014-11-12T09:47:16Z"),
        (1577836800, "2020-01-01T00:00:00Z"),
        (1577836800000, "2020-01-01T00:00:00Z"),
        (date(2020, 2, 29), "2020-02-29"),
        (datetime(2020, 1, 1, 12, tzinfo=UTC), "2020-01-01T12:00:00Z"),
    ],
)
def test_dates_keep_their_precision(raw: Any, expected: str) -> None:
    assert when.when(raw) == expected


@pytest.mark.parametrize(
    "raw", ["10/12/2019", "2019-13-45", "2019-02-30", "hier", "R/P1D", "0000-00-00", "99999", True]
)
def test_a_date_is_never_guessed(raw: Any) -> None:
    problems: list[FieldProblem] = []
    assert when.when(raw, Report("issued", problems)) is None
    assert [p.code for p in problems] in (["bad-date"], ["not-text"])


UNITS = ("a", "a.", "a-", "1,", "1 234 ", "<a", "&#1", "</", "<!--", "POINT(", ",", "x,", "@", "a@", "%41", "(", " \n")
LONG = [unit * (20_000 // len(unit)) for unit in UNITS]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("clean", CLEANERS, ids=lambda f: f.__name__)
def test_long_nonsense_takes_no_long_time(clean: Callable[[Any, Report], Any]) -> None:
    for nonsense in LONG:
        for value in (nonsense, f"http://{nonsense}!", f"{nonsense}http", f"P{nonsense}"):
            clean(value, Report())


def test_instants_cover_from_their_start() -> None:
    assert when.instant("2020") == datetime(2020, 1, 1, tzinfo=UTC)
    assert when.instant("2020-05-01T10:00:00Z") == datetime(2020, 5, 1, 10, tzinfo=UTC)
    assert when.instant(None) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("http://a.example/with space", "http://a.example/with%20space"),
        ("  https://A.Example/Path?q=é#x ", "https://a.example/Path?q=é#x"),
        ("www.example.org/x", "http://www.example.org/x"),
        ("http://a.example/x http://b.example/y", "http://a.example/x"),
        ("https://sig.example.org:/x", "https://sig.example.org:/x"),
        ("http://a.example/100%", "http://a.example/100%25"),
        ("http://a.example/[x]|y", "http://a.example/%5Bx%5D%7Cy"),
        ("HTTP://a.example/", "http://a.example/"),
        ({"@id": "http://a.example/"}, "http://a.example/"),
    ],
)
def test_urls_are_repaired(raw: Any, expected: str) -> None:
    assert web.url(raw) == expected


@pytest.mark.parametrize(
    "raw", ["berlin", "/relative", "http://", "http:///x", "javascript:alert(1)", "mailto:a@b.fr", 7]
)
def test_what_is_no_url_is_reported(raw: Any) -> None:
    problems: list[FieldProblem] = []
    assert web.url(raw, Report("url", problems)) is None
    assert problems[0].code == "bad-url"


def test_glued_urls_are_told_apart() -> None:
    assert web.urls("http://a.example/x, http://b.example/y") == ("http://a.example/x", "http://b.example/y")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("mailto:a.b@c.fr", "a.b@c.fr"), ("mailto:", None), ("Jean <j@d.fr>; k@d.fr", "j@d.fr"), ("http://how to", None)],
)
def test_emails(raw: str, expected: str | None) -> None:
    assert web.email(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("42 octets", 42),
        ("1,5 Mo", 1572864),
        ("12 345", 12345),
        ("12,345", 12345),
        ("1,234,567", 1234567),
        ("1.234.567", 1234567),
        ("1,234,567 bytes", 1234567),
        ("1,234.5 kB", 1264128),
        ("1.234 MB", 1293942),
        ("0.123", None),
        ("1,234,5", None),
        (1024, 1024),
        ("1024", 1024),
        (0, None),
        (-3, None),
        ("big", None),
        (True, None),
    ],
)
def test_sizes(raw: Any, expected: int | None) -> None:
    assert number.size(raw) == expected


def test_html_becomes_text_that_keeps_its_links() -> None:
    raw = '<p>Un <b>jeu</b> &amp; plus</p><ul><li>un</li><li>deux</li></ul><a href="https://x.example/">ici</a><script>1</script>'
    assert text.prose(raw) == "Un jeu & plus\n\n- un\n- deux\nici (https://x.example/)"


def test_the_cells_of_a_table_stay_apart() -> None:
    rows = "<tr>\n<th>No</th>\n<th>Nom</th>\n</tr><tr><td>75</td><td>Paris</td></tr>"
    assert text.prose(f"<table>{rows}</table>") == "No | Nom\n\n75 | Paris"
    assert text.text("<td>75</td><td>Paris</td>") == "75 | Paris"


def test_plain_text_with_angle_brackets_stays() -> None:
    assert text.prose("a < b and c > d, AT&T") == "a < b and c > d, AT&T"


def test_html_escaped_twice_is_uncovered() -> None:
    assert text.text("&amp;lt;b&amp;gt;gras&amp;lt;/b&amp;gt;") == "gras"


@pytest.mark.parametrize(
    ("raw", "tag", "told"),
    [
        ("fr", "fr", 0),
        ("fr_FR", "fr-fr", 0),
        ("FR-fr ", "fr-fr", 0),
        ("fra", "fr", 0),
        ("fre-BE", "fr-be", 0),
        ("gsw", "gsw", 0),
        ("zh-Hans-CN", "zh-hans-cn", 0),
        ("fr-t-nl", "fr-t-nl", 0),
        ("fr-t-nl-t0-mtec", "fr-t-nl-t0-mtec", 0),
        ("und", "", 0),
        ("", "", 0),
        (None, "", 0),
        ("french", "fr", 1),
        ("Néerlandais", "nl", 1),
        ("fr_FR.UTF-8", "fr-fr", 1),
        ("de-DE@euro", "de-de", 1),
        ("fr-", "fr", 1),
        ("x-none", "", 1),
        ("fr-x", "", 1),
        ("klingonese", "", 1),
        ("a b", "", 1),
        ("f" * 5_000, "", 1),
        (7, "", 1),
        (["fr"], "", 1),
    ],
)
def test_language_tags(raw: Any, tag: str, told: int) -> None:
    problems: list[FieldProblem] = []
    assert languages.language_tag(raw, Report("title", problems)) == tag
    assert [problem.code for problem in problems] == ["bad-language-tag"] * told
    assert languages.language_tag(tag) == tag


SUBTAGS = ("fr", "nl", "fra", "x", "t", "u", "a", "419", "latn", "1996", "t0", "mtec", "be", "und", "i", "abcdefgh")


@given(st.lists(st.sampled_from(SUBTAGS), max_size=7))
def test_whatever_becomes_a_tag_can_stand_in_rdf(parts: list[str]) -> None:
    if tag := languages.language_tag("-".join(parts)):
        assert Literal("a", language=tag).language == tag


@pytest.mark.parametrize(
    ("texts", "language", "shown"),
    [
        ({}, "fr", None),
        ({"fr": "a", "nl": "b"}, "nl", "b"),
        ({"fr": "a", "nl": "b"}, "", "a"),
        ({"": "a", "en": "b", "nl": "c"}, "fr", "a"),
        ({"en": "a", "nl": "b"}, "fr", "a"),
        ({"de": "a", "en-gb": "b"}, "fr", "b"),
        ({"": "a", "fr-be": "b"}, "fr", "b"),
        ({"": "a", "fr": "b"}, "fr-be", "b"),
        ({"fr-t-nl": "a", "nl": "b"}, "fr", "b"),
        ({"fr-t-nl-t0-mtec": "a", "": "b"}, "fr", "b"),
        ({"en-t-nl": "a", "fr-t-nl": "b"}, "fr", "b"),
        ({"en-t-nl": "a", "de-t-nl": "b"}, "fr", "a"),
        ({"fr-t-nl": "a", "und": "b"}, "fr-t-nl", "b"),
    ],
)
def test_an_original_is_shown_before_any_translation(texts: dict[str, str], language: str, shown: str | None) -> None:
    assert languages.preferred(texts, language) == shown
    assert languages.preferred(dict(reversed(texts.items())), language) == shown


def test_translations_are_known_by_their_tag() -> None:
    tags = ("fr-t-nl", "zh-hans-t-en-t0-und", "fr", "fr-x-t-nl", "")
    assert [tag for tag in tags if languages.translated(tag)] == ["fr-t-nl", "zh-hans-t-en-t0-und"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('{"fr": "Eau", "nl": "Water", "de": null}', {"fr": "Eau", "nl": "Water"}),
        ('{"fr-t-nl": "<b>Eau</b>"}', {"fr-t-nl": "Eau"}),
        ('{"fr": {"a": "b"}}', {"": '{"fr": {"a": "b"}}'}),
        ('{"name": "Eau"}', {"": '{"name": "Eau"}'}),
        ('{"fr": "Eau"', {"": '{"fr": "Eau"'}),
        ("{}", {"": "{}"}),
        ("{Eau}", {"": "{Eau}"}),
        ('{"a":' * 50_000, {"": '{"a":' * 50_000}),
    ],
)
def test_texts_by_language_written_as_one_text(raw: str, expected: dict[str, str]) -> None:
    assert text.texts(raw) == expected
    assert text.texts(text.texts(raw)) == expected


def test_no_text_is_lost_to_a_bad_tag() -> None:
    assert text.texts({"x-none": "a", "klingonese": "b", "fr": "c", "french": "c"}) == {"": "a", "fr": "c", "und": "b"}
    assert text.texts({"fr-t-nl": "a", "fr": "b"}) == {"fr": "b", "fr-t-nl": "a"}
    problems: list[FieldProblem] = []
    assert text.texts({"fr": ["a", "b"]}, Report("title", problems)) == {"fr": "a"}
    assert [(problem.code, problem.value) for problem in problems] == [("repeated-text", "b")]


def test_languages() -> None:
    assert text.texts({"fr": "Eau", "fr_FR": "L'eau", "français": "Onde"}) == {
        "": "Onde",
        "fr": "Eau",
        "fr-fr": "L'eau",
    }
    assert text.words({"fr": ["b", "a", "a"], "en": "c"}) == {"en": ("c",), "fr": ("a", "b")}
    assert text.texts([{"@value": "Water", "@language": "en"}, "Eau"]) == {"": "Eau", "en": "Water"}


def test_geometry_of_many_writings() -> None:
    square = '{"type":"Polygon","coordinates":[[[1,2],[3,2],[3,4],[1,4],[1,2]]]}'
    assert place.bbox(square) == (1.0, 2.0, 3.0, 4.0)
    assert place.bbox("POLYGON((1 2, 3 2, 3 4, 1 4, 1 2))") == (1.0, 2.0, 3.0, 4.0)
    assert place.bbox("ENVELOPE(1, 3, 4, 2)") == (1.0, 2.0, 3.0, 4.0)
    assert place.bbox("1,2,3,4") == (1.0, 2.0, 3.0, 4.0)
    assert place.geometry("POINT(2.5 48.1)") == '{"coordinates":[2.5,48.1],"type":"Point"}'
    assert place.centroid([2.5, 48.1]) == (2.5, 48.1)
    assert place.geometry({"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}) is not None


EPSG = "http://www.opengis.net/def/crs/EPSG/0"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (f"<{EPSG}/4326> POINT(48 2)", '{"coordinates":[2,48],"type":"Point"}'),
        (
            f"<{EPSG}/4326> POLYGON((48 2,48 3,49 3,48 2))",
            '{"coordinates":[[[2,48],[3,48],[3,49],[2,48]]],"type":"Polygon"}',
        ),
        ("<http://www.opengis.net/def/crs/OGC/1.3/CRS84> POINT(2 48)", '{"coordinates":[2,48],"type":"Point"}'),
        ("SRID=4326;POINT(2 48)", '{"coordinates":[2,48],"type":"Point"}'),
        (f"<{EPSG}/2154> POINT(652000 6862000)", None),
        (f"<{EPSG}/2154> POINT(6 7)", None),
        ("SRID=2154;POINT(6 7)", None),
        ("POINT(652000 6862000)", None),
        ({"type": "Point", "coordinates": [652000, 6862000]}, None),
        ({"type": "Point", "coordinates": [6, 7], "crs": {"properties": {"name": "EPSG:2154"}}}, None),
    ],
)
def test_geometries_are_in_degrees_of_wgs_84(raw: Any, expected: str | None) -> None:
    problems: list[FieldProblem] = []
    assert place.geometry(raw, Report("geometry", problems)) == expected
    assert [problem.code for problem in problems] == ([] if expected else ["bad-geometry"])


def test_joined_geometries_are_one() -> None:
    two = "POLYGON((1 2,3 4,5 6,1 2)), MULTIPOLYGON(((7 8,9 9,7 9,7 8)))"
    assert place.bbox(two) == (1.0, 2.0, 9.0, 9.0)
    assert place.geometry("MULTIPOINT((1 2),(3 4))") == '{"coordinates":[[1,2],[3,4]],"type":"MultiPoint"}'
    assert place.geometry("GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4))") is None


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        (["Creative Commons Attribution", "http://creativecommons.org/licenses/by/3.0/au/"], "by/3.0/au/"),
        (["CC BY", "https://creativecommons.org/licenses/by/3.0/"], "licence/CC_BY_3_0"),
        (["Licence Ouverte", "lov2"], "licence/ETALAB_2_0"),
        (["CC BY 3.0 FR", "cc-by", "http://opendefinition.org/licenses/cc-by"], "by/3.0/fr/"),
    ],
)
def test_the_exact_hint_decides_the_licence(hints: list[str], expected: str) -> None:
    found = terms.term("licence", hints)
    assert found is not None
    assert found.text == hints[0]
    assert str(found.uri).endswith(expected)


@pytest.mark.parametrize(
    ("raw", "expected"), [("fr/en", ["en", "fr"]), ("xx/fr", ["xx/fr"]), (["fr", "en, de"], ["de", "en", "fr"])]
)
def test_languages_joined_in_one_text(raw: Any, expected: list[str]) -> None:
    assert sorted(found.text for found in terms.several("language", raw)) == expected


@pytest.mark.parametrize(
    "raw", ['{"type":"Polygon","coordinates":[[[NaN,1]]]}', "POLYGON((", ["ARG", "02"], [1, 2, 300, 4]]
)
def test_broken_geometry_is_dropped(raw: Any) -> None:
    assert place.geometry(raw) is None
    assert place.bbox(raw) is None


CONDITIONS = "The County gives no warranty whatsoever, express or implied, as to the accuracy of these data. " * 3


def test_a_paragraph_of_conditions_is_no_licence() -> None:
    found = Dataset.of({"title": "A", "license": f"<p>{CONDITIONS}</p>", "distribution": [{"license": [CONDITIONS]}]})
    assert found.license is None
    assert found.distribution[0].license is None
    assert found.rights == {"": CONDITIONS.strip()} == found.distribution[0].rights


@pytest.mark.parametrize(
    "raw",
    [
        {"license": "Licence de la maison"},
        {"license": ["Maison", CONDITIONS]},
        {"license": [CONDITIONS, "https://creativecommons.org/licenses/by/4.0/"]},
        {"license": CONDITIONS, "rights": "Tous droits"},
    ],
)
def test_what_names_a_licence_or_would_push_rights_aside_stays(raw: dict[str, Any]) -> None:
    found = Dataset.of({"title": "A", **raw})
    assert found.license is not None
    assert found.rights == ({"": raw["rights"]} if "rights" in raw else {})


@pytest.mark.parametrize("tag", ["es-mx-t-en", "nl-sx-t-en", "en-u-ca-gregory-t-fr", "fr-t-nl-x-own"])
def test_a_translation_is_told_wherever_its_mark_stands(tag: str) -> None:
    assert languages.language_tag(tag) == tag
    assert languages.translated(tag)
    assert languages.preferred({tag: "auto", "pt": "original"}, tag.partition("-")[0]) == "original"
    assert not languages.translated("fr-x-t-nl")


@pytest.mark.parametrize("tag", ["fr-t-n", "fr-t-", "fra-t", "FR-T-?"])
def test_a_translation_from_nobody_knows_what_is_a_translation(tag: str) -> None:
    assert languages.language_tag(tag) == "fr-t-und"
    assert languages.translated("fr-t-und")


def test_a_second_translation_never_passes_for_an_original() -> None:
    found = text.texts({"fr-t-nl": "auto1", "fra-t-nl": "auto2", "nl": "Origineel"})
    assert found == {"fr-t-nl": "auto1", "nl": "Origineel"}


def test_a_description_in_parts_is_kept_whole() -> None:
    parts = [{"@value": said, "@language": "fr"} for said in ("Un.", "Deux.", "Un.")]
    assert text.proses(parts) == {"fr": "Un.\n\nDeux."}
    assert text.texts(parts) == {"fr": "Un."}


def test_what_a_source_means_by_a_word_is_no_language_tag_of_another() -> None:
    with heeding(overrides({"language": {"ita": "NLD"}})):
        assert languages.language_tag("ita") == "it"
    assert languages.language_tag("ita") == "it"


@pytest.mark.parametrize("first", [True, False])
def test_a_hint_that_refuses_a_licence_is_heard_before_one_that_names_it(first: bool) -> None:
    hints = ["Not CC BY: all rights reserved", "https://creativecommons.org/licenses/by/4.0/"]
    found = terms.term("licence", hints if first else hints[::-1])
    assert found is not None
    assert not terms.matched("licence", found)
    assert terms.matched("licence", terms.term("licence", hints[1:]) or found)
