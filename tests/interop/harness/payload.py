"""Frames that say by themselves whether they arrived whole.

From 40 bytes on: SHA-256 of the rest (32), sequence (4), size (4), random body. A frame of one byte
carries its sequence alone. `js/payload.js` is the same for browsers.
"""

import hashlib
import os
import struct
from dataclasses import dataclass

DIGEST_BYTES = 32
HEADER = struct.Struct(">II")
SIZE_MIN = DIGEST_BYTES + HEADER.size


def make(sequence: int, size: int) -> bytes:
    """A frame of this size; 1 or at least 40 bytes."""
    if size == 1:
        return bytes([sequence & 0xFF])
    if size < SIZE_MIN:
        raise ValueError(f"no room for a digest in {size} bytes")
    rest = HEADER.pack(sequence, size) + os.urandom(size - SIZE_MIN)
    return hashlib.sha256(rest).digest() + rest


@dataclass(frozen=True)
class Verdict:
    """What a received frame says about itself."""

    sequence: int
    size: int
    intact: bool


def inspect(payload: bytes) -> Verdict:
    """Reads a frame back."""
    size = len(payload)
    if size == 1:
        return Verdict(payload[0], size, True)
    if size < SIZE_MIN:
        return Verdict(-1, size, False)
    rest = memoryview(payload)[DIGEST_BYTES:]
    sequence, told = HEADER.unpack_from(rest)
    intact = told == size and hashlib.sha256(rest).digest() == payload[:DIGEST_BYTES]
    return Verdict(sequence, size, intact)
