"""The one polite HTTP client: pace, retries, deadlines, caps, guarded redirects, and errors that say what happened.

RFC 9110.  What is decided, and one attempt, are in `harvester.net`; here a question is asked until it is answered.
"""

from __future__ import annotations

import io
import itertools
import logging
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Self

import httpx

from harvester.net import backend, body, guard, rules, urls
from harvester.net.answers import Answer, Feed
from harvester.net.exchange import ERROR_BYTES, Ask, Exchange
from harvester.net.pace import SHARED, Pace
from harvester.net.rules import AttemptError, Head
from harvester.net.secrets import Vault
from harvester.settings import Settings

__all__ = ["Answer", "Feed", "Http", "Pace"]

log = logging.getLogger(__name__)

# Beyond this an answer waits on disk instead of in memory.
_SPOOL_BYTES = 4 << 20

Params = urls.Params
Headers = Mapping[str, str]


class Http:
    """The client of one source: its secrets go to the origin of `home` only (or of the first URL asked).

    Safe to use from several threads; the pace per host is shared by the whole process.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.monotonic,
        secrets: Headers | None = None,
        headers: Headers | None = None,
        home: str | None = None,
        resolve: guard.Resolver = guard.resolve,
        jitter: Callable[[float, float], float] = random.uniform,
        pace: Pace | None = None,
    ) -> None:
        allowed = guard.rules(settings.private_hosts)
        own_clock = sleep is not time.sleep or now is not time.monotonic
        self._settings = settings
        self._sleep, self._jitter = sleep, jitter
        self._headers = {"User-Agent": settings.user_agent, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
        self._headers |= headers or {}
        self._pace = pace or (Pace(now, sleep) if own_clock else SHARED)
        self._vault = Vault(dict(secrets or {}), urls.clean(home) if home else None)
        network = transport or backend.Transport(backend.Backend(allowed, resolve, now), settings.ca_bundle)
        self._exchange = Exchange(network, settings, allowed, self._pace, self._vault, now)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._exchange.transport.close()

    def get(
        self,
        url: str,
        params: Params | None = None,
        headers: Headers | None = None,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> Answer:
        """The good answer to a GET (304 when `etag` or `last_modified` is given), or an error that says why not."""
        return self._answer(self._ask(url, params, headers, etag=etag, last_modified=last_modified))

    def try_get(self, url: str, params: Params | None = None, headers: Headers | None = None) -> Answer:
        """Whatever the portal answers, asked once: only throttling and broken connections are tried again."""
        return self._answer(self._ask(url, params, headers, patient=False))

    @contextmanager
    def stream(
        self,
        url: str,
        params: Params | None = None,
        headers: Headers | None = None,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> Iterator[Feed]:
        """A big answer as a file, brought here first: a slow reader holds no connection, and a cut is asked again."""
        ask = self._ask(url, params, headers, etag=etag, last_modified=last_modified)
        with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as sink:
            head = self._until_answered(ask, sink)
            sink.seek(0)
            contents = body.Contents(sink, self._settings.max_response_bytes, urls.redacted(head.url))
            with Feed(contents, head) as feed:
                yield feed

    def _ask(
        self,
        url: str,
        params: Params | None,
        headers: Headers | None,
        *,
        patient: bool = True,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> Ask:
        target = urls.with_params(urls.clean(url), params)
        self._vault.home = self._vault.home or target
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        stated = {name: value for name, value in conditions.items() if value}
        return Ask(target, {**self._headers, **(headers or {}), **stated}, patient, conditional=bool(stated))

    def _answer(self, ask: Ask) -> Answer:
        sink = io.BytesIO()
        head = self._until_answered(ask, sink)
        return Answer(head.url, head.status, head.headers, sink.getvalue(), self._settings.max_response_bytes)

    def _until_answered(self, ask: Ask, sink: IO[bytes]) -> Head:
        for attempt in itertools.count():
            try:
                return self._judged(self._exchange.run(ask, sink), ask, sink)
            except AttemptError as trouble:
                if self._waited(trouble, ask, attempt):
                    continue
                if trouble.head is not None and not ask.patient:
                    return trouble.head
                raise rules.given_up(trouble, attempt + 1) from trouble.__cause__
        raise AssertionError("unreachable")

    def _judged(self, head: Head, ask: Ask, sink: IO[bytes]) -> Head:
        sink.seek(0)
        words = self._vault.words([ask.url], ask.headers)
        beginning = sink.read(ERROR_BYTES)
        trouble = rules.trouble(head, beginning, datetime.now(UTC), secrets=words, conditional=ask.conditional)
        if trouble is not None:
            raise trouble
        return head

    def _waited(self, trouble: AttemptError, ask: Ask, attempt: int) -> bool:
        """Whether to ask again: the wait is over then.  A stated one holds the whole host, for it is meant for all."""
        stated, settings = trouble.wait, self._settings
        if stated is not None and stated > settings.max_wait:
            trouble.error = rules.too_long(trouble, stated, datetime.now(UTC))
            return False
        if attempt >= rules.repeats(trouble, settings.retries, ask.patient):
            return False
        wait = max(stated or 0.0, rules.back_off(attempt, self._jitter))
        log.warning("%s; asking again in %.1f s", trouble.error.message, wait)
        if stated is not None and trouble.head is not None:
            self._pace.hold(httpx.URL(trouble.head.url).host, wait)
        else:
            self._sleep(wait)
        return True
