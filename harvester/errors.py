"""Every error the harvester raises, named by what happens next.

HarvesterError
├── SourceError     this run stops; what was harvested before stays as it is
│   ├── Blocked     the portal refuses us (401, 403, robots): waiting will not help
│   └── Unavailable the portal fails or chokes (5xx, time-outs, 429): a later run may succeed
├── Stopped         nobody wants this work any longer; what was written stays
├── RecordError     this record is reported, the run goes on
└── UsageError      the person at the keyboard can fix it (unknown source, bad option)
"""

from __future__ import annotations

from typing import Any

from harvester import storable


class HarvesterError(Exception):
    """The root: carries a stable `code`, and the `url`, `field` and `value` it is about."""

    code = "unexpected"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        url: str | None = None,
        field: str | None = None,
        value: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.url = url
        self.field = field
        self.value = value


class SourceError(HarvesterError):
    """The source cannot be walked any further; the run stops and retires nothing."""

    code = "source-failed"


class Blocked(SourceError):
    """The portal refuses us: credentials, address or User-Agent."""

    code = "blocked"


class Unavailable(SourceError):
    """The portal does not answer properly now; retries were made."""

    code = "unavailable"


class Stopped(HarvesterError):
    """Whoever waits on this work no longer wants it: a run was cancelled, or the process is told to end."""

    code = "stopped"


class RecordError(HarvesterError):
    """One record cannot be used; it is reported under its `guid` and the run goes on."""

    code = "record-failed"

    def __init__(self, message: str, *, guid: str | None = None, **about: Any) -> None:
        super().__init__(message, **about)
        self.guid = None if guid is None else storable.identifier(str(guid))


class UsageError(HarvesterError):
    """The caller asked for something that does not exist or does not fit."""

    code = "usage"
