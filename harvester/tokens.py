"""Tokens of the API: 256 random bits, shown once; a digest is all that is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from harvester.catalogue.tables import tokens
from harvester.errors import UsageError

# Each scope includes those before it.
SCOPES = ("read", "run", "admin")
# Found by the scanners that look for secrets in public code.
PREFIX = "hvt_"
LONGEST = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
# A token in use all day must not cost a write per request.
_NOTED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks: the name of the token, and what it may do."""

    id: int
    name: str
    scope: str
    used_at: datetime | None = None

    def may(self, scope: str) -> bool:
        """Whether its scope includes this one."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


def create(connection: Connection, name: str, scope: str, now: datetime, days: int | None = None) -> str:
    """Save a new token and answer it, for the only time.  Raises `UsageError` when name or scope do not fit."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name[:100]!r} is no name: use letters, digits and . _ @ -", code="bad-name")
    if scope not in SCOPES:
        raise UsageError(f"there is no scope {scope[:100]!r}; there are {', '.join(SCOPES)}", code="bad-scope")
    taken = connection.execute(select(tokens).where(tokens.c.name == name)).one_or_none()
    if taken is not None and _good(taken, now):
        raise UsageError(f"there is a token {name!r} already; revoke it first", code="name-taken")
    connection.execute(delete(tokens).where(tokens.c.name == name))
    token = PREFIX + secrets.token_urlsafe(32)
    expires_at = None if days is None else now + timedelta(days=days)
    values = {"name": name, "digest": _digest(token), "scopes": [scope], "created_at": now, "expires_at": expires_at}
    connection.execute(insert(tokens).values(**values))
    return token


def revoke(connection: Connection, name: str, now: datetime) -> None:
    """Let a token open nothing from now on.  Raises `UsageError` when there is none."""
    statement = update(tokens).where(tokens.c.name == name, tokens.c.revoked_at.is_(None))
    if not connection.execute(statement.values(revoked_at=now)).rowcount:
        raise UsageError(f"there is no token {name[:100]!r} to revoke", code="unknown-token")


def listed(connection: Connection) -> list[Row[Any]]:
    """Every token, by name; none of them can be read."""
    return list(connection.execute(select(tokens).order_by(tokens.c.name)))


def state(row: Row[Any], now: datetime) -> str:
    """good, expired or revoked."""
    return "good" if _good(row, now) else "revoked" if row.revoked_at is not None else "expired"


def exist(connection: Connection, now: datetime) -> bool:
    """Whether any token is good."""
    unexpired = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now)
    statement = select(tokens.c.id).where(tokens.c.revoked_at.is_(None), unexpired).limit(1)
    return connection.execute(statement).first() is not None


def known(connection: Connection, token: str, now: datetime) -> Who | None:
    """Whose token it is; None when it is nobody's, revoked or expired."""
    if not token or len(token) > LONGEST:
        return None
    # The digest of 256 random bits tells nothing through the time that its index takes.
    digest = _digest(token)
    row = connection.execute(select(tokens).where(tokens.c.digest == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest) or not _good(row, now):
        return None
    scope = max((scope for scope in row.scopes if scope in SCOPES), key=SCOPES.index, default=None)
    return None if scope is None else Who(row.id, row.name, scope, row.used_at)


def stale(who: Who, now: datetime) -> bool:
    """Whether its use is to be noted again."""
    return who.used_at is None or now - who.used_at >= _NOTED


def note_use(connection: Connection, who: Who, now: datetime) -> None:
    """Keep when a token was used last."""
    connection.execute(update(tokens).where(tokens.c.id == who.id).values(used_at=now))


def _good(row: Row[Any], now: datetime) -> bool:
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > now)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
