"""The command line: a table of lazily imported commands and the one place where errors become messages."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Any, NoReturn

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "review": ("review:review", "Open the review desk on this project."),
    "init": ("init:init", "Write a commented holdfast.toml and an empty store."),
    "demo": ("demo:demo", "Build a seeded project and open the review desk on it."),
    "ingest": ("ingest:ingest", "Read samples from files into a batch."),
    "quarantine": ("ingest:quarantine", "List the rows that could not be read."),
    "votes": ("votes:votes", "Import judges' votes made elsewhere."),
    "verify": ("verify:verify", "Run the verifiers on what lacks a current verdict."),
    "verifiers": ("verify:verifiers", "List the installed verifiers."),
    "verdicts": ("verify:verdicts", "List every current verdict."),
    "trust": ("verify:trust", "Let this user's projects run a file's verifiers."),
    "status": ("status:status", "Count samples by status, stream and source; what is due, pace, time left."),
    "queue": ("queue:queue", "List the review queue in order."),
    "next": ("queue:next_", "Claim the next sample and show it."),
    "reorder": ("reorder:reorder", "Learn from the decisions so far and order the queue by it."),
    "release": ("queue:release", "Give claims back."),
    "decide": ("decide:decide", "Record one decision, or many from a file."),
    "undo": ("decide:undo", "Undo the caller's last decisions."),
    "redo": ("decide:redo", "Redo the caller's last undone decisions."),
    "show": ("show:show", "Show one sample with findings, votes and decisions."),
    "lineage": ("show:lineage", "Show a sample's ancestry and descendants."),
    "search": ("show:search", "Search prompts and responses."),
    "dups": ("dups:dups", "List near-duplicate clusters."),
    "audit": ("audit:audit", "Estimate acceptance rates, what verifiers are worth and how far people agree."),
    "gold": ("gold:gold", "Say which samples have a known answer, to measure reviewers."),
    "quota": ("export:quota", "Say what the next mix may hold and why."),
    "export": ("export:export", "Write the approved samples to a file."),
    "user": ("user:user", "Add and list users."),
    "check": ("upkeep:check", "Check the integrity of the store."),
    "backup": ("upkeep:backup", "Write a verified copy of the store."),
}
"""Name → ("module:attribute" below this package, the line shown by `--help`)."""

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


class Commands(click.Group):
    """A group that imports a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command by its name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name; NoSuchCommand suggests close names."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise click.exceptions.NoSuchCommand(name, possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, so that `--help` imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and turn whatever it raises into a message and an exit status."""
        _say_what_can_be_said()
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except KeyboardInterrupt:
            click.echo("\ninterrupted", err=True)
            raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:
            _close_stdout()
            raise click.exceptions.Exit(EXIT_FAILED) from None
        except Exception as error:
            _fail(error)


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--project", metavar="DIR", help="The project's folder (default: the nearest with a holdfast.toml).")
@click.option("--user", "--reviewer", metavar="NAME", help="Who acts (default: HOLDFAST_USER, else the login name).")
@click.version_option(package_name="holdfast", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, project: str | None, user: str | None) -> None:
    """Review synthetic training data: lineage, verifiers, decisions and the quota they set.

    Without a command the review desk opens.
    """
    if ctx.invoked_subcommand is None:
        review = main.get_command(ctx, "review")
        if review is not None:
            ctx.invoke(review)


def _fail(error: Exception) -> NoReturn:
    from holdfast.db.errors import HoldfastError, UsageError
    from holdfast.reviewer.cli.common import warn

    if os.environ.get("HOLDFAST_TRACEBACK"):
        raise error
    if isinstance(error, HoldfastError):
        warn(f"error: {error}")
        raise click.exceptions.Exit(EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED) from None
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        warn(f"error: {place}{error.strerror or error}")
    else:
        warn(f"error: a fault in Holdfast itself: {type(error).__name__}: {error}")
        warn("Run the command again with HOLDFAST_TRACEBACK=1 to see where, and report it.")
    raise click.exceptions.Exit(EXIT_FAILED) from None


def _say_what_can_be_said() -> None:
    """Where the terminal's encoding lacks a character, its escape is printed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _close_stdout() -> None:
    """Point stdout at nothing: the reader has gone, and the interpreter flushes once more on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
