"""Everything that can be wrong with a link: how soon it counts, what it means, and what to do about it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """What is known of an address.  `failing` ones may be well tomorrow; of `unknown` ones it cannot be told."""

    UNCHECKED = "unchecked"
    OK = "ok"
    FAILING = "failing"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How much it matters to those who want the data."""

    BROKEN = "broken"
    WARNING = "warning"
    NOTICE = "notice"


class Patience(NamedTuple):
    """An address is broken after so many failures in a row, the first of them so long ago."""

    failures: int
    span: timedelta


# HEAD and GET have both said so, and a failure is looked at again within the hour.
AT_ONCE = Patience(1, timedelta(0))
CONFIRMED = Patience(2, timedelta(0))
PATIENT = Patience(4, timedelta(hours=24))


class Fault(NamedTuple):
    """One thing that can be wrong; without patience it never makes an address broken."""

    name: str
    patience: Patience | None
    meaning: str
    advice: str
    state: State = State.OK


_ASK = "Open the address in a browser; if it works there, nothing is to be done here."
_OPERATOR = "If it lasts, tell the operator of the server."

_FAULTS = (
    Fault(
        "gone", AT_ONCE, "The server says that there is nothing at this address (404 or 410).",
        "Correct the address in the metadata, put the file back, or withdraw the distribution.",
    ),
    Fault(
        "unresolved", CONFIRMED, "The name of the host does not exist (any more).",
        "Correct the host in the address, or renew the domain.",
    ),
    Fault(
        "private", AT_ONCE, "The address leads into a private network: nobody outside reaches it.",
        "Give an address that the public can reach.",
    ),
    Fault(
        "bad-address", AT_ONCE, "It is no address that can be asked: a part is missing or wrong.",
        "Correct the address in the metadata.",
    ),
    Fault(
        "empty", AT_ONCE, "The answer is good but empty: there are no data in it.",
        "Look why the file or the export is empty, and publish it again.",
    ),
    Fault(
        "error-page", AT_ONCE, "The answer is called good (200) but is an error message.",
        "Correct the address; let the server answer errors with a status from 400 on.",
    ),
    Fault(
        "page", AT_ONCE, "A web page is there where a file was promised.",
        "Give the address of the file itself as download URL; the page belongs in access URL or landing page.",
    ),
    Fault(
        "login", AT_ONCE, "It asks for a login.",
        "Publish the file without a login, or say in the metadata that access is restricted.",
    ),
    Fault(
        "redirects", AT_ONCE, "It redirects in a circle, or too often.",
        "Give the address at which the file really is.",
    ),
    Fault(
        "refused", PATIENT, "The server refuses to give it out (403 or 451).",
        "Look whether the file is public and still there: some stores answer so for files that are missing.",
    ),
    Fault(
        "client-error", PATIENT, "The server does not accept the request (another status from 400 to 499).",
        "Correct the address: a parameter may be missing or wrong.",
    ),
    Fault("server-error", PATIENT, "The server fails (a status from 500 on).", _OPERATOR),
    Fault("unreachable", PATIENT, "No connection to the server, or no answer in time.", _OPERATOR),
    Fault("cut", PATIENT, "The answer breaks off, or is no HTTP.", _OPERATOR),
    Fault(
        "certificate", PATIENT, "The certificate of the server has expired or cannot be verified.",
        "Renew the certificate, with its whole chain: programs refuse the address as it is.",
    ),
    Fault(
        "blocked", None, "A firewall or a challenge for browsers refuses this client: others may see the data.",
        f"{_ASK} Programs are open data's users too: let them in, or this service's User-Agent.", State.UNKNOWN,
    ),
    Fault(
        "unsupported", None, "It cannot be checked: only http and https are asked.",
        "Give an https address beside it: browsers have given up ftp.", State.UNKNOWN,
    ),
    Fault(
        "format", None, "The file is of another format than declared.",
        "Correct the declared format, or the file.",
    ),
    Fault(
        "moved", None, "It has moved for good; the redirect still works.",
        "Update the address in the metadata before the redirect is switched off.",
    ),
)  # fmt: skip
FAULTS: dict[str, Fault] = {fault.name: fault for fault in _FAULTS}
