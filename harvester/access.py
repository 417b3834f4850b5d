"""How one source is asked: extra headers, credentials by reference, proxy, authorities, User-Agent, pace.

What is saved names where a secret stands (`env:NAME`, `file:/path`) and never the secret; it is read when a run starts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from harvester.errors import Blocked, UsageError
from harvester.net.secrets import is_secret

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REFERENCE = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9-]*) )?(?P<kind>env|file):(?P<place>\S(?:.*\S)?)")
# Set by the client itself, or by the protocol.
_OWN = {"host", "connection", "content-length", "transfer-encoding", "te", "upgrade", "accept-encoding", "user-agent"}
_LONGEST_SECRET = 1 << 14
DIRECT = "direct"


class Access(BaseModel):
    """How one source is asked; whatever is not given is as the settings say."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    headers: dict[str, str] = Field(
        default_factory=dict, description="Headers sent to the source's own host, such as Accept-Language; no secrets."
    )
    secrets: dict[str, str] = Field(
        default_factory=dict,
        description="Credentials sent to the source's own origin only: the name of a header, or of a query parameter "
        "written ?name, with where its value stands: env:NAME (a variable) or file:/path (one line). A scheme may "
        'stand before it: {"Authorization": "Apikey env:PORTAL_KEY", "?api_key": "file:/run/secrets/portal"}. '
        "Values are read when a run starts and are never stored.",
    )
    proxy: str = Field(
        "",
        description="Proxy for this source: http://host:port, env:NAME or file:/path when it holds a password, or "
        "direct for none. One in a private network must be named in private_hosts, unless it is that of the settings.",
    )
    ca_bundle: Path | None = Field(None, description="PEM file of further certificate authorities for this source.")
    user_agent: str = Field("", max_length=500, description="User-Agent for this source; name a contact.")
    interval: float | None = Field(
        None, ge=0, le=3600, allow_inf_nan=False, description="Least seconds between two requests to the host."
    )
    connections: int | None = Field(None, ge=1, le=32, description="Most requests under way at once to the host.")

    @field_validator("headers")
    @classmethod
    def _plain(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            _check_name(name)
            if is_secret(name):
                raise ValueError(f"{name} is a credential: give it under secrets, as env:NAME or file:/path")
            if not text.isprintable() or len(text) > _LONGEST_SECRET:
                raise ValueError(f"the value of {name} must be one short line of text")
        return value

    @field_validator("secrets")
    @classmethod
    def _references(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not name.startswith("?"):
                _check_name(name)
            elif not name[1:].isprintable() or not name[1:].strip():
                raise ValueError("a query parameter is written ?name")
            _check_reference(name, text)
        return value

    @field_validator("proxy")
    @classmethod
    def _proxy(cls, value: str) -> str:
        value = value.strip()
        if _REFERENCE.fullmatch(value):
            _check_reference("proxy", value)
        elif value not in ("", DIRECT):
            proxy_url(value)
            if "@" in value:
                raise ValueError("a proxy with a password is given as env:NAME or file:/path, which hold its address")
        return value

    @field_validator("user_agent")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("must be one line of text")
        return value.strip()

    def credentials(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The values of `secrets`, read now; Blocked `credentials` when one is missing."""
        return {name: _value(name, reference, environ) for name, reference in self.secrets.items()}

    def proxy_address(self, environ: Mapping[str, str] = os.environ) -> str:
        """The proxy's address with its password, `direct`, or nothing; Blocked when it cannot be read."""
        if not _REFERENCE.fullmatch(self.proxy):
            return self.proxy
        address = _value("proxy", self.proxy, environ)
        try:
            return str(proxy_url(address))
        except ValueError as error:
            raise Blocked(f"the proxy named by {self.proxy}: {error}", code="credentials", field="proxy") from None


def checked(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is saved with a source, only what was given; UsageError says what is wrong, without the value."""
    return loaded(given).model_dump(mode="json", exclude_defaults=True)


def loaded(saved: Mapping[str, Any] | None) -> Access:
    """The access that is saved with a source (None: as any other source); UsageError when it is none."""
    try:
        return Access.model_validate(dict(saved) if isinstance(saved, Mapping) else saved or {})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(("access", *(str(part) for part in first["loc"])))
        raise UsageError(f"{place}: {first['msg']}", code="bad-access", field=place) from None


def _check_name(name: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise ValueError("the name of a header holds letters, digits and hyphens only")
    if name.lower() in _OWN or name.lower().startswith("proxy-"):
        raise ValueError(f"{name} is set by the client itself")


def _check_reference(name: str, text: str) -> None:
    """Never shows `text`: it may be the very secret that was pasted here by mistake."""
    found = _REFERENCE.fullmatch(text)
    if not found:
        raise ValueError(f"the value of {name} is not given itself, but as env:NAME or file:/path")
    kind, place = found["kind"], found["place"]
    if kind == "env" and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", place):
        raise ValueError(f"env: for {name} takes the name of a variable")
    if kind == "env" and place.upper().startswith("HARVESTER_"):
        raise ValueError(f"{name}: the settings of the service are not sent to portals; use another variable")
    if kind == "file" and not Path(place).is_absolute():
        raise ValueError(f"file: for {name} takes an absolute path")


def proxy_url(text: str) -> httpx.URL:
    """The address of a proxy; ValueError when it is none, without showing it."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise ValueError("a proxy is written http://host:port") from None
    if url.scheme not in ("http", "https") or not url.host or url.path not in ("", "/") or url.query:
        raise ValueError("a proxy is written http://host:port")
    return url


def _value(name: str, reference: str, environ: Mapping[str, str]) -> str:
    found = _REFERENCE.fullmatch(reference)
    assert found is not None, "checked when it was saved"
    where = f"{found['kind']}:{found['place']}"
    text = environ.get(found["place"], "") if found["kind"] == "env" else _line(Path(found["place"]), name)
    if not text.strip() or not text.strip().isprintable():
        state = "is empty or not set" if not text.strip() else "holds more than one line of text"
        raise Blocked(f"the credential {name} cannot be read: {where} {state}", code="credentials", field=name)
    return f"{found['scheme']} {text.strip()}" if found["scheme"] else text.strip()


def _line(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_SECRET).decode("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        message = f"the credential {name} cannot be read: file:{path}: {reason}"
        raise Blocked(message, code="credentials", field=name) from None
