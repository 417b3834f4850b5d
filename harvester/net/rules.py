"""What an answer's status means, how long to wait before asking again, and what to tell the reader: all decided here.

RFC 9110 (statuses, Retry-After), RFC 6585 (429), and the habits of portals and of the walls in front of them.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from harvester import jsonio
from harvester.errors import Blocked, SourceError, Unavailable
from harvester.net import urls
from harvester.net.body import TruncatedError

REDIRECTS = {301, 302, 303, 307, 308}
# 202 is what feeds still being generated answer (ArcGIS Hub); 520 to 530 are Cloudflare's words for a failing origin.
TEMPORARY = {202, 206, 408, 425, 429, 500, 502, 503, 504, *range(520, 531)}
REFUSALS = {401, 403, 407, 451}
# A challenge page is a refusal, whatever its status (Cloudflare answers 403 or 503, AWS WAF 202 or 405).
CHALLENGES = {"cf-mitigated": {"challenge"}, "x-amzn-waf-action": {"challenge", "captcha"}}
FIRST_WAIT, LONGEST_BACK_OFF = 1.0, 60.0
# A connection kept alive may be closed by the portal at the very moment it is used again.
_BROKEN = 2
_YEAR = 366 * 86_400.0

_TAGS = re.compile(r"(?is)<(script|style)\b.*?</\1\s*>|<[^>]*>")
_HINTS = {
    202: "the portal is still preparing this answer",
    206: "only a part of the answer came, though all of it was asked",
    401: "the portal asks for a key or refuses the one given",
    403: "the portal refuses this User-Agent, address or key",
    407: "a proxy asks for credentials",
    429: "the portal allows fewer requests than were made",
    451: "the portal refuses for legal reasons",
}


@dataclass(frozen=True, slots=True)
class Head:
    """An answer without its body."""

    url: str
    status: int
    headers: Mapping[str, str]


@dataclass(eq=False)
class AttemptError(Exception):
    """An attempt that brought no usable answer: the error to raise in the end, and whether asking again may help."""

    error: SourceError
    again: bool = False
    wait: float | None = None
    head: Head | None = None


def trouble(
    head: Head, body: bytes, now: datetime, *, secrets: Iterable[str] = (), conditional: bool = True
) -> AttemptError | None:
    """What is wrong with an answer; None for a good one."""
    status, headers, url = head.status, head.headers, urls.redacted(head.url)
    good = (200 <= status < 300 and status not in TEMPORARY) or (status == 304 and conditional)
    if good and not _challenged(headers):
        return None
    wait = stated_wait(headers, body, now) if status in TEMPORARY | {403} else None
    kind = _class(status, headers, wait)
    said = urls.redacted(excerpt(body, charset(headers.get("content-type", ""))), secrets)
    code = "throttled" if wait is not None or status == 429 else f"http-{status}"
    message = _message(url, status, headers, said)
    error = kind(message, code=None if kind is Blocked else code, url=url, value=status)
    return AttemptError(
        error, again=kind is Unavailable and (status in TEMPORARY or wait is not None), wait=wait, head=head
    )


def _class(status: int, headers: Mapping[str, str], wait: float | None) -> type[SourceError]:
    """A 403 that says when to come back is a limit of requests (CloudFront, AWS WAF), not a refusal."""
    if _challenged(headers) or (status in REFUSALS and wait is None):
        return Blocked
    return Unavailable if status in TEMPORARY or status >= 500 or wait is not None else SourceError


def _challenged(headers: Mapping[str, str]) -> bool:
    return any(headers.get(name, "").strip().lower() in values for name, values in CHALLENGES.items())


def _message(url: str, status: int, headers: Mapping[str, str], said: str) -> str:
    hint = "a challenge for browsers was sent: the portal blocks robots" if _challenged(headers) else _HINTS.get(status)
    parts = [f"HTTP {status} {phrase(status)}".strip() + f" from {url}", hint, f"it said: {said}" if said else None]
    return "; ".join(part for part in parts if part)


def phrase(status: int) -> str:
    """The usual words for a status; empty for those that no standard knows."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def charset(content_type: str) -> str | None:
    """The `charset` parameter of a Content-Type."""
    found = re.search(r"(?i)charset\s*=\s*[\"']?([^\s\"';,]+)", content_type)
    return found[1] if found else None


def excerpt(body: bytes, charset_name: str | None = None, length: int = 200) -> str:
    """The beginning of what a portal said, on one line, without its mark-up."""
    text = _TAGS.sub(" ", jsonio.decode(body[:16_384], charset_name))
    words = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
    return words if len(words) <= length else words[: length - 1] + "…"


def stated_wait(headers: Mapping[str, str], body: bytes, now: datetime) -> float | None:
    """Seconds a portal asks to wait: Retry-After as a number or a date, or Opendatasoft's `reset_time`."""
    clock = _moment(headers.get("date")) or now  # the portal's own clock, so that ours need not agree
    stated = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d*)?", stated):
        return float(stated)
    moment = _moment(stated) or _reset_time(body)
    return max((moment - clock).total_seconds(), 0.0) if moment else None


def _moment(date: Any) -> datetime | None:
    """An HTTP date or an ISO 8601 one, in UTC when it names no zone."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment: datetime = read(date if isinstance(date, str) else "")
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (TypeError, ValueError, IndexError, OverflowError):
            continue
    return None


def _reset_time(body: bytes) -> datetime | None:
    if b"reset_time" not in body:
        return None
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return _moment(said.get("reset_time")) if isinstance(said, dict) else None


def back_off(attempt: int, jitter: Callable[[float, float], float]) -> float:
    """Exponential back-off with full jitter, so that many workers do not come back together."""
    return jitter(0.0, min(LONGEST_BACK_OFF, FIRST_WAIT * 2 ** min(attempt, 10)))


def network_trouble(url: str, error: Exception, late: bool) -> AttemptError:
    """What a failed connection or a broken answer means; `late` when the total time was used up."""
    shown = urls.redacted(url)
    code, text, again = next(meaning for kind, meaning in _NETWORK if isinstance(error, kind))
    if late:
        code, text, again = "timeout", "the answer took longer than total_timeout allows", False
    if isinstance(_root(error), ssl.SSLCertVerificationError):
        code, text, again = "certificate", "its certificate cannot be verified (see the setting ca_bundle)", False
    said = f" ({urls.redacted(str(error))})" if str(error) else ""
    return AttemptError(Unavailable(f"no answer from {shown}: {text}{said}", code=code, url=shown), again=again)


def _root(error: BaseException) -> BaseException:
    """The first cause: httpx and httpcore each wrap what the socket said."""
    seen = {id(error)}
    while (cause := error.__cause__ or error.__context__) is not None and id(cause) not in seen:
        seen.add(id(cause))
        error = cause
    return error


# First match wins.
_NETWORK: tuple[tuple[type[Exception], tuple[str, str, bool]], ...] = (
    (httpx.ConnectTimeout, ("timeout", "no connection within connect_timeout", True)),
    (httpx.TimeoutException, ("timeout", "nothing came within read_timeout", True)),
    (httpx.ConnectError, ("network", "the connection failed", True)),
    (httpx.RemoteProtocolError, ("truncated", "the answer broke off or is no HTTP", True)),
    (TruncatedError, ("truncated", "the compressed answer is cut or damaged", True)),
    (httpx.LocalProtocolError, ("bad-request", "the request cannot be sent", False)),
    (Exception, ("network", "the connection broke", True)),
)


def repeats(found: AttemptError, retries: int, patient: bool) -> int:
    """How often to ask again.  Whoever is not patient wants to see statuses, but not the portal's throttling."""
    if not found.again:
        return 0
    if patient or found.error.code == "throttled":
        return retries
    return min(retries, _BROKEN) if found.head is None else 0


def given_up(found: AttemptError, attempts: int) -> SourceError:
    """The error to raise in the end, with what was done about it."""
    error = found.error
    if attempts < 2:
        return error
    return type(error)(f"{error.message}; asked {attempts} times", code=error.code, url=error.url, value=error.value)


def too_long(found: AttemptError, wait: float, now: datetime) -> SourceError:
    """The portal named a time to come back that is beyond what a run waits for."""
    until = f"{now + timedelta(seconds=min(wait, _YEAR)):%Y-%m-%dT%H:%M:%SZ}"
    error = found.error
    text = f"{error.message}; it asks to wait until {until} ({wait:.0f} s), longer than max_wait"
    return Unavailable(text, code="throttled", url=error.url, value=error.value)
