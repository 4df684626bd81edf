"""Addresses of stores that move."""

from service import sentinels


def test_an_address_says_whom_to_ask_for_whom_and_who_asks() -> None:
    read = sentinels.read("rediss+sentinel://us%40er:p%2Fw@h1:1,[::1]:2,h3/primary/4")
    assert read == sentinels.Sentinels(
        hosts=[("h1", 1), ("::1", 2), ("h3", 26379)],
        name="primary",
        credentials={"db": 4, "username": "us@er", "password": "p/w"},
        tls={"ssl": True},
    )


def test_without_more_it_is_database_0_and_no_password() -> None:
    read = sentinels.read("redis+sentinel://h/primary")
    assert read is not None
    assert (read.credentials, read.tls) == ({"db": 0}, {})


def test_any_other_address_names_the_store_itself() -> None:
    assert sentinels.read("redis://h1:6379/0") is None
