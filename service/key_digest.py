"""A key as it is configured, itself or its SHA-256, and the digest by which alone keys compare.

`sha256:live:<hex>` and `sha256:test:<hex>` stand for API keys of that mode, `sha256:<hex>` for the
operators' key: what holds the settings then holds nothing that opens anything. A slow hash would
add nothing, since keys are random and long, and would cost every query milliseconds.
"""

import re
from hashlib import sha256

MODES = ("live", "test")

HASH_PREFIX = "sha256:"

_HASHED = re.compile(r"sha256:(?:(live|test):)?([0-9a-f]{64})")


def digest_of(configured: str) -> bytes:
    """Return the digest of the key that this text stands for.

    Digests have one length, so that comparing them tells nothing of the keys' lengths.
    """
    hashed = _HASHED.fullmatch(configured)
    return bytes.fromhex(hashed[2]) if hashed else digest(configured)


def digest(key: str) -> bytes:
    """Return the digest of a key that somebody gave."""
    return sha256(key.encode()).digest()


def mode_of(configured: str) -> str:
    """Return the mode that an API key reads; empty when it does not tell, or tells both."""
    if configured.startswith(HASH_PREFIX):
        hashed = _HASHED.fullmatch(configured)
        return (hashed and hashed[1]) or ""
    modes = [mode for mode in MODES if f"_{mode}_" in configured]
    return modes[0] if len(modes) == 1 else ""


def is_broken_hash(configured: str) -> bool:
    """Say whether the text begins as a hash and is none: taken for a key it would open."""
    return configured.startswith(HASH_PREFIX) and not _HASHED.fullmatch(configured)
