"""JSON as portals send it: what is tolerated, what is refused, and the canonical form."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvester import jsonio

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec=None)), inner)
)

READ = {
    "plain": (b'{"a": [1, 2.5, "x", null, true]}', {"a": [1, 2.5, "x", None, True]}),
    "byte order mark": (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
    "blank lines first": (b'\r\n\n  {"a": 1}\n', {"a": 1}),
    "mark, then blank lines": (b'\xef\xbb\xbf\n\n{"a": 1}', {"a": 1}),
    "UTF-16 with mark": ('\ufeff{"a": "été"}'.encode("utf-16-le"), {"a": "été"}),
    "UTF-16 big-endian, unmarked": ('{"a": "été"}'.encode("utf-16-be"), {"a": "été"}),
    "Latin-1": ('{"a": "été"}'.encode("latin-1"), {"a": "été"}),
    "Windows-1252": ('{"a": "l’été – 3 €"}'.encode("cp1252"), {"a": "l’été – 3 €"}),
    "octet that no charset has": (b'{"a": "\x81"}', {"a": "\x81"}),
    "one Latin-1 record in a UTF-8 page": (b'["\xc3\xa9t\xc3\xa9", "\xe9t\xe9"]', ["été", "été"]),
    "surrogates as UTF-8": (b'["\xed\xa0\x80"]', ["\ufffd"]),
    "half a pair, escaped": (rb'["a\ud83d", "\udc00b", "\uD83D\uDE00"]', ["a\ufffd", "\ufffdb", "\U0001f600"]),
    "a backslash before what looks like half a pair": (rb'["\\ud800", "\ud800"]', ["\\ud800", "\ufffd"]),
    "not a number": (b'{"a": NaN, "b": Infinity, "c": -Infinity, "d": 1e999}', dict.fromkeys("abcd")),
    "raw line break in a string": (b'{"a": "x\ny\tz"}', {"a": "x\ny\tz"}),
    "integers over 64 bits": (
        b"[18446744073709551616, -9223372036854775809 ,123456789012345678901234567890]",
        [18446744073709551616, -9223372036854775809, 123456789012345678901234567890],
    ),
    "a big integer alone": (b" -123456789012345678901 ", -123456789012345678901),
    "many digits after the point": (b"[0.12345678901234567890123]", [0.12345678901234567890123]),
    "digits in a string": (b'["urn:12345678901234567890123", 1.0]', ["urn:12345678901234567890123", 1.0]),
    "an integer nobody means": (b"[" + b"9" * 5000 + b"]", [None]),
    "the last of two keys": (b'{"a": 1, "a": 2}', {"a": 2}),
    "the last of two keys, read slowly": (b'{"a": 1, "a": NaN}', {"a": None}),
}


@pytest.mark.parametrize("name", READ)
def test_reads_what_portals_send(name: str) -> None:
    data, expected = READ[name]
    value = jsonio.loads(data)
    assert value == expected
    assert repr(value) == repr(expected)  # 1 is not 1.0, nor True


def test_text_is_read_like_bytes() -> None:
    assert jsonio.loads('\ufeff{"a": "\ud800"}') == {"a": "\ufffd"}
    assert jsonio.loads("[12345678901234567890123]") == [12345678901234567890123]


@pytest.mark.parametrize(
    ("text", "charset"),
    [("łódź", "iso-8859-2"), ("Привет", "windows-1251"), ("日本", "shift_jis"), ("1 €", "iso-8859-15")],
)
def test_a_declared_charset_is_believed_when_the_bytes_are_not_utf8(text: str, charset: str) -> None:
    assert jsonio.loads(json.dumps([text], ensure_ascii=False).encode(charset), charset) == [text]


WRONG = [None, "", "iso-8859-1", "utf-8", "no-such", "base64", "a\0b", '"UTF-8"', "idna", "punycode", "undefined"]


@pytest.mark.parametrize("charset", WRONG)
def test_a_wrongly_declared_charset_does_no_harm(charset: str | None) -> None:
    assert jsonio.loads('["été"]'.encode(), charset) == ["été"]
    assert jsonio.loads('["été"]'.encode("latin-1"), charset) == ["été"]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        (b'{"a": 1,\n "b": 2,\n}', "line (3 column 1|2 column 8)"),
        (b"[1, 2,]", "column [67]"),
        (b"<!DOCTYPE html><html>", "line 1 column 1"),
        (b'{"a": "tru', "column 7"),
        (b"", "line 1 column 1"),
        (b"Bad request", "line 1 column 1"),
        (b'{"a": 1} trailing', "column 10"),
        (b"\x00\xff\xfe\x00", "line 1"),
    ],
)
def test_broken_structure_is_an_error_with_its_position(text: bytes, position: str) -> None:
    with pytest.raises(ValueError, match=position):
        jsonio.loads(text)


@pytest.mark.parametrize("depth", [jsonio.MAX_DEPTH + 1, 900, 100_000])
@pytest.mark.parametrize("shape", [(b"[", b"]"), (b'{"a":', b"}"), (b'[1,{"a":[2,', b"]}]")])
@pytest.mark.parametrize("inside", [b"1", b"NaN"])
def test_deep_nesting_is_refused(depth: int, shape: tuple[bytes, bytes], inside: bytes) -> None:
    with pytest.raises(ValueError, match=f"nested deeper than {jsonio.MAX_DEPTH} levels"):
        jsonio.loads(shape[0] * depth + inside + shape[1] * depth)


def test_nesting_up_to_the_limit_is_read_and_written() -> None:
    value = jsonio.loads(b"[" * jsonio.MAX_DEPTH + b"]" * jsonio.MAX_DEPTH)
    assert jsonio.loads(jsonio.canonical(value)) == value


@settings(deadline=None)
@given(VALUES)
def test_every_value_can_be_written_and_hashed(value: Any) -> None:
    assert jsonio.loads(jsonio.canonical(value)) == jsonio.loads(jsonio.dumps(value))
    assert len(jsonio.digest(value)) == 16


@settings(deadline=None)
@given(VALUES)
def test_what_was_read_comes_back_the_same(value: Any) -> None:
    read = jsonio.loads(jsonio.dumps(value))
    assert jsonio.loads(jsonio.dumps(read)) == read
    assert jsonio.canonical(read) == jsonio.canonical(jsonio.loads(jsonio.canonical(read)))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_give_a_value_or_a_value_error(data: bytes) -> None:
    try:
        jsonio.canonical(jsonio.loads(data))
    except ValueError:
        return


@pytest.mark.parametrize("extra", [1, 2**70, math.nan, "\ud800"])
def test_the_canonical_form_does_not_depend_on_order(extra: Any) -> None:
    one = {"b": {"y": 1, "x": extra}, "a": [1, 2]}
    two = {"a": [1, 2], "b": {"x": extra, "y": 1}}
    assert jsonio.canonical(one) == jsonio.canonical(two)
    assert jsonio.digest(one) != jsonio.digest({**two, "a": [2, 1]})
    assert jsonio.dumps(one) != jsonio.dumps(two)


def test_odd_values_are_written() -> None:
    odd = {1: (2, 2**64), "d": Decimal("1.5"), "i": Decimal("3"), "n": Decimal("NaN"), "h": 10**5000}
    written = jsonio.loads(jsonio.canonical(odd))
    assert written == {"1": [2, 2**64], "d": 1.5, "i": 3, "n": None, "h": hex(10**5000)}
    assert jsonio.canonical({"i": Decimal("3")}) == b'{"i":3}'


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        jsonio.dumps([object()])
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="contains itself"):
        jsonio.dumps(loop)
