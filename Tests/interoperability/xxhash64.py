"""XXH64 of the xxHash specification, which the tool's checksums are made with."""

from __future__ import annotations

import struct

PRIMES = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
MASK = (1 << 64) - 1


def rotate(value: int, count: int) -> int:
    return (value << count | value >> (64 - count)) & MASK


def mixed(lane: int, word: int) -> int:
    return rotate((lane + word * PRIMES[1]) & MASK, 31) * PRIMES[0] & MASK


def stripes(data: bytes) -> int:
    lanes = [PRIMES[0] + PRIMES[1] & MASK, PRIMES[1], 0, -PRIMES[0] & MASK]
    for words in struct.iter_unpack("<4Q", data):
        lanes = [mixed(lane, word) for lane, word in zip(lanes, words, strict=True)]
    value = sum(rotate(lane, n) for lane, n in zip(lanes, (1, 7, 12, 18), strict=True)) & MASK
    for lane in lanes:
        value = ((value ^ mixed(0, lane)) * PRIMES[0] + PRIMES[3]) & MASK
    return value


def xxh64(data: bytes) -> str:
    """16 hexadecimal digits, seed 0."""
    whole = len(data) // 32 * 32
    value = stripes(data[:whole]) if whole else PRIMES[4]
    value = (value + len(data)) & MASK
    rest = data[whole:]
    while len(rest) >= 8:
        value = rotate(value ^ mixed(0, int.from_bytes(rest[:8], "little")), 27)
        value, rest = (value * PRIMES[0] + PRIMES[3]) & MASK, rest[8:]
    if len(rest) >= 4:
        value ^= int.from_bytes(rest[:4], "little") * PRIMES[0] & MASK
        value, rest = (rotate(value, 23) * PRIMES[1] + PRIMES[2]) & MASK, rest[4:]
    for byte in rest:
        value = rotate(value ^ byte * PRIMES[4] & MASK, 11) * PRIMES[0] & MASK
    value = (value ^ value >> 33) * PRIMES[1] & MASK
    value = (value ^ value >> 29) * PRIMES[2] & MASK
    return f"{value ^ value >> 32:016x}"
