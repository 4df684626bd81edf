"""Stripe's API, for reading: the one module that knows Stripe's official client.

Never faster than it is told to be, and slower whenever Stripe says so. Answers are returned as the
bytes that came, so that no number is read and written anew.
"""

import logging
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from service.drop import Drop
from service.event import NotAnEventError
from service.keys import Namespace
from service.settings import Settings
from workers.asking.clock import StripeClock
from workers.asking.errors import (
    CursorError,
    ForeignAnswerError,
    KeyRefusedError,
    NoKeyError,
    NotFoundError,
    StripeReadError,
)

if TYPE_CHECKING:
    import stripe

READS_PER_SECOND = 20.0
"""Stripe allows a hundred a second in live mode and a quarter of that in test mode; whoever serves
customers needs most of them."""

TIMEOUT_SECONDS = 20.0
NETWORK_RETRIES = 3
"""Made by the official client, each later than the one before."""

LIMITED_TRIES = 8
PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
"""Between tries when Stripe says that there were too many, unless it says how long to wait."""

TOO_MANY, NOT_FOUND, BAD_REQUEST = 429, 404, 400
REFUSED = (401, 403)


class Answer(NamedTuple):
    """What Stripe answered."""

    body: bytes
    asked_at: float
    """Unix time by Stripe's clock, at the latest when the request was first sent."""


class StripeApi:
    """Reads of one account in one mode; to be used by one thread."""

    def __init__(
        self,
        settings: Settings,
        namespace: Namespace,
        *,
        api_version: str = "",
        per_second: float = READS_PER_SECOND,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make a client; nothing is asked yet.

        `api_version` is how objects are to be rendered; empty for as the client's makers thought.

        Raises:
            NoKeyError: the settings have no key of this mode, or the client is not installed.

        """
        self.namespace = namespace
        self.api_version = api_version
        self._client = _client(settings, namespace, api_version)
        self._drop = Drop(settings.drop_fields)
        self._clock = StripeClock()
        self._pause = 1 / per_second
        self._sleep = sleep
        self._due = 0.0

    def get(self, path: str, **parameters: Any) -> Answer:  # noqa: ANN401 - as the client takes them
        """Return what Stripe answers to a GET, without what is dropped.

        Raises:
            NotFoundError, CursorError, KeyRefusedError, ForeignAnswerError: as they say.
            StripeReadError: Stripe is away, or keeps saying that there were too many requests.

        """
        asked_at = self.now()
        body = self._ask(path, parameters)
        try:
            return Answer(self._drop(body), asked_at)
        except NotAnEventError:
            raise ForeignAnswerError from None

    def now(self) -> float:
        """Return the unix time that Stripe's clock has reached for certain; asks if it must."""
        if not self._clock.knows:
            self._ask("/v1/customers", {"limit": 1})
        return self._clock.at(time.monotonic())

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._sleep(max(0.0, seconds))

    def _ask(self, path: str, parameters: dict[str, Any]) -> bytes:
        import stripe  # noqa: PLC0415 - see _client

        for tried in range(LIMITED_TRIES):
            self._keep_pace()
            try:
                response: Any = self._client.raw_request("get", path, **parameters)
            except UnicodeDecodeError:
                raise ForeignAnswerError from None
            except stripe.StripeError as error:
                if error.http_status != TOO_MANY:
                    raise _in_our_words(error) from None
                self._sleep(_told_to_wait(error.headers or {}, tried))
            else:
                self._note_time(response.headers)
                return str(response.body).encode()
        raise StripeReadError(
            "Stripe keeps saying that there are too many requests. What is done is kept; try "
            "again later, or with a lower --rate."
        )

    def _keep_pace(self) -> None:
        self.wait(self._due - time.monotonic())
        self._due = time.monotonic() + self._pause

    def _note_time(self, headers: Any) -> None:  # noqa: ANN401 - any mapping
        received = time.monotonic()
        try:
            date = parsedate_to_datetime(headers["Date"]).timestamp()
        except (KeyError, ValueError):
            raise StripeReadError(
                "Stripe's answer has no Date header, without which nobody knows how old a read is. "
                "Whatever stands at ONFILE_STRIPE_URL must pass it on."
            ) from None
        self._clock.heard(date, received=received)


def _client(settings: Settings, namespace: Namespace, api_version: str) -> "stripe.StripeClient":
    keys = [key for key in settings.stripe_keys if f"_{namespace.mode}_" in key]
    if not keys:
        raise NoKeyError(
            f"There is no key to ask Stripe with: STRIPE_API_KEY has none of {namespace.mode} "
            "mode. Make a restricted key (rk_…) in Stripe's dashboard that may read Customers, "
            "Sources and Events, and set STRIPE_API_KEY to it."
        )
    try:
        import stripe  # noqa: PLC0415 - half a second and much memory, which most processes save
    except ImportError:
        raise NoKeyError(
            "Stripe's official client is not installed: pip install 'onfile[stripe]'"
        ) from None
    # its lines at level info tell of each request, those at debug show whole objects
    logging.getLogger("stripe").setLevel(logging.WARNING)
    return stripe.StripeClient(
        keys[0],
        stripe_account=namespace.account or None,
        stripe_version=api_version or None,
        base_addresses={"api": settings.stripe_url},
        max_network_retries=NETWORK_RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )


def _told_to_wait(headers: Any, tried: int) -> float:  # noqa: ANN401 - any mapping
    """Return how long Stripe says to wait; where it does not, longer from time to time."""
    told: str = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    if told.isdecimal():
        return min(float(told), LONGEST_PAUSE_SECONDS)
    return float(min(PAUSE_SECONDS * 2**tried, LONGEST_PAUSE_SECONDS))


def _in_our_words(error: "stripe.StripeError") -> StripeReadError:
    said = error.user_message or type(error).__name__
    if error.http_status in REFUSED:
        return KeyRefusedError(
            f"Stripe refuses the key in STRIPE_API_KEY: {said} It must be of this mode and "
            "account, and may read Customers, Sources and Events."
        )
    if error.http_status == NOT_FOUND:
        return NotFoundError(said)
    if error.http_status == BAD_REQUEST and getattr(error, "param", None) == "starting_after":
        return CursorError(said)
    if error.http_status is None:
        return StripeReadError(
            f"Stripe cannot be reached: {type(error).__name__}. Look at the network, and at "
            "ONFILE_STRIPE_URL if it is set. What is done is kept; run this again."
        )
    return StripeReadError(f"Stripe answered {error.http_status}: {said}")
