"""The doctor's look at a store: whether it keeps what it is given."""

from service.stores import UNKNOWN
from workers.operators.finding import Finding, advice, ok, trouble
from workers.operators.store_state import StoreState

FULL_SHARE = 0.85
"""Of its memory; a burst and the files' rewriting need the rest."""

SKEW_SECONDS = 5.0
"""Signatures bear five minutes; beyond this somebody's clock is no longer set by anybody."""

MIB_BYTES = 1024 * 1024


def store_findings(store: StoreState, *, tolerance_seconds: int) -> list[Finding]:
    """Return what can be said of one node."""
    return [
        _eviction(store),
        _append_only(store),
        _fsync(store),
        _last_write(store),
        _memory(store),
        _clock(store, tolerance_seconds),
    ]


def _eviction(store: StoreState) -> Finding:
    check, policy = "store.eviction", store.maxmemory_policy
    if policy == UNKNOWN:
        return advice(
            check,
            f"{store.name} does not say what it does when memory is short.",
            "Look it up at whoever runs it: its maxmemory-policy must be noeviction.",
        )
    if policy != "noeviction":
        return trouble(
            check,
            f"{store.name} throws data away when memory is short: maxmemory-policy is {policy}.",
            "CONFIG SET maxmemory-policy noeviction, and the same in its configuration file.",
        )
    return ok(check, f"{store.name} never throws data away (noeviction).")


def _append_only(store: StoreState) -> Finding:
    check = "store.append_only"
    if store.appendonly == UNKNOWN:
        return advice(
            check,
            f"{store.name} does not say whether it keeps an append-only file.",
            "Look it up at whoever runs it: without one, what was acknowledged is lost when it "
            "stops.",
        )
    if store.appendonly != "yes":
        return trouble(
            check,
            f"{store.name} keeps no append-only file: what was acknowledged is lost when it stops.",
            "CONFIG SET appendonly yes, and the same in its configuration file.",
        )
    return ok(check, f"{store.name} keeps an append-only file.")


def _fsync(store: StoreState) -> Finding:
    check = "store.fsync"
    if store.appendfsync == UNKNOWN:
        return advice(
            check,
            f"{store.name} does not say when it writes to disk.",
            "Look it up at whoever runs it: its appendfsync must be always for 200 to mean kept.",
        )
    if store.appendfsync != "always":
        return trouble(
            check,
            f"{store.name} loses its last moments when its machine stops: appendfsync is "
            f"{store.appendfsync}.",
            "CONFIG SET appendfsync always, and the same in its configuration file.",
        )
    return ok(check, f"{store.name} writes to disk before it acknowledges.")


def _last_write(store: StoreState) -> Finding:
    check = "store.disk"
    if not store.last_write_ok:
        return trouble(
            check,
            f"{store.name} could not write to its disk the last time.",
            "Look at its log and at the free space of its disk.",
        )
    return ok(check, f"{store.name} could write to its disk the last time.")


def _memory(store: StoreState) -> Finding:
    check = "store.memory"
    bounds = [limit for limit in (store.max_bytes, store.machine_bytes) if limit]
    used = f"{store.used_bytes / MIB_BYTES:,.0f} MiB"
    if not bounds:
        return ok(check, f"{store.name} uses {used} and does not say of how much.")
    limit = min(bounds)
    share = f"{used} of {limit / MIB_BYTES:,.0f} MiB ({store.used_bytes / limit:.0%})"
    if store.used_bytes > FULL_SHARE * limit:
        return trouble(
            check,
            f"{store.name} uses {share}: when it is full it takes no events and deliveries "
            "get 503.",
            "Give it more memory (maxmemory, or a larger machine), or keep events for less long "
            "(ONFILE_RETENTION_DAYS).",
        )
    return ok(check, f"{store.name} uses {share}.")


def _clock(store: StoreState, tolerance_seconds: int) -> Finding:
    check, skew = "clock", abs(store.clock_ahead_seconds)
    if skew <= SKEW_SECONDS:
        return ok(check, f"{store.name} has the same time as this machine.")
    which = "ahead of" if store.clock_ahead_seconds > 0 else "behind"
    return trouble(
        check,
        f"{store.name} has a clock that is {skew:.0f} seconds {which} this machine's: one of them "
        f"is wrong, and deliveries are refused once a web process is {tolerance_seconds} seconds "
        "off.",
        "Let NTP (chrony, systemd-timesyncd) set the clocks of all machines.",
    )
