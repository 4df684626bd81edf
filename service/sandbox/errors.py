"""Every refusal in Stripe's words: a status, {"error": {"type", "code", "message", "param"}}."""

from http import HTTPStatus
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object. One that has been stored or told is never changed, only replaced."""


class StripeError(Exception):
    """Stripe refuses; `code`, `param` and `decline_code` are left out where Stripe has none.

    What the operation wrote is dropped, unless `keeps_draft` (a failed attempt counts).
    """

    def __init__(  # noqa: PLR0913 (the fields of Stripe's error object)
        self,
        message: str,
        *,
        status: int = HTTPStatus.BAD_REQUEST,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        decline_code: str = "",
        keeps_draft: bool = False,
    ) -> None:
        super().__init__(message)
        self.keeps_draft = keeps_draft
        self.status = int(status)
        self.code = code
        self.body: Json = {
            "error": {
                name: value
                for name, value in (
                    ("code", code),
                    ("decline_code", decline_code),
                    ("message", message),
                    ("param", param),
                    ("type", kind),
                )
                if value
            }
        }

    @property
    def before_execution(self) -> bool:
        """Whether the parameters alone were refused: an idempotency key does not remember that."""
        return self.code.startswith("parameter_")


def missing(kind: str, object_id: str) -> StripeError:
    """Return the refusal of an id in the path that names nothing."""
    return StripeError(
        f"No such {kind}: '{object_id}'",
        status=HTTPStatus.NOT_FOUND,
        code="resource_missing",
        param="id",
    )


def missing_parameter(kind: str, object_id: str, param: str) -> StripeError:
    """Return the refusal of an id in a parameter that names nothing."""
    return StripeError(f"No such {kind}: '{object_id}'", code="resource_missing", param=param)


def card_error(message: str, code: str, *, param: str = "", decline_code: str = "") -> StripeError:
    """Return the refusal of a card."""
    return StripeError(
        message,
        status=HTTPStatus.PAYMENT_REQUIRED,
        kind="card_error",
        code=code,
        param=param,
        decline_code=decline_code,
    )
