"""The action API of CKAN, version 3: an action's result, or the error that says what happens next.

CKAN answers errors with HTTP 200, 400, 404, 409 or 500, in an envelope, as a bare JSON string, or as the HTML page
of a theme; the decision is made on the parsed body (docs.ckan.org, "API guide").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harvester.errors import Blocked, SourceError, Unavailable
from harvester.http import Answer, Http

Params = Mapping[str, str | int]

# `message` is translated to the language of the site, `__type` is not.
_KINDS: dict[str, type[SourceError]] = {
    "Authorization Error": Blocked,
    "Search Error": Unavailable,
    "Search Index Error": Unavailable,
    "Search Connection Error": Unavailable,
    "Internal Server Error": Unavailable,
    "Integrity Error": Unavailable,
}
_UNKNOWN_ACTION = re.compile(r"Action name not known|Bad request", re.IGNORECASE)
# With these statuses CKAN still sends an envelope, which tells more than the status does.
_TALKING = frozenset((400, 404, 409))
_EXCERPT = 200


@dataclass(frozen=True, slots=True)
class Api:
    """The actions of one CKAN, by its root address; behind a gateway the actions stand elsewhere (api.gsa.gov)."""

    http: Http
    root: str

    def url(self, action: str) -> str:
        return f"{self.root}/{action}" if self.root.endswith("/action") else f"{self.root}/api/3/action/{action}"

    def call(self, action: str, params: Params) -> Any:
        """The result of an action.  Raises `SourceError`; `Unavailable` where a smaller question may do."""
        url = self.url(action)
        try:
            answer = self.http.get(url, dict(params))
        except SourceError as error:
            if error.value not in _TALKING:
                raise
            answer = self.http.try_get(url, dict(params))
        return result(answer)

    def ask(self, action: str, params: Params) -> Answer:
        """Whatever comes, asked once: for probing."""
        return self.http.try_get(self.url(action), dict(params))


def result(answer: Answer) -> Any:
    """The result in an answer.  Raises the error that the body, else the status, tells."""
    body = _body(answer)
    if isinstance(body, Mapping) and body.get("success") is True and "result" in body:
        return body["result"]
    if isinstance(body, Mapping) and "error" in body:
        raise _told(body["error"], answer)
    if trouble := answer.trouble():
        raise trouble
    if isinstance(body, str):
        raise _error(SourceError, "bad-request", body, answer)
    raise _error(Unavailable, "no-result", "the answer has no result", answer)


def speaks(answer: Answer) -> bool:
    """Whether an answer comes from the action API, be it an error: an envelope, or a complaint about the action."""
    try:
        body = _body(answer)
    except SourceError:
        return False
    if isinstance(body, str):
        return _UNKNOWN_ACTION.search(body) is not None
    return isinstance(body, Mapping) and "success" in body and ("result" in body or "error" in body)


def _body(answer: Answer) -> Any:
    """The JSON of an answer; what is cut or no JSON may come whole when less is asked for."""
    try:
        return answer.json()
    except SourceError as error:
        if trouble := answer.trouble():
            raise trouble from error
        raise Unavailable(error.message, code=error.code, url=error.url, value=error.value) from error


def _told(error: Any, answer: Answer) -> SourceError:
    kind = str(error.get("__type")) if isinstance(error, Mapping) else "Error"
    code = re.sub(r"[^a-z]+", "-", kind.lower()).strip("-")
    said = {name: text for name, text in error.items() if name != "__type"} if isinstance(error, Mapping) else error
    return _error(_KINDS.get(kind, SourceError), f"ckan-{code}", f"{kind}: {said}", answer)


def _error(kind: type[SourceError], code: str, said: str, answer: Answer) -> SourceError:
    message = f"CKAN refuses: {said[:_EXCERPT]} (HTTP {answer.status} from {answer.url})"
    return kind(message, code=code, url=answer.url, value=answer.status)
