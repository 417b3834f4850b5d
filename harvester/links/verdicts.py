"""From what was seen of an address to what is so: pure, one verdict a check."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from harvester.links.faults import Severity, State
from harvester.links.formats import is_file, keeps
from harvester.links.sniffing import NOTHING, Found, html_of, sniff
from harvester.net.rules import charset

PERMANENT = frozenset((301, 308))
_LONGEST_TYPE = 200
_LONGEST_TAG = 500
_LONGEST_FORMAT = 40


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw: the last answer, or the error in its stead; `wait` where the host asks to be left alone.

    Without `content` nothing was looked into: the answer to HEAD says that it is what it was.
    """

    head_status: int | None = None
    status: int | None = None
    error: str | None = None
    wait: float | None = None
    walled: bool = False
    url: str = ""
    hops: tuple[tuple[int, str], ...] = ()
    media_type: str = ""
    length: int | None = None
    tag: str = ""
    content: bytes | None = None


class Verdict(NamedTuple):
    """What a check found: nothing wrong (`fault` None), or a fault; or that it has to be asked again (`put_off`)."""

    fault: str | None
    found: Found = NOTHING
    target: str | None = None
    put_off: bool = False
    down: bool = False  # whether it is the host of the address itself that does not answer


# What the client's errors mean for a link; what is not here puts the check off.
_ERRORS = {
    "unresolved": "unresolved",
    "unconnected": "unreachable",
    "network": "unreachable",
    "timeout": "unreachable",
    "truncated": "cut",
    "encoding": "cut",
    "certificate": "certificate",
    "redirects": "redirects",
    "private-address": "private",
    "bad-url": "bad-address",
    "bad-request": "bad-address",
    "bad-header": "bad-address",
}
_DOWN = frozenset(("unresolved", "unreachable", "certificate"))
# What holds for every address of a server: one that answers too slowly is another matter.
_WITHOUT_CONNECTION = frozenset(("unresolved", "unconnected", "certificate"))

# The words of error pages, as titles and headings have them.
_NOT_FOUND = re.compile(
    r"^\W*(?:404|410)\b\W*(?:$|error|erreur|fehler|not|page|file|document|gone|nginx)|^\W*(?:404|410)\s*[-:|–]"
    r"|\b(?:error|erreur|fehler|errore|virhe|fel|fout|feil|fejl|błąd|chyba|hiba)\W*(?:404|410|5\d\d)\b"
    r"|\bnot (?:be )?found\b|\bno longer (?:available|exists)\b|\bdoes ?n[o']t exist\b"
    r"|\b(?:page|fichier|document|ressource|adresse|contenu|url)\b.{0,40}\b(?:introuvable|non trouvée?)\b"
    r"|^\W*introuvable\W*$"
    r"|\bn['’]existe (?:pas|plus)\b|\bpage (?:absente|inexistante)\b"
    r"|\bnicht gefunden\b|\bexistiert nicht\b|\bno (?:se ha )?encontrad|\bno existe\b"
    r"|\bnão (?:foi )?encontrad|\bnão existe\b|\bnon (?:è stata )?trovat|\bnon esiste\b"
    r"|\bniet gevonden\b|\bbestaat niet\b|\bnie (?:znaleziono|istnieje|została znaleziona)"
    r"|\bhittades inte\b|\bfinns inte\b|\bikke fundet\b|\bikke funnet\b|\bfinnes ikke\b|\bei löy[dt]"
    r"|\bnenalezen|\bnebyla nalezena\b|\bnenašl|\bnem található\b|\bnu (?:a fost găsit|există)|\bnije pronađen"
    r"|\bni (?:bilo )?mogoče najti\b|\bδεν βρέθηκε|\bне найден|\bне знайден|\bне е намерен|\bei leitud\b|\bnerast",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"\b5\d\d\b\W*(?:internal|server|bad gateway|service|gateway)|\binternal server error\b|\bbad gateway\b"
    r"|\bservice (?:temporarily )?unavailable\b|\bgateway time-?out\b"
    r"|^\W*(?:403\W*)?(?:access (?:is )?denied|forbidden)\W*$"
    r"|\b(?:site|service|server|page)\b.{0,30}\b(?:under|en|in) (?:maintenance|manutenzione|mantenimiento)\b"
    r"|\bwartungsarbeiten\b|\baccès refusé\b|\bacceso denegado\b",
    re.IGNORECASE,
)
_TITLES = re.compile(r"(?is)<(title|h1)\b[^>]{0,200}>(.{0,200}?)</\1")
_PASSWORD = re.compile(r"(?i)<input\b[^>]{0,500}\btype\s*=\s*[\"']?password")
_LOGIN = re.compile(
    r"(?i)(?:^|[/._-])(?:log[-_]?in|sign[-_]?in|log[-_]?on|sso|saml2?|oauth2?|openid-connect|cas|auth|authenticate"
    r"|connexion|anmelden|accesso|adfs|shibboleth)(?:[/._?-]|$)"
)
# A service that says no in its own language, with status 200 (ArcGIS, CKAN, S3, OGC).
_NO = re.compile(
    rb'\s*(?:\{\s*"(?:error|errors|exception)"\s*:\s*(?:\{|"|\[\s*[{"])|\{\s*"success"\s*:\s*false'
    rb'|\{\s*"(?:status|code|statusCode)"\s*:\s*"?[45]\d\d"?\s*,\s*"(?:message|error|errors|title|detail|statusText)"'
    rb"|(?:<\?xml[^>]*>\s*)?<Error>\s*<Code>)"
)


def judge(address: str, seen: Seen, before: Found, promised: bool) -> Verdict:
    """What a check found; `promised` when somebody says that a file is there, `before` what was found the last time."""
    if seen.error is not None:
        fault = _ERRORS.get(seen.error)
        return Verdict(fault, put_off=fault is None, down=fault in _DOWN and _at_home(address, seen))
    if seen.status is None or (seen.wait is not None and seen.status in (403, 429, 503)) or seen.status == 429:
        return Verdict(None, put_off=True)
    found = before if seen.content is None else sniff(seen.content, charset(seen.media_type))
    if (wrong := _refusal(seen)) or (wrong := _soft(address, seen, found, promised)):
        return Verdict(wrong, found if wrong == "page" else NOTHING)
    moved = _moved(seen.hops)
    return Verdict("moved" if moved else None, found, moved)


def without_connection(address: str, seen: Seen) -> bool:
    """Whether no address of this server can be asked."""
    return seen.error in _WITHOUT_CONNECTION and _at_home(address, seen)


def use_of(state: str, fault: str | None, found: Found, declared: str, promised: bool) -> tuple[str, str] | None:
    """(severity, fault) of an address for a record that declares a format of it; None when nothing is wrong."""
    if state in (State.BROKEN, State.FAILING) and fault and (fault != "page" or promised):
        return (Severity.BROKEN if state == State.BROKEN else Severity.WARNING), fault
    if state == State.UNKNOWN and fault:
        return Severity.NOTICE, fault
    if state != State.UNCHECKED and found.format is not None and is_file(declared):
        if found.format == "HTML":
            return Severity.WARNING, "page"
        if not keeps(declared, found.format, found.held):
            return Severity.WARNING, "format"
    return (Severity.NOTICE, fault) if fault == "moved" else None


def whole(states: Iterable[tuple[str, str | None]]) -> str | None:
    """What the links of a dataset are as a whole, of (state, severity) of each; None when nothing was checked."""
    known = list(states)
    severities = {severity for _, severity in known}
    if Severity.BROKEN in severities:
        return "broken"
    if Severity.WARNING in severities:
        return "suspect"
    checked = {state for state, _ in known} - {State.UNKNOWN}
    if not checked or checked == {State.UNCHECKED}:
        return None
    return "partly" if State.UNCHECKED in checked else "ok"


def packed(found: Found) -> str | None:
    """As it is kept: `ZIP:CSV,TXT`."""
    if found.format is None:
        return None
    members = ",".join(sorted(found.held))
    text = f"{found.format}:{members}" if members else found.format
    # An archive of very many kinds holds anything.
    return text if len(text) <= _LONGEST_FORMAT else found.format


def unpacked(text: str | None) -> Found:
    """What was packed."""
    if not text:
        return NOTHING
    code, _, members = text.partition(":")
    return Found(code, frozenset(members.split(",")) if members else frozenset())


def _refusal(seen: Seen) -> str | None:
    """What a status says."""
    status = seen.status or 0
    if seen.walled:
        return "blocked"
    named = {401: "login", 403: "refused", 404: "gone", 407: "login", 410: "gone", 416: "empty", 451: "refused"}
    if status in named:
        return named[status]
    if status >= 500:
        return "server-error"
    return "client-error" if status >= 400 else None


def _soft(address: str, seen: Seen, found: Found, promised: bool) -> str | None:
    """What is wrong with an answer that is called good."""
    if seen.content is None:
        return "page" if promised and found.format == "HTML" else None
    rules: tuple[tuple[str, Callable[[], object]], ...] = (
        ("empty", lambda: not seen.content and seen.status != 304),
        ("error-page", lambda: _NO.match(seen.content or b"")),
        ("error-page", lambda: found.format == "HTML" and _says_error(seen)),
        ("login", lambda: found.format == "HTML" and _asks_login(address, seen, promised)),
        ("page", lambda: found.format == "HTML" and promised),
    )
    return next((name for name, holds in rules if holds()), None)


def _says_error(seen: Seen) -> bool:
    page = html_of(seen.content or b"", charset(seen.media_type))
    titles = [re.sub(r"<[^>]*>", " ", text).strip() for _, text in _TITLES.findall(page)]
    return any(_NOT_FOUND.search(text) or _FAILED.search(text) for text in titles)


def _asks_login(address: str, seen: Seen, promised: bool) -> bool:
    """Led to a page for logging in; a password field on a page that was not asked for a file says nothing."""
    led = bool(seen.hops) and bool(_LOGIN.search(_path(seen.url))) and not _LOGIN.search(_path(address))
    page = html_of(seen.content or b"", charset(seen.media_type))
    return led or ((promised or bool(seen.hops)) and bool(_PASSWORD.search(page)))


def _at_home(address: str, seen: Seen) -> bool:
    """Whether an error came from the server of the address, and not from one that it redirects to."""
    return not seen.url or server_of(seen.url) == server_of(address)


def server_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port; all of them empty for what has none."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        return "", "", None


def _path(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{(parts.hostname or '').partition('.')[0]}/{parts.path}"


def _moved(hops: tuple[tuple[int, str], ...]) -> str | None:
    """Where the permanent redirects at the beginning of the way lead."""
    target = None
    for status, url in hops:
        if status not in PERMANENT:
            break
        target = url
    return target
