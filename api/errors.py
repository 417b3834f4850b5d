"""Every error as a problem document (RFC 9457): one place turns exceptions into answers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.headers import SECURITY
from harvester.codes import remedy
from harvester.errors import UsageError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# Errors of the caller that are not simply wrong input.
STATUS_BY_CODE = {
    "already-running": 409,
    "index-busy": 503,
    "index-missing": 503,
    "name-taken": 409,
    "not-live": 409,
    "unknown-reconciliation": 404,
    "unknown-run": 404,
    "outdated-run": 409,
    "not-held": 409,
    "same-dataset": 409,
    "nothing-left": 409,
    "unknown-decision": 404,
    "unknown-record": 404,
    "unknown-agent": 404,
    "unknown-dataset": 404,
    "unknown-name": 404,
    "unknown-indicator": 404,
    "unknown-space": 404,
    "unknown-source": 404,
}


# Of what the framework itself refuses.
HTTP_CODES = {400: "unreadable-request", 404: "not-found", 405: "method-not-allowed", 413: "request-too-large"}


class FieldError(BaseModel):
    """One parameter that is wrong."""

    field: str = Field(examples=["page"])
    message: str = Field(examples=["Input should be greater than or equal to 1"])


class ProblemDetails(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        "about:blank", examples=["about:blank"], description="Always `about:blank`: the status and `code` say it all."
    )
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no dataset 'abc'"])
    instance: str = Field(examples=["/api/datasets/abc"])
    code: str = Field(description="Stable name of the error, for programs.", examples=["no-such-dataset"])
    errors: list[FieldError] = Field([], description="Which parameters are wrong.")
    help: str | None = Field(None, examples=["Check the name in the address."], description="What to do about it.")


class ProblemError(Exception):
    """What an endpoint raises: a status, a stable code, a sentence, and further facts."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **facts: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.facts = facts


def missing(noun: str, name: object) -> ProblemError:
    """404 for a thing that never was."""
    return ProblemError(404, f"no-such-{noun}", f"there is no {noun} {str(name)[:100]!r}")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint in OpenAPI."""
    found: dict[int | str, dict[str, Any]] = {
        status: {
            "model": ProblemDetails,
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"example": _example(status)}},
        }
        for status in (400, *statuses)
    }
    # Said so that FastAPI does not promise its own 422.
    return found | {"default": {"model": ProblemDetails, "description": "Any other error"}}


def install(app: FastAPI) -> None:
    """Let the application answer every error with a problem document."""
    app.add_exception_handler(ProblemError, _told)
    app.add_exception_handler(UsageError, _usage)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for failure in (OperationalError, ProgrammingError, PoolTimeout):
        app.add_exception_handler(failure, _database)
    app.add_exception_handler(Exception, _unexpected)


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem(request, error.status, error.code, error.detail, error.headers, **error.facts)


def _usage(request: Request, error: Exception) -> Response:
    assert isinstance(error, UsageError)
    errors = [{"field": error.field, "message": error.message}] if error.field else []
    return problem(request, STATUS_BY_CODE.get(error.code, 400), error.code, error.message, errors=errors)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"field": ".".join(str(part) for part in found["loc"][1:]), "message": str(found["msg"])}
        for found in error.errors()
    ]
    detail = "; ".join(f"{found['field']}: {found['message']}" for found in errors[:5])
    return problem(request, 400, "invalid-request", detail, errors=errors)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code = HTTP_CODES.get(status, "refused")
    return problem(request, status, code, str(error.detail), error.headers)


def _database(request: Request, error: Exception) -> Response:
    log.error("database path=%s error=%s", request.url.path, error)
    detail = "the catalogue's database cannot answer now"
    return problem(request, 503, "database-unavailable", detail, {"retry-after": "30"})


def _unexpected(request: Request, error: Exception) -> Response:
    # Starlette raises it again after this answer, so that the server logs the traceback.
    # It also stands outside of the middleware that adds these headers.
    return problem(request, 500, "unexpected", "something went wrong here; it was logged", SECURITY)


def problem(
    request: Request, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **facts: Any
) -> Response:
    """One problem document."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "instance": request.url.path,
        "code": code,
        **{name: value for name, value in {"help": remedy(code), **facts}.items() if value not in (None, [])},
    }
    return Response(orjson.dumps(body), int(status), dict(headers or {}), MEDIA_TYPE)


def _example(status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    return {
        "type": "about:blank",
        "title": phrase,
        "status": status,
        "detail": "a sentence for people",
        "instance": "/api/…",
        "code": phrase.lower().replace(" ", "-"),
    }
