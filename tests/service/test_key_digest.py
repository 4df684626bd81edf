from hashlib import sha256

import pytest

from service.key_digest import digest, digest_of, is_broken_hash, mode_of

KEY = "sk_live_51H8xMnOpQrStUvWxYz0"
HEX = sha256(KEY.encode()).hexdigest()


@pytest.mark.parametrize("configured", [KEY, f"sha256:live:{HEX}", f"sha256:{HEX}"])
def test_a_key_and_its_hash_stand_for_the_same(configured: str) -> None:
    assert digest_of(configured) == digest(KEY)


def test_a_hash_is_not_itself_a_key() -> None:
    configured = f"sha256:live:{HEX}"
    assert digest(configured) != digest_of(configured)
    assert digest(HEX) != digest_of(configured)


@pytest.mark.parametrize(
    ("configured", "mode"),
    [
        (KEY, "live"),
        ("rk_test_1", "test"),
        ("sk_live_test_1", ""),
        ("sk_1", ""),
        (f"sha256:live:{HEX}", "live"),
        (f"sha256:test:{HEX}", "test"),
        (f"sha256:{HEX}", ""),
        ("sha256:sk_live_51H8xMnOpQrStUvWxYz0", ""),
    ],
)
def test_the_mode_is_in_the_text(configured: str, mode: str) -> None:
    assert mode_of(configured) == mode


@pytest.mark.parametrize(
    "text", ["sha256:", f"sha256:{HEX[:-1]}", f"sha256:{HEX.upper()}", f"sha256:live{HEX}"]
)
def test_what_only_begins_as_a_hash_is_known_as_broken(text: str) -> None:
    assert is_broken_hash(text)
    assert not is_broken_hash(f"sha256:live:{HEX}")
    assert not is_broken_hash(KEY)
