"""JSON as portals really send it, read fast and tolerantly; and one canonical form to store, compare and hash.

RFC 8259, plus what was met in the field: byte order marks, leading blank lines, Latin-1 bodies declared
as UTF-8, NaN, half surrogate pairs, raw line breaks in strings.  Structure is never repaired: a trailing
comma is an error.
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import IO, Any

import ijson
import orjson

# What orjson can write: whatever was read can be stored.
MAX_DEPTH = 254
# Longer integers are refused by int() since CVE-2020-10735.
MAX_DIGITS = 4300

_NESTING = {dict, list}
_CIRCULAR = 10_000

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Charsets that servers declare by default without looking at the body: no evidence against UTF-8 nor for Latin-1.
_DEFAULT_CHARSETS = {"utf-8", "ascii", "iso8859-1", "cp1252"}
_BLANKS = b" \t\r\n"
# What may stand before and after a number; nothing at all means a text of one number, or a lot of blank space.
_VALUE_AHEAD = (b"", b":", b"[", b",")
_VALUE_ENDS = (b"", b",", b"]", b"}")
_AROUND = 64
_DIGITS_TO_ZEROS = bytes(0x30 if 0x30 <= octet <= 0x39 else 0x20 for octet in range(256))
_NINETEEN_DIGITS = b"0" * 19
_PAIR = r"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"\\(?:{_PAIR}|(u[dD][89a-fA-F][0-9a-fA-F]{{2}})|.)")
_SURROGATE = re.compile("[\ud800-\udfff]")


def loads(data: bytes | str, charset: str | None = None) -> Any:
    """The value of a JSON text; `charset` is what the sender declared.  Raises ValueError naming the position."""
    value = _parsed(data, charset)
    _refuse_depth(value)
    return value


def refuse_deep(file: IO[bytes]) -> None:
    """Raises ValueError for a file of JSON nested deeper than `loads` allows; it is where it was afterwards.

    For what is read item by item: ijson names every level after all those above it, which takes gigabytes.
    """
    start, depth = file.tell(), 0
    with contextlib.suppress(ijson.JSONError):
        for event, _ in ijson.basic_parse(file, use_float=True):
            if event in ("start_map", "start_array"):
                depth += 1
            elif event in ("end_map", "end_array"):
                depth -= 1
            if depth > MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    file.seek(start)


def decode(data: bytes, charset: str | None = None) -> str:
    """Text of bytes whose declared charset may be wrong: BOM, UTF-8, then the one declared, then Windows-1252."""
    for bom, name in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(name, "replace")
    if b"\0" in data[:2]:
        return data.decode("utf-16-be" if data[0] == 0 else "utf-16-le", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        declared = _codec(charset)
    if declared and declared not in _DEFAULT_CHARSETS:
        # Some codecs of Python refuse what they cannot read all the same: `idna`, `punycode`, `undefined`.
        with contextlib.suppress(UnicodeError):
            return data.decode(declared, "replace")
    return data.decode("utf-8", "harvester-mixed")


def dumps(value: Any) -> bytes:
    """JSON in the order given."""
    return _dumped(value, 0)


def canonical(value: Any) -> bytes:
    """JSON with sorted keys: equal values give equal bytes, and no value that `loads` returns can fail."""
    return _dumped(value, orjson.OPT_SORT_KEYS)


def digest(value: Any) -> bytes:
    """Sixteen bytes that stand for `canonical(value)`."""
    return hashlib.blake2b(canonical(value), digest_size=16).digest()


def _parsed(data: bytes | str, charset: str | None) -> Any:
    raw = _trimmed(data) if isinstance(data, bytes) else data
    if not _may_hold_long_integer(raw):
        with contextlib.suppress(orjson.JSONDecodeError):
            return orjson.loads(raw)
    return _tolerant(raw if isinstance(raw, str) else decode(raw, charset))


def _trimmed(data: bytes) -> bytes:
    """Without UTF-8 BOM and blank lines ahead, copying only when there are some."""
    if data.startswith(codecs.BOM_UTF8):
        data = data[3:]
    return data.lstrip(_BLANKS) if data[:1].isspace() else data


def _may_hold_long_integer(raw: bytes | str) -> bool:
    """Whether an integer may need more than 64 bits: orjson would round it to a float without a word."""
    octets = raw if isinstance(raw, bytes) else raw.encode("utf-8", "replace")
    zeros = octets.translate(_DIGITS_TO_ZEROS)
    if _NINETEEN_DIGITS not in zeros:
        return False
    # Long runs of digits are mostly parts of identifiers: only what stands around each one is looked at.
    return any(_stands_alone(octets, start, end) for start, end in _long_runs(zeros))


def _long_runs(zeros: bytes) -> Iterator[tuple[int, int]]:
    """Where runs of nineteen zeros and more stand; `find` is thirty times as fast as a regular expression here."""
    start = zeros.find(_NINETEEN_DIGITS)
    while start >= 0:
        end = start + len(_NINETEEN_DIGITS)
        while zeros[end : end + 1] == b"0":
            end += 1
        yield start, end
        start = zeros.find(_NINETEEN_DIGITS, end)


def _stands_alone(octets: bytes, start: int, end: int) -> bool:
    before = octets[max(0, start - _AROUND) : start].removesuffix(b"-").rstrip(_BLANKS)[-1:]
    after = octets[end : end + _AROUND].lstrip(_BLANKS)[:1]
    return before in _VALUE_AHEAD and after in _VALUE_ENDS


def _tolerant(text: str) -> Any:
    """The slow reading: NaN and infinities become null, half surrogate pairs U+FFFD, integers stay exact."""
    sound = _ESCAPE.sub(_whole_escape, _SURROGATE.sub("\ufffd", text.lstrip("\ufeff \t\r\n")))
    try:
        return json.loads(sound, strict=False, parse_constant=_null, parse_float=_finite, parse_int=_exact)
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from None


def _whole_escape(found: re.Match[str]) -> str:
    return "\\ufffd" if found[1] else found[0]


def _null(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _exact(text: str) -> int | None:
    return int(text) if len(text) <= MAX_DIGITS else None


def _refuse_depth(value: Any) -> None:
    """Later code may then recurse over any value without fear."""
    with contextlib.suppress(TypeError):
        # orjson writes no more than 254 levels, and is faster at seeing that than any loop of ours.
        orjson.dumps(value)
        return
    level = [value] if type(value) in _NESTING else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) in _NESTING
        ]
    if level:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def _codec(charset: str | None) -> str | None:
    """Python's name of a charset; None for one that does not exist or does not decode to text."""
    try:
        info = codecs.lookup((charset or "").strip(" \"'"))
    except (LookupError, ValueError):
        return None
    return info.name if getattr(info, "_is_text_encoding", True) else None


def _mixed(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8, read as Windows-1252 one by one: a bad record must not garble its whole page."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    start = error.start
    octets = error.object[start : start + 3]
    if len(octets) == 3 and octets[0] == 0xED and 0xA0 <= octets[1] <= 0xBF and 0x80 <= octets[2] <= 0xBF:
        return "\ufffd", start + 3
    return octets[:1].decode("cp1252", "ignore") or chr(octets[0]), start + 1


codecs.register_error("harvester-mixed", _mixed)


def _dumped(value: Any, option: int) -> bytes:
    try:
        return orjson.dumps(value, default=_foreign, option=option)
    except TypeError:
        return "".join(_pieces(value, sort=bool(option))).encode()


def _foreign(value: Any) -> Any:
    """What JSON readers bring that orjson does not know: streaming ones give Decimal."""
    if isinstance(value, Decimal):
        exact = value.is_finite() and value == value.to_integral_value() and abs(value.adjusted()) < 18
        return int(value) if exact else float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _pieces(value: Any, *, sort: bool) -> Iterator[str]:
    """JSON of any size and depth, piece by piece: integers over 64 bits, half surrogates, keys that are no text."""
    stack: list[Iterator[tuple[str, Any]]] = [iter((("", value),))]
    closers = [""]
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
            yield closers.pop()
            continue
        yield step[0]
        brackets, children = _opened(step[1], sort)
        yield brackets[0]
        if children is not None:
            stack.append(children)
            closers.append(brackets[1])
        if len(stack) > _CIRCULAR:
            raise ValueError("a value that contains itself has no JSON form")


def _opened(value: Any, sort: bool) -> tuple[tuple[str, str], Iterator[tuple[str, Any]] | None]:
    if isinstance(value, dict):
        return ("{", "}"), _members(value, sort)
    if isinstance(value, list | tuple):
        return ("[", "]"), (("," if place else "", item) for place, item in enumerate(value))
    return (_scalar(value), ""), None


def _members(value: dict[Any, Any], sort: bool) -> Iterator[tuple[str, Any]]:
    named = [(_SURROGATE.sub("\ufffd", str(key)), item) for key, item in value.items()]
    for place, (key, item) in enumerate(sorted(named, key=lambda pair: pair[0]) if sort else named):
        yield f"{',' if place else ''}{orjson.dumps(key).decode()}:", item


def _scalar(value: Any) -> str:
    writer = next((write for kind, write in _WRITERS if isinstance(value, kind)), _other)
    return writer(value)


def _other(value: Any) -> str:
    return orjson.dumps(value, default=_foreign).decode()


def _integer(value: int) -> str:
    """As text beyond `MAX_DIGITS`, where Python writes no decimal digits and nobody would read them."""
    try:
        return _other(value) if isinstance(value, bool) else str(int(value))
    except ValueError:
        return f'"{value:#x}"'


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (int, _integer),
    (str, lambda text: orjson.dumps(_SURROGATE.sub("\ufffd", text)).decode()),
)
