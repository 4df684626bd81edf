"""What would lose data, let somebody in or hold events up; and how to mend each."""

from collections.abc import Collection

from service.watch.secret_use import webhook_secrets
from workers.operators.desk import Desk
from workers.operators.door_checks import door_findings
from workers.operators.encryption_checks import encryption_finding
from workers.operators.finding import Finding
from workers.operators.secret_checks import secret_findings
from workers.operators.status import status
from workers.operators.store_checks import store_findings
from workers.operators.work_checks import work_findings

_ORDER = {"trouble": 0, "advice": 1, "ok": 2}


def examine(desk: Desk, *, made: Collection[str] = ()) -> list[Finding]:
    """Return what every check found, the worst first.

    `made` are the secrets that `onfile up` made for development.
    """
    seen = status(desk, sample_seconds=0)
    settings = desk.settings
    found = [
        *door_findings(settings),
        *work_findings(seen, desk.log, retention_days=settings.retention_days),
        *secret_findings(settings, made, webhook_secrets(desk.log)),
        encryption_finding(seen.encryption),
    ]
    for store in seen.stores:
        found += store_findings(store, tolerance_seconds=settings.signature_tolerance_seconds)
    return sorted(found, key=lambda finding: _ORDER[finding.level])
