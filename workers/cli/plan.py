"""What `onfile up` will run with: what the environment gives, what the folder keeps, what it makes.

A secret that nobody gave is made up: it guards nothing but this machine's trials.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from service.settings import Settings
from workers.cli import embedded
from workers.cli.environment import checked, is_given

RANDOM_BYTES = 16

SECRETS = {
    "STRIPE_WEBHOOK_SECRET": "whsec_",
    "ONFILE_API_KEYS": "sk_test_",
    "ONFILE_OPS_KEY": "ops_",
}
"""Every secret there is, and how one that is made here begins."""


SANDBOX_KEY = "sk_test_onfile_sandbox"
"""What the stand-in for Stripe is asked with; no person would choose it."""

OF_SANDBOX = ("STRIPE_API_KEY", "ONFILE_STRIPE_URL")


@dataclass(frozen=True)
class Plan:
    """Settings of the processes to start, and which of them are to be kept in the folder."""

    settings: Settings
    environ: Mapping[str, str]
    """What the processes are started with."""
    made: Mapping[str, str]
    """What the environment did not give."""
    kept: Mapping[str, str]
    """What the folder is to hold: what was made, and what a person wrote there."""

    @property
    def address(self) -> str:
        """Where this machine reaches the web process."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.settings.host, self.settings.host)  # noqa: S104 (all addresses have this one)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.settings.port}"

    @property
    def webhook(self) -> str:
        """Where Stripe's events are delivered."""
        return f"{self.address}/webhooks/stripe"

    @property
    def own_store(self) -> bool:
        """Whether a store is to be started."""
        return "REDIS_URL" in self.made


def make_plan(
    given: Mapping[str, str], kept: Mapping[str, str], port: int, *, sandbox: str = ""
) -> Plan:
    """Return the plan; refused settings end the command.

    `sandbox` is the address of the stand-in for Stripe that everything is to ask: no key of the
    real one is ever shown to it.

    What the environment gives is not kept, and what was kept of it is forgotten: a command that is
    started without that environment shall not find another secret than the one in force.
    """
    made = {
        name: kept.get(name) or beginning + secrets.token_hex(RANDOM_BYTES)
        for name, beginning in SECRETS.items()
        if not is_given(name, given)
    }
    if not is_given("REDIS_URL", given):
        made["REDIS_URL"] = embedded.choose_url(kept)
    made["PORT"] = str(port)
    if kept.get("STRIPE_API_KEY") == SANDBOX_KEY:  # of an earlier run that had a stand-in
        kept = {name: value for name, value in kept.items() if name not in OF_SANDBOX}
    if sandbox:
        made |= dict(zip(OF_SANDBOX, (SANDBOX_KEY, sandbox), strict=True))
    written = {name: kept[name] for name in kept if name not in {*SECRETS, "REDIS_URL"}}
    unless_given = {name: value for name, value in kept.items() if not is_given(name, given)}
    environ = {**unless_given, **given, **made}
    return Plan(
        settings=checked(environ, "web"), environ=environ, made=made, kept={**written, **made}
    )
