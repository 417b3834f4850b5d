"""How a part of the catalogue, a format and a profile are asked for in the address and the headers of a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from sqlalchemy import Connection

from api.errors import ProblemError, missing
from api.formats import BY_SUFFIX, FORMATS, HTML, Form, accepted, form_of, known, offers, profile_accepted, profile_of
from api.links import link
from api.runs import OfSource, source_row
from harvester import spaces
from harvester.errors import UsageError
from harvester.fields.when import instant, when
from harvester.rdf.profiles import DEFAULT, PROFILES, Profile
from harvester.settings import Settings
from harvester.views import View, view

LARGEST = 500
VARY = "Accept, Accept-Profile"

Suffix = Annotated[
    str, Path(description="`ttl`, `rdf` (`xml`), `jsonld` (`json`), `nt`, `nq` or `trig`.", examples=["ttl"])
]
AfterId = Annotated[
    int, Query(ge=0, lt=1 << 63, description="Continue after this key; taken from the links of a page.", examples=[0])
]
PageSize = Annotated[int, Query(ge=1, le=LARGEST, description="Datasets per page.", examples=[100])]
OfPublisher = Annotated[
    str | None, Query(description="Only this publisher, by name.", max_length=500, examples=["Ville de Paris"])
]
OfSpace = Annotated[str | None, Query(description="Only this space, by name.", max_length=100, examples=["culture"])]
Hvd = Annotated[bool, Query(description="Only high-value datasets (EU 2023/138).", examples=[True])]
Since = Annotated[
    str | None,
    Query(
        description="Only what changed at or after this date or instant, with a mark for each dataset that is gone.",
        max_length=40,
        examples=["2026-01-31T12:00:00Z"],
    ),
]
Until = Annotated[
    str | None,
    Query(
        description="Carried by the links of a walk: until when it is complete.",
        max_length=40,
        examples=["2026-02-01T03:00:00Z"],
    ),
]
Wish = Annotated[
    str | None,
    Query(
        description="Application profile: its name or IRI.",
        max_length=200,
        examples=["dcat-ap-2.1.1"],
        json_schema_extra={"enum": list(PROFILES)},
    ),
]
OfQuality = Annotated[
    bool, Query(description="With the MQA of each dataset as measurements of quality (DQV).", examples=[True])
]


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the catalogue is asked for, and the profile asked for in the address."""

    source: str | None
    publisher: str | None
    space: str | None
    hvd: bool
    profile: str | None
    quality: bool = False


def _part(
    request: Request,
    source: OfSource = None,
    publisher: OfPublisher = None,
    space: OfSpace = None,
    hvd: Hvd = False,
    profile: Wish = None,
    quality: OfQuality = False,
) -> Part:
    return Part(source, publisher, space, hvd, profile, quality)


OfPart = Annotated[Part, Depends(_part)]


@dataclass(frozen=True, slots=True)
class Choice:
    """A format, a profile, and what names both in an address: the suffix and the `profile` parameter, or neither."""

    form: Form
    profile: Profile
    suffix: str = ""
    named: str | None = None
    quality: bool = False

    def path(self, base: str, **parameters: object) -> str:
        """An address below which the same choice is made again."""
        suffix = f".{self.suffix}" if self.suffix else ""
        return link(f"{base}{suffix}", **parameters, profile=self.named, quality="true" if self.quality else None)


def chosen(request: Request, suffix: str = "", wish: str | None = None, quality: bool = False) -> Choice:
    """What a request for RDF asks for.  Raises `ProblemError` 404, 406, or 400 for an unknown profile."""
    form = known_form(suffix) if suffix else negotiated(request)
    return Choice(form, _profile(request, form, suffix, wish), suffix, wish, quality)


def known_form(suffix: str) -> Form:
    """The format of a suffix.  Raises `ProblemError` 404."""
    if suffix not in BY_SUFFIX:
        raise missing("format", suffix)
    return BY_SUFFIX[suffix]


def negotiated(request: Request) -> Form:
    """The format that the `Accept` header asks for.  Raises `ProblemError` 406 with what is offered."""
    found = accepted(request.headers.get("accept"), offers())
    form = form_of(found) if found else None
    if form is None:
        raise not_acceptable([form.media_type for form in FORMATS])
    return form


def negotiated_page(request: Request) -> Form | None:
    """The same where there is a page for people too: None is that page."""
    found = accepted(request.headers.get("accept"), offers(html=True))
    return None if found == HTML else negotiated(request)


def not_acceptable(offered: list[str]) -> ProblemError:
    """406 that names what there is."""
    detail = f"offered are {', '.join(offered)}"
    return ProblemError(406, "not-acceptable", detail, headers={"vary": VARY}, offered=offered, profiles=_profiles())


def asked(connection: Connection, settings: Settings, part: Part, profile: Profile) -> View:
    """The part of the catalogue.  Raises `ProblemError` 404 for a source or space there is not."""
    if part.source is not None:
        source_row(connection, part.source)
    if part.space is not None:
        space_named(connection, part.space)
    hvd = part.hvd or profile.only_hvd
    publisher = None if part.publisher is None else part.publisher.strip()
    return view(connection, settings, source=part.source, publisher=publisher, space=part.space, hvd=hvd)


def space_named(connection: Connection, name: str) -> spaces.Space:
    """A space.  Raises `ProblemError` 404."""
    try:
        return spaces.named(connection, name)
    except UsageError as error:
        raise missing("space", name) from error


def moment(name: str, text: str | None) -> datetime | None:
    """A date or instant of a parameter, in UTC.  Raises `UsageError`."""
    if text is None:
        return None
    # In an address written by hand, the plus sign of an offset arrives as a space.
    found = instant(when(text.strip().replace(" ", "+") if "T" in text else text))
    if found is None:
        message = f"{name}: a date or an instant is needed, for example 2026-01-31 or 2026-01-31T12:00:00Z"
        raise UsageError(message, code="bad-parameter", field=name)
    return found.astimezone(UTC)


def _profile(request: Request, form: Form, suffix: str, wish: str | None) -> Profile:
    """From the address, else from `Accept`, else from `Accept-Profile`, else the default."""
    if wish is not None:
        found = known(wish)
        if found is None:
            raise ProblemError(400, "unknown-profile", _told(wish), profiles=_profiles())
        return found
    for name in () if suffix else (form.media_type, *form.also):
        if found := profile_of(request.headers.get("accept"), name):
            return found
    header = request.headers.get("accept-profile")
    if header is None:
        return DEFAULT
    found = profile_accepted(header)
    if found is None:
        raise ProblemError(406, "unknown-profile", _told(header), headers={"vary": VARY}, profiles=_profiles())
    return found


def _told(text: str) -> str:
    return f"there is no profile {text[:200]!r}; there are {', '.join(PROFILES)}"


def _profiles() -> list[dict[str, str]]:
    return [{"name": profile.name, "iri": profile.iri, "title": profile.title} for profile in PROFILES.values()]
