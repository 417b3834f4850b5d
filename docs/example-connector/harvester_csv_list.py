"""Datasets listed in a CSV file, one a line: id, title, description, url, format, licence, updated."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from pydantic import Field

from harvester.connector import NoOptions, Page, Recognised, Record, Source, Walk
from harvester.errors import RecordError, SourceError
from harvester.http import Http
from harvester.model import Dataset

NAME = "csv-list"
COLUMNS = ("id", "title")


class Options(NoOptions):
    """What a source of this kind may set; validated when the source is saved."""

    delimiter: str = Field(";", description="What separates the columns.", min_length=1, max_length=1)


def fetch(source: Source, http: Http, walk: Walk) -> Iterator[Page]:
    """The network half: every line is a record, untouched; a line without an id is reported and passed over."""
    assert isinstance(source.options, Options)
    lines = list(_lines(http.get(source.url).text, source.options.delimiter))
    good = tuple(Record(line["id"], line) for line in lines if line.get("id"))
    bad = tuple(RecordError("a line without an id", code="no-id", field="id") for line in lines if not line.get("id"))
    yield Page(good, advertised=len(lines), problems=bad)


def normalise(record: Record, source: Source) -> Dataset:
    """The mapping half: names the fields; the types of `Dataset` clean what is in them."""
    line = record.payload
    return Dataset.of(
        {
            "identifier": line["id"],
            "title": line.get("title"),
            "description": line.get("description"),
            "modified": line.get("updated"),
            "license": line.get("licence"),
            "distribution": [
                {
                    "access_url": line.get("url"),
                    "download_url": line.get("url"),
                    "format": line.get("format"),
                    "license": line.get("licence"),
                }
            ],
        }
    )


def recognise(http: Http, url: str) -> Recognised | None:
    """Whether the URL is such a file, so that `harvester source add URL` needs no `--connector`."""
    answer = http.try_get(url)
    lines = list(_lines(answer.text, Options().delimiter)) if answer.status == 200 and url.endswith(".csv") else []
    return Recognised(NAME, url, None, len(lines), lines[0]["title"]) if lines else None


def _lines(text: str, delimiter: str) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        raise SourceError(f"the first line must name the columns {', '.join(COLUMNS)}", code="not-csv-list")
    yield from ({key: value for key, value in line.items() if key and value} for line in reader)
