"""
`firedamp judge SERVICE`: one question for a pipeline, answered by the exit code.

Judges here, with the sources and the store of the settings, or asks a server. May wait for the verdict,
or judge a window of the past look by look, as if it were then.
"""

import asyncio
from typing import Annotated

import typer

from firedamp.cli import options
from firedamp.cli.exits import Ended
from firedamp.cli.instants import instant
from firedamp.cli.options import read
from firedamp.cli.order import Order
from firedamp.cli.render import Format
from firedamp.errors import AskError
from firedamp.model import Ask, Controller, Question
from firedamp.units import seconds, share


def judge(  # noqa: PLR0913, PLR0917 - one parameter per option
    service: Annotated[str, typer.Argument(help="Service to judge.")],
    namespace: options.Namespace = "default",
    revision: Annotated[str, typer.Option(help="Name of the new version; default: the canary's.")] = "",
    canary: options.Canary = "",
    baseline: options.Baseline = "",
    main: options.Main = "",
    question: Annotated[Question, typer.Option(help="What to ask.")] = Question.PROMOTE,
    weight: Annotated[str, typer.Option(help="Canary's expected share of the traffic, like 20%.")] = "",
    config: options.Config = None,
    server: options.Server = "",
    token_file: options.TokenFile = None,
    watch: Annotated[bool, typer.Option("--watch", help="Wait until the verdict falls.")] = False,
    give_up_after: Annotated[
        str, typer.Option(help="Wait no longer than this; default: until the service's decide_by.")
    ] = "",
    begin: Annotated[
        str, typer.Option("--from", help="Judge a past window, from this instant (2026-11-21T10:00:00Z) on.")
    ] = "",
    end: Annotated[str, typer.Option("--to", help="End of the past window.")] = "",
    every: Annotated[str, typer.Option(help="Distance of two questions.")] = "30s",
    output: Annotated[Format, typer.Option(help="What to print.")] = Format.TEXT,
) -> None:
    """
    Judge a release.

    Exit code 0 pass, 1 fail, 2 undecided, 3 wrong usage, 4 could not judge.
    """
    order = Order(
        ask=Ask(
            namespace=namespace,
            service=service,
            question=question,
            controller=Controller.CI,
            revision=revision or canary or None,
            arms=options.arms(canary, baseline, main),
            weight=read(share, weight, "--weight"),
        ),
        config=config,
        server=server,
        token_file=token_file,
        shape=output,
        watch=watch,
        patience_seconds=read(seconds, give_up_after, "--give-up-after"),
        every_seconds=read(seconds, every, "--every") or 30.0,
        window=window(begin, end),
    )
    from firedamp.cli.judging import run

    raise Ended(asyncio.run(run(order)))


def window(begin: str, end: str) -> tuple[float, float] | None:
    """
    The past window asked for, in Unix seconds; None for the present.

    Raises:
        AskError: half of it is missing, or it ends before it begins.
    """
    since, until = read(instant, begin, "--from"), read(instant, end, "--to")
    if since is None and until is None:
        return None
    if since is None or until is None:
        raise AskError("a past window needs both --from and --to")
    if until <= since:
        raise AskError(f"--to {end} is not after --from {begin}")
    return since, until
