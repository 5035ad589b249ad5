"""Write docs/reference/cli.md from the commands themselves: `make docs`; a test checks that it is current."""

from __future__ import annotations

from pathlib import Path

import click

from devenv.cli.main import COMMANDS, LazyGroup, cli

TARGET = Path(__file__).parent / "reference" / "cli.md"
HEAD = """\
# Command line

<!-- written by docs/generate.py (`make docs`); do not edit -->

`devenv [--project-directory DIR] [--debug] COMMAND`. It works in any directory below the one with the Compose file.
`--debug` may stand anywhere: it shows every command that is run, and tracebacks.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | the command line or a file asks for something that does not exist |
| 3 | differs (`parity`), or has known vulnerabilities (`scan`) |
| 75 | another devenv works on this checkout (`--no-wait`) |
| 130 | interrupted; the same command goes on from there |

`exec` passes on the exit code of its command. `--json` writes `{"version": 1, "kind": ...}` to standard output, also
for errors (`"kind": "error"`); progress goes to standard error. Completion:
`eval "$(_DEVENV_COMPLETE=bash_source devenv)"` (`zsh_source`, `fish_source`).

"""


def render() -> str:
    """The whole page."""
    root = click.Context(cli, info_name="devenv", **cli.context_settings)
    assert isinstance(cli, LazyGroup)
    parts = [HEAD]
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        parts += _sections(command, name, root)
    return "".join(parts).rstrip() + "\n"


def _sections(command: click.Command, name: str, parent: click.Context) -> list[str]:
    with click.Context(command, info_name=name, parent=parent, terminal_width=100) as context:
        sections = [f"## {context.command_path}\n\n```\n{command.get_help(context)}\n```\n\n"]
        if isinstance(command, click.Group):
            for word, one in command.commands.items():
                sections += _sections(one, word, context)
        return sections


if __name__ == "__main__":
    TARGET.write_text(render())
