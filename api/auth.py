"""Who may do what: `Authorization: Bearer TOKEN`, never a cookie and never a query string (RFC 6750)."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Engine

from api.deps import Database, The
from api.errors import ProblemError
from harvester import tokens
from harvester.catalogue.database import writing
from harvester.schedule import utcnow
from harvester.tokens import Who as Who

log = logging.getLogger(__name__)

BEARER = HTTPBearer(auto_error=False, description="A token, as `harvester token create NAME --scope run` prints it.")
CLOSED = (
    "nothing can be changed through the API while there is no token; "
    "create one on the server: harvester token create NAME --scope run"
)
# Open to load balancers, and to pages of errors, whatever else is private.
PUBLIC = ("/health/", "/static/")
_CHALLENGE = {"www-authenticate": 'Bearer realm="harvester"'}
_BASIC = {"www-authenticate": 'Bearer realm="harvester", Basic realm="harvester: a token as password", charset="UTF-8"'}

Given = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]


def allowed(scope: str) -> Callable[..., Who]:
    """The dependency that lets pass who has this scope.  It raises `ProblemError` 401, or 403 `closed`."""

    def who(request: Request, engine: Database, after: BackgroundTasks, given: Given) -> Who:
        found = identified(request, engine, scope, given.credentials if given else None)
        _noted(engine, after, found)
        return found

    return who


def identified(request: Request, engine: Engine, scope: str, token: str | None) -> Who:
    """Whose token it is.  Raises `ProblemError` 401, or 403 when its scope is too small or when no token exists."""
    now = utcnow()
    with engine.connect() as connection:
        found = tokens.known(connection, token or "", now)
        closed = found is None and not tokens.exist(connection, now)
    if closed:
        raise ProblemError(403, "closed", CLOSED)
    if found is None:
        raise _refused(request, token)
    if not found.may(scope):
        _failed(request, f"token {found.name} lacks scope {scope}")
        raise ProblemError(403, "scope", f"this needs a token with the scope {scope}; {found.name} has {found.scope}")
    return found


def reader(request: Request, engine: Database, settings: The, after: BackgroundTasks) -> None:
    """Where the catalogue is private, lets pass who has a token; a browser asks for it as a password."""
    if not settings.private or request.url.path.startswith(PUBLIC):
        return
    try:
        _noted(engine, after, identified(request, engine, "read", _presented(request)))
    except ProblemError as error:
        error.headers |= _BASIC if error.status == 401 else {}
        raise


def _presented(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _refused(request: Request, token: str | None) -> ProblemError:
    if token is None:
        return ProblemError(401, "no-token", "this needs a token: Authorization: Bearer TOKEN", headers=_CHALLENGE)
    _failed(request, "unknown, revoked or expired token")
    return ProblemError(401, "bad-token", "the token is unknown, revoked or expired", headers=_CHALLENGE)


def _failed(request: Request, reason: str) -> None:
    client = request.client.host if request.client else "-"
    log.warning("refused client=%s method=%s path=%s reason=%s", client, request.method, request.url.path, reason)


def _noted(engine: Engine, after: BackgroundTasks, who: Who) -> None:
    now = utcnow()
    if tokens.stale(who, now):
        # After the answer: a writer may hold the database for a moment.
        after.add_task(_note, engine, who)


def _note(engine: Engine, who: Who) -> None:
    with writing(engine) as connection:
        tokens.note_use(connection, who, utcnow())
