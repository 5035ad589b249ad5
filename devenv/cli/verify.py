"""`devenv verify`."""

from __future__ import annotations

import click

from devenv import output
from devenv.cli.main import App


@click.command("verify")
@click.argument("image")
@click.option("--from-ci", is_flag=True, help="Accept the word of CI's workflow, and of no key.")
@click.option("--offline", is_flag=True, help="Ask no public log: what is attached to the image must prove itself.")
@click.option("--json", "as_json", is_flag=True, help="Write what is proven as JSON.")
@click.pass_obj
def command(app: App, image: str, from_ci: bool, offline: bool, as_json: bool) -> None:
    """Say who built IMAGE, from which commit, and what was tested.

    Ends with 1 where nobody whom devenv.toml trusts has signed for it.

    Example: devenv verify ghcr.io/team/shop/web@sha256:DIGEST
    """
    from devenv.doctor.programs import ensure_programs
    from devenv.engine import Engine
    from devenv.shell import Runner
    from devenv.supply.verify import signers, verify

    trusted = signers(app.project)
    ensure_programs(["cosign"], Runner(), Engine(), app.project.state / "logs")
    found = verify(image, trusted, Runner(), from_ci=from_ci, offline=offline)
    if as_json:
        output.emit("verify", {
            "reference": found.reference, "image_id": found.image_id, "builder": found.builder,
            "commit": found.commit, "signer": str(found.signer), "from_ci": found.from_ci, "sbom": found.has_materials,
            "receipts": [{"id": one.id, "made_at": one.made_at, "commit": one.commit,
                          "suites": [{"name": suite.name, "passed": suite.passed, "failed": suite.failed,
                                      "skipped": suite.skipped} for suite in one.suites]} for one in found.receipts],
        })
        return
    newest = found.receipts[0] if found.receipts else None
    rows = [
        ("image", found.reference), ("built by", found.builder), ("signed by", str(found.signer)),
        ("commit", found.commit),
        ("tested", ", ".join(f"{suite.name} {suite.passed} passed" for suite in newest.suites) if newest
         else "nothing is attached that says so"),
        ("receipt", f"{newest.id[:8]} of {newest.made_at}" if newest else "none"),
        ("SBOM", "attached" if found.has_materials else "none"),
    ]
    for name, value in rows:
        click.echo(f"{name:<10} {value}")
