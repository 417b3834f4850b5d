"""The one polite HTTP client: pace, retries, deadlines, caps, guarded redirects, and errors that say what happened.

RFC 9110.  What is decided, and one attempt, are in `harvester.net`; here a question is asked until it is answered.
"""

from __future__ import annotations

import io
import itertools
import logging
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Self

import httpx

from harvester.access import Access
from harvester.net import body, guard, rules, urls
from harvester.net import breaker as breaking
from harvester.net import robots as crawling
from harvester.net.answers import Answer, Feed, Glance
from harvester.net.breaker import Breaker
from harvester.net.exchange import ERROR_BYTES, Ask, Exchange
from harvester.net.outside import Outside
from harvester.net.pace import SHARED, Pace
from harvester.net.patience import Stop, never, pause
from harvester.net.robots import Robots
from harvester.net.rules import AttemptError, Head
from harvester.net.secrets import Vault
from harvester.settings import Settings

__all__ = ["Answer", "Feed", "Glance", "Http", "Pace"]

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
        home: str | None = None,
        access: Access | None = None,
        stop: Stop = never,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.monotonic,
        secrets: Headers | None = None,
        resolve: guard.Resolver = guard.resolve,
        jitter: Callable[[float, float], float] = random.uniform,
        pace: Pace | None = None,
        breaker: Breaker | None = None,
        robots: Robots | None = None,
    ) -> None:
        """Raises UsageError for wrong settings only; what is wrong with `access` fails the first request.

        A stand-in for the network or the clock has a pace and a memory of its own, and no robots.txt.
        """
        access = access or Access()
        own_clock = sleep is not time.sleep or now is not time.monotonic
        alone = own_clock or transport is not None
        self._settings, self._access, self._stop = settings, access, stop
        self._sleep, self._jitter = sleep, jitter
        self._headers = {"User-Agent": access.user_agent or settings.user_agent, "Accept": "*/*"}
        self._headers["Accept-Encoding"] = "gzip, deflate"
        self._vault = Vault(dict(secrets or {}), urls.clean(home) if home else None, access.headers)
        self._pace = pace or (Pace(now, sleep) if own_clock else SHARED)
        self._breaker = breaker or (Breaker(now) if alone else breaking.SHARED)
        robots = robots or (None if alone else crawling.SHARED)
        self._outside = Outside(settings, transport, resolve, now, self._pace, self._breaker, robots)
        self._lock = threading.Lock()
        self._made: Exchange | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made.transport.close()

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

    def glance(self, url: str, most: int, headers: Headers | None = None, *, method: str = "GET") -> Glance:
        """Whatever the portal answers, asked once: its head, the way to it, and at most `most` bytes of its body."""
        ask = replace(self._ask(url, None, headers, patient=False), method=method, glance=most)
        sink = io.BytesIO()
        head = self._until_answered(ask, sink)
        return Glance(head.url, head.status, head.headers, head.hops, sink.getvalue()[:most])

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
            with self._struck(contents, urls.redacted(head.url)) as clean, Feed(clean, head) as feed:
                yield feed

    @contextmanager
    def _struck(self, contents: body.Contents, url: str) -> Iterator[body.Contents]:
        """A big answer without the keys that it repeats, in its links to further pages or in its datasets."""
        words = [word.encode() for word in self._vault.striking()]
        if not words:
            yield contents
            return
        with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as plain:
            # A gzip file is unpacked first, for what it holds cannot be seen in it.
            shutil.copyfileobj(contents, plain, body.PIECE)
            body.strike(plain, words)
            yield body.Contents(plain, self._settings.max_response_bytes, url)

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
        content = self._vault.struck(sink.getvalue(), ask.url, ask.headers, refused=head.status >= 400)
        return Answer(head.url, head.status, head.headers, content, self._settings.max_response_bytes)

    def _until_answered(self, ask: Ask, sink: IO[bytes]) -> Head:
        for attempt in itertools.count():
            try:
                return self._judged(self._exchange().run(ask, sink), ask, sink)
            except AttemptError as trouble:
                if trouble.kind == "down":
                    self._count(trouble)
                if self._waited(trouble, ask, attempt):
                    continue
                if trouble.kind != "down":
                    self._count(trouble)
                if trouble.head is not None and not ask.patient:
                    return trouble.head
                raise rules.given_up(trouble, attempt + 1) from trouble.__cause__
        raise AssertionError("unreachable")

    def _count(self, trouble: AttemptError) -> None:
        """Tells the breaker of a failure, and raises what it makes of it when it is one too many."""
        url = httpx.URL(trouble.error.url or "")
        opened = self._breaker.bad(url, trouble.kind) if trouble.kind else None
        if trouble.kind is None and trouble.head is not None and trouble.error.code != "throttled":
            self._breaker.good(url)
        if opened is not None:
            opened.message = f"{trouble.error.message}; {opened.message}"
            raise type(opened)(opened.message, code=opened.code, url=trouble.error.url) from trouble.__cause__

    def _judged(self, head: Head, ask: Ask, sink: IO[bytes]) -> Head:
        sink.seek(0)
        words = self._vault.words([ask.url], ask.headers)
        beginning = sink.read(ERROR_BYTES)
        now = datetime.now(UTC)
        trouble = rules.trouble(head, beginning, now, secrets=words, conditional=ask.conditional)
        if trouble is not None:
            raise trouble
        url = httpx.URL(head.url)
        self._breaker.good(url)
        renewed = rules.quota_wait(head.headers, now) if rules.spent(head.headers) else None
        if renewed is not None and renewed <= self._settings.max_wait:
            self._pace.hold(url.host, renewed)
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
            pause(wait, self._sleep, self._stop)
        return True

    def _exchange(self) -> Exchange:
        """Made at the first request: what cannot be read of `access` fails that one, so that the run tells it."""
        with self._lock:
            if self._made is None:
                self._vault.secrets = {**self._vault.secrets, **self._access.credentials()}
                self._made = self._outside.exchange(self._access, self._vault, self._stop)
            return self._made
