"""What a client is told whose request never reaches the application."""

from collections.abc import Iterable
from http import HTTPStatus

import msgspec

SERVER_ERROR = HTTPStatus.INTERNAL_SERVER_ERROR

MESSAGES = {
    HTTPStatus.BAD_REQUEST: "This is not a request of HTTP/1.1, or it does not name one host.",
    HTTPStatus.REQUEST_TIMEOUT: "The request did not come whole in time. Send it again, faster.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The URL and the headers are too large.",
    HTTPStatus.SERVICE_UNAVAILABLE: "There are too many connections. Send it again later.",
}


def refusal(status: HTTPStatus, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a whole answer with these headers and its own, and the last on its connection."""
    error = {
        "type": "invalid_request_error" if status < SERVER_ERROR else "api_error",
        "code": status.name.lower(),
        "message": MESSAGES[status],
    }
    body = msgspec.json.encode({"error": error})
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n"
    )
    return b"%b%b\r\n%b" % (head.encode(), b"".join(b"%b: %b\r\n" % one for one in headers), body)
