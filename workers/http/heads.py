"""The head of a request: how large it is, and how it reads without what is ignored."""

import httptools

from workers.http.scopes import Headers

HEADER_BYTES = 4
"""What stands around the name and the value of a header."""


def head_size(url: bytes, headers: Headers) -> int:
    """Return about how many bytes it took."""
    return len(url) + sum(len(name) + len(value) + HEADER_BYTES for name, value in headers)


def without_offer(parser: httptools.HttpRequestParser, url: bytes, headers: Headers) -> bytes:
    """Return the head the parser has just read without its offer to speak another protocol.

    It may be ignored (RFC 9110, 7.8). The parser takes what follows for that protocol, also a body
    that is none of it: so the head is read once more.
    """
    line = b"%b %b HTTP/%b\r\n" % (parser.get_method(), url, parser.get_http_version().encode())
    kept = (one for one in headers if one[0] != b"upgrade")
    return b"%b%b\r\n" % (line, b"".join(b"%b: %b\r\n" % one for one in kept))
