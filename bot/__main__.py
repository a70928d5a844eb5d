"""The command line, ``python -m bot`` or ``easel``: a word is the module of its name in ``bot/operator``.

Exit codes: 0 asked to stop or done, 1 crash or something found wrong, 2 bad command line, 78 wrong configuration (a
supervisor must not restart it). Law: heavy libraries are imported by the command that needs them, never here.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from bot.loading import load
from bot.ports import CannotStart
from bot.started import as_started

CONFIGURATION = 78

OWNER_ALONE = 0o077
"""What is written (pictures, the ledger, backups, keys) can be read by the user that runs Easel, and by nobody else."""


class Command(NamedTuple):
    """A word of the command line. The module of its name in ``bot/operator`` does it, or ``module`` there."""

    help: str
    flags: tuple[tuple[str, dict[str, Any]], ...] = ()
    module: str = ""


_YES = ("--yes", {"action": "store_true", "help": "do not ask"})

COMMANDS: dict[str, Command] = {
    "run": Command("connect to Discord and work (without a command and a token: the sandbox)"),
    "sandbox": Command(
        "a Discord and an image service on this machine, with the real bot between them", module="sandbox.launch"
    ),
    "doctor": Command("look for everything that could be wrong and say what to do", (
        ("--json", {"action": "store_true", "help": "print JSON"}),
        ("--spend", {"action": "store_true", "help": "also make one small picture, which costs money"}),
    ), module="doctor.doctor"),
    "setup": Command("ask for token and key, test them, and write .env"),
    "invite": Command("print the link that adds the bot to a server"),
    "models": Command("print the models this configuration knows, and what their pictures cost", (
        ("--json", {"action": "store_true", "help": "print JSON"}),
    )),
    "migrate": Command("bring the database up to this version, after a backup; or move the ledger", (
        ("--no-backup", {"action": "store_true", "help": "PostgreSQL: there is a backup already"}),
        ("--to", {"metavar": "ADDRESS", "help": "copy the whole ledger into the empty database at this address (as in "
                  "DATABASE_URL), while Easel does not run; the old one stays as it is"}),
    )),
    "backup": Command("copy the ledger into DATA_DIR/backups, even while Easel runs"),
    "restore": Command("put a backup in the ledger's place", (("file", {"help": "the backup"}), _YES)),
    "purge": Command("forget prompts and pictures", (
        ("--older-than", {"metavar": "90d", "help": "forget those of jobs finished longer ago (h, d or w)"}),
        ("--all", {"action": "store_true", "help": "delete everything Easel has stored"}),
        _YES,
    )),
    "healthcheck": Command("ask the running Easel whether it lives"),
}  # fmt: skip


class _Version(argparse.Action):
    """Looks for the version only when asked: ``bot.parts`` imports half of Easel."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"Easel {importlib.import_module('bot.parts').version()}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="easel", description="A Discord bot that makes, edits and varies images, within limits that hold."
    )
    top.add_argument("--version", action=_Version, nargs=0, default=argparse.SUPPRESS, help="print Easel's version")
    words = top.add_subparsers(dest="command", metavar="command")
    for name, command in COMMANDS.items():
        one = words.add_parser(name, help=command.help, description=command.help)
        for flag, options in command.flags:
            one.add_argument(flag, **options)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["sandbox"]:  # the rest is the sandbox's own
        arguments = argparse.Namespace(command="sandbox", rest=words[1:])
    else:
        arguments = parser().parse_args(words)
    word = arguments.command or "run"
    os.umask(OWNER_ALONE)
    try:
        code = int(load(f"bot.operator.{COMMANDS[word].module or word}").main(arguments))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads has read enough (``| head``): nothing is wrong, and nothing more is said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except CannotStart as error:
        print(as_started(f"Easel cannot do this as it is configured:\n{error}"), file=sys.stderr)
        return CONFIGURATION
    except argparse.ArgumentTypeError as error:
        print(f"easel {arguments.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
