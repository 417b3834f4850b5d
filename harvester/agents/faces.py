"""A publisher as one portal shows it: what it is called there, its numbers and addresses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b

import orjson

from harvester.agents import names, numbers
from harvester.agents.names import Name
from harvester.agents.numbers import Number
from harvester.agents.words import words
from harvester.identity.hosts import canonical_url, host_of, same_portal
from harvester.model import Agent

_MOST = 20
_LONGEST = 500
# Anybody has an address there.
FREE_MAIL = words("free-mail")
_COUNTRIES = words("country")
# They are of the same country as the other one.
_SAME_COUNTRY = {"gb": "uk", "re": "fr"}
# Hosts of countries that say so in another way.
_NATIONAL = {"gov": "us", "mil": "us", "paris": "fr", "bzh": "fr", "corsica": "fr", "alsace": "fr", "berlin": "de"}


@dataclass(frozen=True)
class Face:
    """How an agent is shown by a source; `digest` names the face, `home` is the portal's address."""

    source: str
    home: str
    texts: tuple[tuple[str, str], ...]
    identifiers: tuple[str, ...] = ()
    uri: str = ""
    homepage: str = ""
    mail: str = ""

    @cached_property
    def digest(self) -> bytes:
        """The same for the same face, whatever the order in which faces come."""
        said = (self.source, self.texts, self.identifiers, self.uri, self.homepage, self.mail)
        return blake2b(orjson.dumps(said), digest_size=16).digest()

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """Its names to compare, without repetition."""
        return tuple(dict.fromkeys(names.read(text) for _, text in self.texts))

    @cached_property
    def acronyms(self) -> frozenset[str]:
        """Names that may be acronyms as they stand."""
        return frozenset(filter(None, (names.acronym(text) for _, text in self.texts)))

    @cached_property
    def numbers(self) -> frozenset[Number]:
        """Its registered numbers, from its identifiers, its IRI and its homepage."""
        return numbers.numbers((*self.identifiers, self.uri, self.homepage))

    @cached_property
    def domains(self) -> frozenset[str]:
        """The hosts of its e-mail and homepage that are its own: neither free mail nor the portal's."""
        portal = host_of(self.home)
        found = (self.mail, host_of(self.homepage))
        return frozenset(d for d in found if d and d not in FREE_MAIL and not same_portal(d, portal))

    @cached_property
    def country(self) -> str:
        """Where it is, as its number, its addresses, and then its portal tell; "" where they do not."""
        if any(scheme == "SIREN" for scheme, _ in self.numbers):
            return "fr"
        told = (self.mail, host_of(self.homepage), host_of(self.uri), host_of(self.home))
        return next(filter(None, map(_country, told)), "")

    @cached_property
    def page(self) -> str:
        """Its IRI, or its own page at the portal: no other organisation has it."""
        portal = host_of(self.home)
        if self.uri.startswith(("http://", "https://")) and canonical_url(self.uri).count("/"):
            return canonical_url(self.uri)
        own = same_portal(host_of(self.homepage), portal) and canonical_url(self.homepage).count("/") > 1
        return canonical_url(self.homepage) if own else ""


def face_of(agent: Agent | None, source: str, home: str) -> Face | None:
    """The face of a publisher; None where nothing names it."""
    if agent is None:
        return None
    texts = tuple(sorted((tag, _cut(text)) for tag, text in agent.name.items() if text.strip()))[:_MOST]
    identifiers = tuple(sorted(map(_cut, agent.identifier)))[:_MOST]
    if not (texts or identifiers or agent.uri):
        return None
    mail = host_of((agent.email or "").rpartition("@")[2])
    return Face(source, home, texts, identifiers, _cut(agent.uri or ""), _cut(agent.homepage or ""), mail)


def _cut(text: str) -> str:
    return text[:_LONGEST].strip()


@lru_cache(maxsize=8192)
def _country(host: str) -> str:
    last = host.rpartition(".")[2]
    last = _NATIONAL.get(last, last if last in _COUNTRIES else "")
    return _SAME_COUNTRY.get(last, last)
