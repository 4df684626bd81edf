"""What an update changed, as `previous_attributes` tells it; and Stripe's order of keys."""

from service.sandbox.errors import Json


def previous_attributes(old: Json, new: Json) -> Json:
    """Return the old values of what differs.

    A nested hash gives only its changed keys, a changed array comes whole, and a key that was not
    there before is null.
    """
    before: Json = {}
    for key in {**old, **new}:
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        if isinstance(was, dict) and isinstance(now, dict):
            before[key] = previous_attributes(was, now)
        else:
            before[key] = was
    return before


def in_order(fields: Json) -> Json:
    """Return an object with its keys as Stripe orders them: id, object, then by name."""
    first = {key: fields[key] for key in ("id", "object")}
    return first | {key: fields[key] for key in sorted(fields)}
