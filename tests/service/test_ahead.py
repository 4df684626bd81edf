"""Commands sent ahead: all are answered, in order, and nobody else gets a reply that is left."""

from typing import TYPE_CHECKING

import redis

from service.ahead import Ahead

if TYPE_CHECKING:
    from tests.conftest import Store


def test_what_is_sent_is_done_before_its_reply_is_asked_for(store: "Store") -> None:
    client, other = store.client(), store.client()
    with Ahead(client) as ahead:
        ahead.send("SET", "key", b"1")
        ahead.send("BLPOP", "said", 0)
        other.rpush("said", "go")
        assert ahead.replies() == [b"OK", [b"said", b"go"]]
        ahead.send("GET", "key")
        assert ahead.replies() == [b"1"]


def test_an_error_that_the_store_replies_is_the_reply_of_its_command_alone(store: "Store") -> None:
    with Ahead(store.client()) as ahead:
        ahead.send("SET", "key", "text")
        ahead.send("INCR", "key")
        ahead.send("GET", "key")
        replies = ahead.replies()
    assert isinstance(replies.pop(1), redis.ResponseError)
    assert replies == [b"OK", b"text"]


def test_replies_that_nobody_read_go_to_nobody_else(store: "Store") -> None:
    client = store.client()
    with Ahead(client) as ahead:
        ahead.send("ECHO", "mine")
    assert client.echo("yours") == b"yours"


def test_who_sends_nothing_needs_no_store() -> None:
    with Ahead(redis.Redis(port=1)) as ahead:
        assert ahead.replies() == []
