"""Why Stripe did not answer what was asked."""


class StripeReadError(Exception):
    """Stripe did not answer what was asked; the message says why and what to do."""


class NoKeyError(StripeReadError):
    """There is no key for this mode, or no client to use it with."""


class KeyRefusedError(StripeReadError):
    """Stripe does not take the key, or the key may not read this."""


class NotFoundError(StripeReadError):
    """Stripe knows no such object under this key."""


class CursorError(StripeReadError):
    """The object that a list was to go on after has gone."""


class ForeignAnswerError(StripeReadError):
    """What came is no answer of Stripe's."""

    def __init__(self) -> None:
        super().__init__(
            "What was answered is nothing that Stripe says. Look at what stands between, and at "
            "ONFILE_STRIPE_URL if it is set. What is done is kept; run this again."
        )
