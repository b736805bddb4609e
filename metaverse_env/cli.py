"""The command line ``metaverse``: a tree of names, each loaded from the storey that it belongs to when it is called.

The floor knows the commands of the upper storeys as strings only, as it does predictors, so ``metaverse --help`` stays
quick and needs none of their packages. A command is a function with Typer's annotations.

Exit status:

* 0: done.
* 2: wrong usage. What was asked for cannot be: an option, a name or a value that there is not, or a file or folder
  named on the command line that is missing, broken, unfit or not writable. Nothing has run yet, and the same command
  will never work. In terms of errors: the parser's own, :class:`~metaverse_env.errors.ConfigurationError` and
  :class:`~metaverse_env.errors.CheckpointError`.
* 1: failed. Everything else: a policy that raises while it runs, a package that is not installed, a bug.
* 130: interrupted.

What a user can cause is said in one message on stderr.
"""

from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from metaverse_env import __version__
from metaverse_env.command_table import COMMANDS, Branch, Leaf
from metaverse_env.errors import CheckpointError, ConfigurationError, MetaverseError
from metaverse_env.plugins import resolve

FAILED: Final = 1
WRONG_USAGE: Final = 2
USAGE_ERRORS: Final = (ConfigurationError, CheckpointError)
"""What is wrong with the command, rather than with what it did."""


class DeferredCommand(TyperCommand):
    """A command that is imported when it is called or asked for its own help."""

    def __init__(self, name: str, leaf: Leaf) -> None:
        super().__init__(name, help=leaf.help)
        self.leaf = leaf

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Import the command and let it read its arguments."""
        name = " ".join([*(parent.command_path.split()[1:] if parent else []), info_name or ""])
        function = resolve("command", name, {name: self.leaf.target}, self.leaf.extra)
        application = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        application.command(self.name)(function)
        return typer.main.get_command(application).make_context(info_name, args, parent, **extra)


class DefaultGroup(TyperGroup):
    """A group that runs one of its commands when the first argument is an option, or there is none."""

    def __init__(self, name: str, branch: Branch) -> None:
        commands = {child: DeferredCommand(child, leaf) for child, leaf in branch.commands.items()}
        super().__init__(name=name, help=branch.help, commands=dict(commands), no_args_is_help=branch.default is None)
        self.default = branch.default

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front, except of a plea for help."""
        if self.default is not None and (
            not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        ):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


class Root(TyperGroup):
    """The group of everything, which turns errors of this package into messages."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, entry in COMMANDS.items():
            command = DeferredCommand(name, entry) if isinstance(entry, Leaf) else DefaultGroup(name, entry)
            self.add_command(command, name)

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            typer.Exit: With 2 for wrong usage, with 1 for any other error of ours.
        """
        try:
            return super().invoke(ctx)
        except MetaverseError as error:
            typer.echo(f"metaverse: {error}", err=True)
            raise typer.Exit(WRONG_USAGE if isinstance(error, USAGE_ERRORS) else FAILED) from error


app = typer.Typer(
    cls=Root,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"metaverse {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Metaverse zones: worlds to simulate, controllers to compare, predictors to train."""


def main() -> None:
    """Run the command line; the entry point of the installed program."""
    app(prog_name="metaverse")


if __name__ == "__main__":
    main()
