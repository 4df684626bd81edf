"""`onfile doctor`: what would lose data, let somebody in or hold events up, and its mending."""

import click
from rich.padding import Padding
from rich.text import Text

from workers.cli import data_dir as folder
from workers.cli.data_dir import DataDir
from workers.cli.plan import SECRETS
from workers.cli.report import TROUBLE, desk_of, json_option, print_json
from workers.cli.tables import console
from workers.operators.doctor import examine
from workers.operators.finding import Finding

_MARKS = {"trouble": ("✗", "bold red"), "advice": ("!", "yellow"), "ok": ("✓", "green")}


@click.command()
@click.option("--all", "everything", is_flag=True, help="Show also what is well.")
@json_option
@folder.option
def command(*, everything: bool, as_json: bool, data_dir: DataDir) -> None:
    """Look for what would lose data, let somebody in or hold events up; say how to mend each.

    Exits 1 when something must be mended, else 0. Run it with the settings of the web process, so
    that it judges those.
    """
    kept = data_dir.read_env()
    with desk_of(data_dir) as desk:
        found = examine(desk, made={kept[name] for name in SECRETS if kept.get(name)})
    troubled = any(finding.level == "trouble" for finding in found)
    if as_json:
        print_json({"ok": not troubled, "findings": found})
    else:
        _print(found, everything=everything)
    if troubled:
        raise SystemExit(TROUBLE)


def _print(found: list[Finding], *, everything: bool) -> None:
    out = console()
    shown = [finding for finding in found if everything or finding.level != "ok"]
    for finding in shown:
        mark, style = _MARKS[finding.level]
        out.print(Text.assemble((f"{mark} {finding.check}", style), f"  {finding.says}"))
        if finding.mend:
            out.print(Padding(Text.assemble(("mend: ", "bold"), finding.mend), (0, 0, 0, 4)))
    well = sum(finding.level == "ok" for finding in found)
    rest = len(found) - well
    if not rest:
        out.print(Text(f"All is well: {well} checks.", style="green"))
    else:
        out.print(f"\n{rest} of {len(found)} checks found something; {well} are well (--all).")
