"""How payloads and datasets are kept: JSON, compressed with Zstandard."""

from __future__ import annotations

import threading
from typing import Any

import orjson
import zstandard

from harvester import jsonio
from harvester.catalogue.trusted import trusted
from harvester.model import Dataset

_LEVEL = 3
_LARGEST = 1 << 30
_local = threading.local()


def pack(value: Any) -> bytes:
    """Any JSON value, compressed."""
    return squeeze(jsonio.dumps(value))


def unpack(blob: bytes) -> Any:
    """The JSON value that was packed."""
    return jsonio.loads(expand(blob))


def squeeze(raw: bytes) -> bytes:
    """Compressed bytes; one compressor per thread, they must not be shared."""
    compressor = getattr(_local, "compressor", None)
    if compressor is None:
        compressor = _local.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    packed: bytes = compressor.compress(raw)
    return packed


def expand(blob: bytes) -> bytes:
    """What was squeezed."""
    decompressor = getattr(_local, "decompressor", None)
    if decompressor is None:
        decompressor = _local.decompressor = zstandard.ZstdDecompressor()
    raw: bytes = decompressor.decompress(blob, max_output_size=_LARGEST)
    return raw


def dataset_json(dataset: Dataset) -> bytes:
    """The stored form of a dataset; defaults left out, so that a new field of the model changes no hash."""
    return orjson.dumps(dataset.model_dump(exclude_defaults=True), option=orjson.OPT_SORT_KEYS)


def load_dataset(blob: bytes) -> Dataset:
    """The dataset as it was normalised."""
    return trusted(orjson.loads(expand(blob)))
