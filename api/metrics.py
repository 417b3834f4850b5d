"""`/metrics` for Prometheus: the state of the catalogue, and the requests that this process answered."""

from __future__ import annotations

import time

from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import documented
from harvester.metrics import Watched
from harvester.schedule import utcnow

router = APIRouter(tags=["health"])
_METHODS = frozenset(("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"))
_EXAMPLE = 'harvester_source_up{source="paris"} 1.0\n'


class Requests:
    """What was asked of this process, by route: few names, whatever addresses are tried."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.count = Counter(
            "harvester_http_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self.seconds = Histogram(
            "harvester_http_request_seconds", "Time until the answer was sent.", ("route",), registry=registry
        )


def install(app: FastAPI) -> None:
    """Give the application a registry of its own, and count what it answers."""
    registry = CollectorRegistry()
    registry.register(Watched(app.state.engine, app.state.index, utcnow))
    app.state.metrics = registry
    app.add_middleware(Counting, requests=Requests(registry))


@router.get(
    "/metrics",
    response_class=Response,
    responses=documented() | {200: {"content": {"text/plain": {"example": _EXAMPLE}}}},
    summary="For Prometheus",
)
def metrics(request: Request) -> Response:
    """The state of sources, runs, notices and the index; cheap, however large the catalogue."""
    return Response(generate_latest(request.app.state.metrics), media_type=CONTENT_TYPE_LATEST)


class Counting:
    """ASGI middleware that counts and times what passes."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app, self._requests = app, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", None) or "(none)"
            method = scope["method"] if scope["method"] in _METHODS else "(other)"
            self._requests.count.labels(method, route, status).inc()
            self._requests.seconds.labels(route).observe(time.perf_counter() - began)
