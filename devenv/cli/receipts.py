"""`devenv receipts`."""

from __future__ import annotations

import json

import click

from devenv import output, receipts
from devenv.cli.main import App
from devenv.errors import DevenvError
from devenv.receipts import Receipt
from devenv.shell import Runner


@click.command("receipts")
@click.option("--json", "as_json", is_flag=True, help="Write the receipts as JSON, each with all that it says.")
@click.pass_obj
def command(app: App, as_json: bool) -> None:
    """List what was tested, and whether it is what the images are now.

    A receipt stands while the images on this machine and the source are those that it was made from, to the byte.
    `devenv test` writes them.

    Example: devenv receipts --json
    """
    project, runner = app.project, Runner()
    found = receipts.load(project)
    try:
        images, trouble = receipts.images_now(project, runner), ""
    except DevenvError as problem:
        images, trouble = {}, problem.message.splitlines()[0]
    source = receipts.source(project.root, runner)
    against = {one.id: trouble or receipts.standing(project, one, images, source, runner) for one in found}
    if as_json:
        output.emit("receipts", {"receipts": [
            {**json.loads(one.to_json()), "stands": not against[one.id], "why_not": against[one.id]} for one in found]})
        return
    if not found:
        output.say("no receipts: nothing was tested as built\nnext: devenv test")
        return
    output.table([
        [one.id[:8], one.made_at.replace("+00:00", "Z"), _commit(one), _suites(one), _signer(one),
         f"no: {against[one.id]}" if against[one.id] else "yes"] for one in found
    ], ("RECEIPT", "MADE", "COMMIT", "SUITES", "SIGNED", "STANDS"))
    if all(against.values()):
        output.say("next: devenv test")


def _commit(receipt: Receipt) -> str:
    return (receipt.commit[:12] or "none") + (" and edits" if receipt.commit and receipt.dirty else "")


def _suites(receipt: Receipt) -> str:
    skipped = sum(one.skipped for one in receipt.suites)
    return (f"{' '.join(one.name for one in receipt.suites)}: {sum(one.passed for one in receipt.suites)} passed"
            + (f", {skipped} skipped" if skipped else ""))


def _signer(receipt: Receipt) -> str:
    return receipt.signature.key_id[:19] or receipt.signature.kind
