"""Addresses as portals write them: IRIs (RFC 3987), URLs, e-mail addresses; repaired where the meaning is plain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from harvester.fields.base import SILENT, Report

# What needs no repair, which is nearly all; runs of plain characters first, escapes between them.  Nothing that follows
# a run could have belonged to it, so none is ever given back (`*+`).
_RUN = r"[A-Za-z0-9._~!$&'()*+,;=:@/-]*+(?:%[0-9A-Fa-f]{2}[A-Za-z0-9._~!$&'()*+,;=:@/-]*+)*+"
_CLEAN = re.compile(
    rf"https?://[a-z0-9][a-z0-9-]*+(?:\.(?!\.)[a-z0-9-]*+)*+(?::[0-9]{{1,5}})?(?:/{_RUN}(?:\?{_RUN})?(?:\#{_RUN})?)?"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_IGNORED = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060\ufeff\ud800-\udfff]")
_SEPARATORS = " \t\r\n,;|"
# Where one URL ends and the next begins; of no width, so that a megabyte of commas costs no more than a megabyte.
_GLUED = re.compile(r"(?<=[\s,;|])(?=(?:https?|ftp)://)")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What RFC 3987 does not allow unescaped: anything outside `ucschar` (private use is left to queries, so escaped here).
_UCSCHAR = "\xa0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef" + "".join(
    f"{chr(plane << 16)}-{chr((plane << 16) + 0xFFFD)}" for plane in range(1, 14)
)
_ILLEGAL = re.compile(rf"[^!-~{_UCSCHAR}\U000e1000-\U000efffd]|[<>\"{{}}|\\^`]")
_AUTHORITY = re.compile(rf"(?:[-.~\w!$&'()*+,;=:%{_UCSCHAR}]*@)?(?:[-.~\w{_UCSCHAR}]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_BRACKETS = re.compile(r"[\[\]]")
_EMAIL = re.compile(r"[^@\s<>\"(),;:]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,24}")
# What nearly all are: found whole, and at once.
_PLAIN_EMAIL = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,180}[A-Za-z0-9])?\.[A-Za-z]{2,24}")
# RFC 5321 allows 64 characters before the sign and 255 after it.
_REACH = 256
_MOST_SIGNS = 20
_WEB = frozenset(("http", "https", "ftp", "ftps", "sftp"))
_LISTS = (list, tuple)
_MANY = (list, tuple, set, frozenset)


def iri(value: Any, report: Report = SILENT) -> str | None:
    """An absolute IRI of any scheme, or None; illegal characters are percent-encoded."""
    if type(value) is str and _CLEAN.fullmatch(value):
        return value
    raw = _raw(value, report)
    if raw is None:
        return None
    if _CLEAN.fullmatch(raw):
        return raw
    scheme = _SCHEME.match(raw)
    if scheme is None or len(scheme.group()) < 3:
        report("bad-iri", raw, "not an absolute IRI; left out")
        return None
    return _web(raw, report) if scheme.group()[:-1].lower() in _WEB else _escape(raw)


def url(value: Any, report: Report = SILENT) -> str | None:
    """An absolute http(s) or ftp URL, or None; `www.…` gets its scheme, two glued URLs give the first."""
    if type(value) is str and _CLEAN.fullmatch(value):
        return value
    raw = _raw(value, report)
    if raw is None or _CLEAN.fullmatch(raw):
        return raw
    parts = _GLUED.split(raw)
    if len(parts) > 1:
        report("glued-urls", raw, "several URLs in one value; the first was taken")
    first = parts[0].strip(_SEPARATORS)
    if first.lower().startswith("www."):
        first = f"http://{first}"
    if first.partition(":")[0].lower() not in _WEB:
        report("bad-url", raw, "not an absolute http, https or ftp URL; left out")
        return None
    return _web(first, report)


def urls(value: Any, report: Report = SILENT) -> tuple[str, ...]:
    """Every URL in a string or list, glued ones told apart, without repetition, in the order given."""
    if type(value) is str and _CLEAN.fullmatch(value):
        return (value,)
    many = value if isinstance(value, _MANY) else (value,)
    return tuple(dict.fromkeys(found for item in many for found in _each_url(item, report)))


def _each_url(item: Any, report: Report) -> Iterator[str]:
    if type(item) is str and _CLEAN.fullmatch(item):
        yield item
        return
    for part in _GLUED.split(_raw(item, report) or ""):
        if (raw := part.strip(_SEPARATORS)) and (found := url(raw, report)):
            yield found


def iris(value: Any, report: Report = SILENT) -> tuple[str, ...]:
    """Every absolute IRI in a list, without repetition, sorted."""
    many = value if isinstance(value, _MANY) else (value,)
    return tuple(sorted({found for item in many if (found := iri(item, report))}))


def email(value: Any, report: Report = SILENT) -> str | None:
    """The first e-mail address in the value, without `mailto:`; None when there is none."""
    if type(value) is str and _PLAIN_EMAIL.fullmatch(value):
        return value
    raw = _raw(value, report)
    if raw is None or raw.lower() in ("mailto:", "mailto"):
        return None
    text = raw.removeprefix("mailto:").removeprefix("MAILTO:").replace("%40", "@")
    # Only around the first signs: searching a long text for what may come before one costs its square.
    spots = [at.start() for at, _ in zip(re.finditer("@", text), range(_MOST_SIGNS), strict=False)]
    found = next((m for at in spots if (m := _EMAIL.search(text[max(0, at - _REACH) : at + _REACH]))), None)
    if found is None:
        report("bad-email", raw, "no e-mail address in it; left out")
        return None
    return found.group()


def _raw(value: Any, report: Report) -> str | None:
    if isinstance(value, _LISTS) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("@id") or value.get("url") or value.get("uri") or value.get("@value")
    if isinstance(value, str):
        return _IGNORED.sub("", value).strip() or None
    if value not in (None, False, [], {}, ()):
        report("bad-url", value, "an address was expected; left out")
    return None


def _web(raw: str, report: Report) -> str | None:
    try:
        parts = urlsplit(_escape(raw))
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        report("bad-url", raw, f"not a URL ({error}); left out")
        return None
    if not host or ".." in host or not _AUTHORITY.fullmatch(parts.netloc) or _STRAY_PERCENT.search(parts.netloc):
        report("bad-url", raw, "a URL without a usable host; left out")
        return None
    if raw != (escaped := _escape(raw)):
        report("repaired-url", raw, "illegal characters were percent-encoded")
    prefix, _, rest = escaped.partition("://")
    authority = parts.netloc
    return f"{prefix.lower()}://{authority.lower() if '@' not in authority else authority}{rest[len(authority) :]}"


def _escape(raw: str) -> str:
    head, mark, tail = raw.partition("://")
    stop = min((i for i in (tail.find(c) for c in "/?#") if i >= 0), default=len(tail))
    authority, path = (tail[:stop], tail[stop:]) if mark else ("", head)
    path = _STRAY_PERCENT.sub("%25", path)
    path = _ILLEGAL.sub(lambda m: quote(m.group(), safe="", errors="ignore"), path)
    path = _BRACKETS.sub(lambda m: quote(m.group()), path)
    before, sharp, fragment = path.partition("#")
    path = before + sharp + fragment.replace("#", "%23")
    return f"{head}{mark}{authority}{path}" if mark else path
