"""What an application is told of a request: its scope, in the words of ASGI."""

import asyncio
from collections.abc import MutableMapping
from typing import Any, TypeAlias
from urllib.parse import unquote

import httptools

Scope: TypeAlias = MutableMapping[str, Any]
Headers: TypeAlias = list[tuple[bytes, bytes]]


def connection_scope(transport: asyncio.BaseTransport) -> Scope:
    """Return what all requests of a connection have in common."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "scheme": "http",
        "root_path": "",
        "client": _address(transport, "peername"),
        "server": _address(transport, "sockname"),
    }


def request_scope(
    common: Scope, parser: httptools.HttpRequestParser, url: bytes, headers: Headers
) -> Scope:
    """Return the scope of the request whose head the parser has just read.

    Raises httptools.HttpParserError or ValueError for a URL that is none, and where HTTP/1.1 wants
    one host to be named and it is not (RFC 9112, 3.2).
    """
    version = parser.get_http_version()
    if version == "1.1" and [name for name, _ in headers].count(b"host") != 1:
        raise ValueError("one Host header is needed")
    parsed = httptools.parse_url(url)
    raw_path = parsed.path or b"/"
    path = raw_path.decode("ascii")
    return {
        **common,
        "http_version": version,
        "method": parser.get_method().decode("ascii"),
        "path": unquote(path) if "%" in path else path,
        "raw_path": raw_path,
        "query_string": parsed.query or b"",
        "headers": headers,
        "state": {},
    }


def _address(transport: asyncio.BaseTransport, which: str) -> tuple[str, int] | None:
    """Return an address and port of a connection; None where it has none of the kind."""
    address = transport.get_extra_info(which)
    return address[:2] if isinstance(address, tuple) else None
