"""Sealing: what was sealed is opened in its place, under its key, whole; and in no other case."""

import base64
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import sealing
from service.compression import LackingError, UnreadableError, compress
from service.sealing import Keyring, MissingKeyError, NewerFormError

KEY, OTHER = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
PLACE = b"document\0onfile:c:{test::cus_1}"


@pytest.fixture(autouse=True)
def nothing_stays_in_force() -> Iterator[None]:
    yield
    sealing.use(())


@given(plain=st.binary(max_size=2000), place=st.binary(max_size=100))
def test_what_was_sealed_is_opened_and_shows_nothing(plain: bytes, place: bytes) -> None:
    sealed = Keyring([KEY]).seal(plain, place)
    assert Keyring([OTHER, KEY]).unseal(sealed, place) == plain
    assert sealing.is_sealed(sealed)
    assert len(sealed) == len(plain) + 34
    assert len(plain) < 4 or plain not in sealed


def test_the_same_is_never_sealed_alike() -> None:
    keyring = Keyring([KEY])
    assert len({keyring.seal(b"zoe@example.org", PLACE) for _ in range(1000)}) == 1000


def test_it_opens_in_no_other_place() -> None:
    keyring = Keyring([KEY])
    with pytest.raises(UnreadableError, match="for another place"):
        keyring.unseal(keyring.seal(b"{}", PLACE), PLACE + b"1")


def test_no_bit_of_it_can_be_another() -> None:
    keyring = Keyring([KEY])
    sealed = keyring.seal(b'{"email": "zoe@example.org"}', PLACE)
    for at in range(1, len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[at] ^= 1 << bit
            with pytest.raises(UnreadableError):
                keyring.unseal(bytes(changed), PLACE)


def test_no_part_of_it_opens() -> None:
    keyring = Keyring([KEY])
    sealed = keyring.seal(b"{}", PLACE)
    for length in range(1, len(sealed)):
        with pytest.raises(UnreadableError):
            keyring.unseal(sealed[:length], PLACE)


def test_a_missing_key_is_named_by_its_id_and_no_fault_of_the_bytes() -> None:
    sealed = Keyring([KEY]).seal(b"{}", PLACE)
    for keyring in (Keyring(), Keyring([OTHER])):
        with pytest.raises(MissingKeyError, match=Keyring([KEY]).key_id) as missing:
            keyring.unseal(sealed, PLACE)
        assert isinstance(missing.value, LackingError)


def test_a_newer_form_asks_for_a_newer_version() -> None:
    sealed = bytearray(Keyring([KEY]).seal(b"{}", PLACE))
    sealed[1] += 1
    with pytest.raises(NewerFormError, match="newer version"):
        Keyring([KEY]).unseal(bytes(sealed), PLACE)


@pytest.mark.parametrize("plain", [b'{"id": "evt_1"}', compress(b'{"id": "evt_1"}'), b""])
def test_what_was_stored_before_is_read_under_any_setting(plain: bytes) -> None:
    for keyring in (Keyring(), Keyring([KEY]), Keyring(["none", KEY])):
        assert keyring.unseal(plain, PLACE) == plain


def test_nothing_plain_begins_as_what_is_sealed() -> None:
    assert not compress(b'{"id": "evt_1"}').startswith(sealing.MARK)
    assert not compress(b"\x92\x01").startswith(sealing.MARK)


def test_none_in_the_first_place_seals_nothing_and_opens_what_is() -> None:
    keyring = Keyring(["none", KEY])
    assert keyring.seal(b"{}", PLACE) == b"{}"
    assert keyring.unseal(Keyring([KEY]).seal(b"{}", PLACE), PLACE) == b"{}"
    assert (keyring.key_id, keyring.key_ids) == ("", [Keyring([KEY]).key_id])


def test_no_key_is_shown_by_what_is_made_of_it() -> None:
    secret = base64.b64decode(KEY)
    keyring = Keyring([KEY])
    sealed = keyring.seal(b"{}", PLACE)
    for shown in (repr(keyring), str(vars(keyring)), sealed.hex(), str(keyring.digest_keys)):
        assert KEY not in shown
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


def test_digests_are_keyed_first_with_what_seals_and_with_all_that_may_have_sealed() -> None:
    of_key, plain = Keyring([KEY]).digest_keys
    assert plain == b""
    assert Keyring().digest_keys == (b"",)
    assert Keyring(["none", KEY]).digest_keys == (b"", of_key)
    assert Keyring([OTHER, KEY]).digest_keys[1:] == (of_key, b"")
    assert of_key not in {b"", base64.b64decode(KEY)}
