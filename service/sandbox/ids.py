"""Names for new things: ids shaped as Stripe's, drawn from one seed so that a run can be had again.

An id begins with the second in which it was made and goes on with chance, so ids of one second
stand in no order. (Recorded ids look the same.)
"""

from hashlib import blake2b
from random import Random

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""In ascending ASCII, so that ids of different seconds sort by time."""

EPOCH_SECONDS = 1_342_389_380
"""With it an id made in May 2022 begins with `1KyJ`, as recorded ones do."""

TIME_CHARACTERS = 5
ACCOUNT_CHARACTERS = 10
CHANCE_CHARACTERS = 8
SHORT_CHARACTERS = 14
SECRET_CHARACTERS = 24
FINGERPRINT_CHARACTERS = 16


class Ids:
    """Where every id, secret and fingerprint of a sandbox comes from."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(f"ids {seed}")  # noqa: S311 (nothing here guards anything)
        self._account = self._letters(ACCOUNT_CHARACTERS)

    def of_second(self, prefix: str, second: int) -> str:
        """Return a new id like `card_1KyJALJgUOch852BsXqaCsfO`."""
        return f"{prefix}_1{_time(second)}{self._account}{self._letters(CHANCE_CHARACTERS)}"

    def short(self, prefix: str) -> str:
        """Return a new id like `req_wH4ENpoh6DQvaO`."""
        return f"{prefix}_{self._letters(SHORT_CHARACTERS)}"

    def client_secret(self) -> str:
        """Return a new secret of a Source."""
        return f"src_client_secret_{self._letters(SECRET_CHARACTERS)}"

    def invoice_prefix(self) -> str:
        """Return what a new customer's invoice numbers begin with."""
        return f"{self._chance.getrandbits(32):08X}"

    def digits(self, count: int) -> str:
        """Return digits drawn by chance."""
        return "".join(self._chance.choices(ALPHABET[:10], k=count))

    def fingerprint(self, number: str) -> str:
        """Return what tells that two sources have the same number, and never the number."""
        digest = blake2b(f"{self._account} {number}".encode()).digest()
        return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:FINGERPRINT_CHARACTERS])

    def _letters(self, count: int) -> str:
        return "".join(self._chance.choices(ALPHABET, k=count))


def _time(second: int) -> str:
    left = max(0, second - EPOCH_SECONDS)
    letters = []
    for _ in range(TIME_CHARACTERS):
        left, digit = divmod(left, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return "".join(reversed(letters))
