"""The doctor's look at encryption: whether what is stored can be read, and whether a key may go."""

from workers.operators.encryption import Encryption
from workers.operators.finding import Finding, advice, ok, trouble

CHECK = "encryption"


def encryption_finding(seen: Encryption) -> Finding:
    """Return what can be said of the keys and of what lies under them."""
    others = seen.sample.under_others(seen.key)
    missing = sorted(others.keys() - {"", *seen.keys})
    if missing:
        return trouble(
            CHECK,
            f"Events or documents are encrypted under {_keys(missing)}, which this command was not "
            "given. A process that lacks it answers 503 and leaves such events pending.",
            "Add it to ONFILE_ENCRYPTION_KEYS again, behind the first, for every process; all goes "
            "on by itself. If only this command lacks it, run it with the workers' settings.",
        )
    if seen.sample.damaged:
        return trouble(
            CHECK,
            f"{seen.sample.damaged} events or documents cannot be decrypted: they are damaged, or "
            "somebody put them where they do not belong.",
            "Find out who writes to the store. onfile rebuild --check names the documents; take "
            "them out of the store, and make them anew: onfile replay --all, onfile reconcile "
            "--repair.",
        )
    if others:
        return advice(
            CHECK,
            f"{others.total()} of {seen.sample.total} events and documents looked at are not "
            f"{_as_wanted(seen)}.",
            "When every process has the setting as it is here: onfile reencrypt.",
        )
    if len(seen.keys) > (1 if seen.key else 0):
        return _spare(seen)
    return ok(CHECK, f"All that was looked at is {_as_wanted(seen)}.")


def _spare(seen: Encryption) -> Finding:
    spare = _keys([key for key in seen.keys if key != seen.key])
    if seen.completed and seen.completed.key == seen.key:
        return advice(
            CHECK,
            f"Nothing needs {spare} any more.",
            "Take it out of ONFILE_ENCRYPTION_KEYS, and keep it for as long as you keep backups.",
        )
    return advice(
        CHECK,
        f"All that was looked at is {_as_wanted(seen)}, but there is {spare} as well.",
        "onfile reencrypt looks at everything and says whether it may go.",
    )


def _as_wanted(seen: Encryption) -> str:
    return f"encrypted under key {seen.key}" if seen.key else "unencrypted"


def _keys(ids: list[str]) -> str:
    return f"key{'s' if len(ids) > 1 else ''} {', '.join(ids)}"
