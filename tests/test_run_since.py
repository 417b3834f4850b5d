"""What a walk for changes did not show is asked for again: the date it starts from stays where it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from harvester.connector import Page, Source, Walk
from harvester.errors import RecordError
from harvester.http import Http
from harvester.settings import Settings
from tests.one_source import NOW, OneSource
from tests.programmable import Programmable, packages


class Cutting(Programmable):
    """Shows the first of its packages alone when it is asked for changes, and says what it is told to."""

    INCREMENTAL = True
    said: str | None = None

    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]:
        for number, page in enumerate(super().fetch(source, http, walk)):
            if walk.since is None or number == 0:
                yield page if walk.since is None else replace(page, advertised=self.advertised)
        if walk.since and self.said:
            yield Page((), notes=(RecordError("not all", code=self.said),))


@pytest.mark.parametrize(
    ("said", "advertised", "code"),
    [(None, 3, None), (None, 9, "count-gap"), ("unshown-datasets", None, "unshown-datasets"), ("window", 3, "window")],
)
def test_what_was_not_shown_is_asked_for_again(
    engine: Engine, settings: Settings, said: str | None, advertised: int | None, code: str | None
) -> None:
    bench, connector = OneSource(engine, settings), Cutting(packages(9), 3)
    assert bench.run(connector).status == "succeeded"
    assert bench.source().since_at == NOW
    bench.now += timedelta(days=1)
    connector.said, connector.advertised = said, advertised
    result = bench.run(connector, "incremental")
    assert (result.status, result.code) == ("partial" if code else "succeeded", code)
    assert bench.source().since_at == (NOW if code else bench.now)
