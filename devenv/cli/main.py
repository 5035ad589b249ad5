"""The `devenv` command: finds the command's module, and renders every failure once."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from devenv.errors import DevenvError, from_os_error

if TYPE_CHECKING:
    from devenv.project import Project

# Name -> one-line help. The help stands here so that `devenv --help` imports no command.
COMMANDS = {
    "up": "Start the platform, or SERVICE and what it needs, and wait until it is usable.",
    "down": "Stop the platform; data stays.",
    "status": "Show services, health and URLs.",
    "logs": "Show the logs of all services or of some.",
    "exec": "Run a command in a running service.",
    "restart": "Restart services and wait until they are usable.",
    "build": "Build the images of services.",
    "images": "Show every third-party image: what was wanted, what is used, and where it came from.",
    "doctor": "Check this machine, and with --fix install what is missing.",
    "reset": "Delete the data of backends.",
    "snapshot": "Save and restore the data of all backends together.",
    "seed": "Load the demo data.",
    "test": "Run the test suites.",
    "receipts": "List what was tested, and whether it is what the images are now.",
    "promote": "Bring exactly the tested images to ENVIRONMENT.",
    "rollback": "Go back to the release before, or to RELEASE, on ENVIRONMENT.",
    "releases": "List the releases of ENVIRONMENT, newest first.",
    "diff": "Show what in ENVIRONMENT is no longer as its release says, field by field, and who changed it.",
    "parity": "Compare Compose with the rendered OVERLAY, or with every overlay of k8s/overlays.",
    "chart": "Pack OVERLAY as a Helm chart.",
    "sbom": "List what is in an image: packages, versions, licences.",
    "scan": "Look for known vulnerabilities in images.",
    "sign": "Sign for pushed images: how they were built, what is in them, what was tested.",
    "verify": "Say who built IMAGE, from which commit, and what was tested.",
    "version": "Show the versions of devenv and of the tools it uses.",
}


class LazyGroup(click.Group):
    """A group whose commands live in modules of the same name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"devenv.cli.{cmd_name}").command
        command.short_help = COMMANDS[cmd_name]
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            ctx.fail(f"no command `{name}`." + (f" Did you mean `{near[0]}`?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@dataclass
class App:
    """What every command is given: where to work and how to report."""

    directory: Path
    debug: bool

    @cached_property
    def project(self) -> Project:
        """The project around `directory`; raises UsageError outside of one."""
        from devenv.project import find

        return find(self.directory)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--project-directory", type=click.Path(path_type=Path), default=None,
              help="Work on the project in this directory instead of the current one.")
@click.option("--debug", is_flag=True, help="Show tracebacks and every command that is run.")
@click.pass_context
def cli(ctx: click.Context, project_directory: Path | None, debug: bool) -> None:
    """Run a platform of several services on this machine, from its own standard files."""
    if project_directory is not None and not project_directory.is_dir():
        raise click.UsageError(f"--project-directory `{project_directory}` is not a directory")
    if debug:
        os.environ["DEVENV_DEBUG"] = "1"
    ctx.obj = App(directory=(project_directory or Path.cwd()).resolve(), debug=debug)


def main() -> None:
    """Run the command line; every failure leaves here with its exit code (design: 0 1 2 3 4 5 75 130)."""
    arguments, debug = _take_debug(sys.argv[1:])
    try:
        # Without its own error handling, click returns the code that a command gave to `ctx.exit`.
        sys.exit(cli.main(arguments, prog_name="devenv", standalone_mode=False))
    except click.ClickException as problem:
        problem.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("\ninterrupted; run the same command again to go on\n")
        sys.exit(130)
    except DevenvError as problem:
        if debug:
            raise
        render(problem)
        if "--json" in sys.argv:
            from devenv.output import emit

            emit("error", {"message": problem.message, "hint": problem.hint, **problem.details})
        sys.exit(problem.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as problem:
        if debug:
            raise
        render(from_os_error(problem))
        sys.exit(1)


def _take_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """`--debug` may stand anywhere before `--`; it is moved to where click expects it."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if "--debug" not in arguments[:end]:
        return arguments, False
    own = [word for word in arguments[:end] if word != "--debug"]
    return ["--debug", *own, *arguments[end:]], True


def render(problem: DevenvError) -> None:
    """Write one failure to standard error: what, why, and the next move."""
    from devenv.output import paint

    sys.stderr.write(paint("error: ", "red") + problem.message + "\n")
    if problem.hint:
        sys.stderr.write(paint("hint: ", "cyan") + problem.hint + "\n")
