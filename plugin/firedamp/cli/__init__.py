"""
The command line, one module per command.

Commands import what they need when they run, so that `firedamp --help` answers at once (scipy alone takes
0.7 s).
"""

from typing import Annotated

import typer

from firedamp import __version__
from firedamp.cli import config, db, demo, doctor, judge, outcome, plan, replay, rule, serve, token

app = typer.Typer(
    name="firedamp",
    help="The judge of canary releases: is the canary worse, by how much, and how sure are we?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"firedamp {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """The judge of canary releases: is the canary worse, by how much, and how sure are we?"""


app.command()(serve.serve)
app.command()(demo.demo)
app.command()(judge.judge)
app.command()(doctor.doctor)
app.command()(plan.plan)
app.command()(replay.replay)
app.command()(outcome.outcome)
app.command()(rule.rule)
app.add_typer(config.app, name="config")
app.add_typer(token.app, name="token")
app.add_typer(db.app, name="db")
