"""`onfile reencrypt`: bring all that is stored under the key that encrypts now."""

import click
from rich.console import Console
from rich.text import Text

from service import sealing
from workers.cli import data_dir as folder
from workers.cli.data_dir import DataDir
from workers.cli.encryption_tables import keys_table
from workers.cli.file_tables import files_table
from workers.cli.report import DIFFERENCES, TROUBLE, desk_of, json_option, print_json
from workers.cli.tables import console
from workers.operators.desk import Desk
from workers.operators.encryption import Counted, count_all
from workers.operators.reencrypting import Progress, Reencrypted, reencrypt

_DOING = {
    "looking": "looking at what is stored",
    "documents": "writing documents anew",
    "index": "indexing events anew",
    "events": "copying the event log",
}


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; count what lies under which key.")
@json_option
@folder.option
def command(*, check: bool, as_json: bool, data_dir: DataDir) -> None:
    """Encrypt all that is stored with the first of ONFILE_ENCRYPTION_KEYS.

    For after that setting has got another first key, in every process; where that is `none`, all is
    decrypted. Events and queries go on meanwhile, and the event log takes the room of a second one.
    The stores write their files anew. What this ends with is whether other keys are still needed;
    stopped and run again, it does what is left.

    Exits 1 when something is left, 3 when --check finds something under another key.
    """
    with desk_of(data_dir) as desk, Console(stderr=True).status("") as status:

        def tell(doing: str, number: int) -> None:
            status.update(f"{_DOING[doing]}: {number:,}")

        def wait(address: str) -> None:
            status.update(f"waiting until the store at {address} has written its files anew")

        if check:
            _check(desk, tell, as_json=as_json)
            return
        done = reencrypt(desk, progress=tell, waits=wait)
    if as_json:
        print_json(done)
    else:
        _print(console(), done)
    if not done.complete:
        raise SystemExit(TROUBLE)


def _check(desk: Desk, tell: Progress, *, as_json: bool) -> None:
    counted = Counted()
    for counted in count_all(desk):
        tell("looking", counted.total)
    key = sealing.current.key_id
    if as_json:
        print_json({"key": key, "counted": counted})
    else:
        _print_counted(console(), key, counted)
    if counted.damaged:
        raise SystemExit(TROUBLE)
    if counted.under_others(key):
        raise SystemExit(DIFFERENCES)


def _print(out: Console, done: Reencrypted) -> None:
    brought = done.before.under_others(done.key).total() - done.after.under_others(done.key).total()
    out.print(f"{max(brought, 0):,} of {done.before.total:,} were written anew.")
    _print_counted(out, done.key, done.after)
    if done.rewritten:
        out.print()
        out.print(files_table(done.rewritten))
    out.print()
    if not done.clean:
        out.print(Text("Not all of it is done: keep every key, and run this again.", "bold red"))
        return
    out.print(
        f"Nothing is left under any other key than {done.key}: the others may be removed."
        if done.key
        else "Nothing is encrypted: no key is needed."
    )
    if not done.complete:
        out.print(Text("The stores' files still hold what was there before.", style="bold red"))
    out.print(
        "Not reached from here: backups, and what replicas have on disk until they write it "
        "anew. Keep a key for as long as you keep a backup of its time."
    )


def _print_counted(out: Console, key: str, counted: Counted) -> None:
    out.print(keys_table(key, sealing.current.key_ids, counted))
    if counted.damaged:
        out.print(
            Text(f"{counted.damaged:,} cannot be decrypted: damaged or moved.", style="bold red")
        )
