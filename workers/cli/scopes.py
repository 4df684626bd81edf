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

    Raises httptools.HttpParserError or ValueError for a URL that is none.
    """
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return {
        **common,
        "http_version": parser.get_http_version(),
        "method": parser.get_method().decode("ascii"),
        "path": unquote(path) if "%" in path else path,
        "raw_path": parsed.path,
        "query_string": parsed.query or b"",
        "headers": headers,
        "state": {},
    }


def _address(transport: asyncio.BaseTransport, which: str) -> tuple[str, int] | None:
    """Return an address and port of a connection; None where it has none of the kind."""
    address = transport.get_extra_info(which)
    return address[:2] if isinstance(address, tuple) else None
