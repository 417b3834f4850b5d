"""What the blocks of one document say of the nodes they share: whoever comes first describes a node under its IRI.

The digests that a block asked for are kept with it, so that a copy of it fits a document only where all of them are
answered as they were when it was written.
"""

from __future__ import annotations

import struct
from hashlib import blake2b

# IRI -> the digest of its description; both as numbers and bytes of fixed length: a document has millions.
Shared = dict[int, bytes]
DIGEST = 9
# Beyond this, what a long document says of shared nodes is no longer compared.
MOST = 400_000
_ENTRY = struct.Struct(f"<Q{DIGEST}s?")


class Claims:
    """What one block asks to say of shared nodes, beside what the rest of the document says."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._new: Shared = {}
        self._asked: dict[tuple[int, bytes], bool] = {}

    def hold(self, iri: str, digest: bytes) -> bool:
        """Whether the node may be described so; the first description of it is the one that counts."""
        return self._hold(_key(iri), digest)

    def _hold(self, key: int, digest: bytes) -> bool:
        before = self._shared.get(key) or self._new.setdefault(key, digest)
        self._asked[key, digest] = before == digest
        return before == digest

    def settle(self) -> None:
        """The rest of the document goes by them from now on."""
        if len(self._shared) > MOST:
            self._shared.clear()
        self._shared.update(self._new)

    def packed(self) -> bytes:
        """All that was asked, and how it was answered."""
        return b"".join(_ENTRY.pack(key, digest, held) for (key, digest), held in self._asked.items())

    @classmethod
    def unpacked(cls, shared: Shared, packed: bytes) -> Claims | None:
        """The claims of a block that is copied; None where this document answers one of them otherwise."""
        claims = cls(shared)
        sound = len(packed) % _ENTRY.size == 0
        for key, digest, held in _ENTRY.iter_unpack(packed) if sound else ():
            sound = sound and claims._hold(key, digest) is held
        return claims if sound else None


def _key(iri: str) -> int:
    """The same in every process, unlike `hash`."""
    return int.from_bytes(blake2b(iri.encode("utf-8", "replace"), digest_size=8).digest(), "little")
