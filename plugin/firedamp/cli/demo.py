"""`firedamp demo`: a recorded shop is judged before your eyes, then the pages stay up."""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from firedamp.cli.instants import clock_time

if TYPE_CHECKING:
    from rich.console import Console

    from firedamp.demo.controller import Ended, Measured, Shifted
    from firedamp.demo.stage import Stage
    from firedamp.demo.story import Release

_STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "default"}


def demo(
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="Judge from a real Prometheus, run for it here.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="End after the verdicts.")] = False,
    port: Annotated[int, typer.Option(help="Port of the pages; another one where it is taken.")] = 8080,
    pace: Annotated[float, typer.Option(help="Seconds between two looks, so that you can follow.")] = 0.2,
) -> None:
    """Watch two bad canaries being rolled back and a good one being promoted, without a cluster."""
    try:
        asyncio.run(_play(prometheus, once, port, pace))
    except KeyboardInterrupt:
        typer.echo("")


async def _play(prometheus: bool, once: bool, port: int, pace: float) -> None:
    from rich.console import Console

    from firedamp.demo import story
    from firedamp.demo.stage import set_up

    console = Console(highlight=False, markup=False, soft_wrap=True)
    if not once:
        console.print("Judging what the shop released in the days before: a few seconds ...")
    with TemporaryDirectory(prefix="firedamp-demo-") as folder:
        # Who ends after the verdicts sees no page, and need not wait for what only pages tell.
        stage_set = set_up(
            Path(folder), port, with_prometheus=prometheus, with_days_before=not once, now=time.time()
        )
        async with stage_set as stage:
            console.print(opening(stage))
            for release in story.RELEASES:
                await _perform(console, stage, release, pace)
            if once:
                return
            console.print(f"\nSee it all at {stage.url}/ (Ctrl-C ends the demo)", style="bold")
            await asyncio.Event().wait()


async def _perform(console: "Console", stage: "Stage", release: "Release", pace: float) -> None:
    from firedamp.demo.controller import Ended

    console.print(
        f"\n{release.name}: revision {release.revision} beside {release.of.stable}, {release.pods} pods",
        style="bold",
    )
    console.print(release.about)
    async for event in stage.rollout(pace).roll_out(release):
        if isinstance(event, Ended) and event.how == "rolled back" and event.last.own:
            console.print(beside(event), style=_STYLES["pass"])
        console.print(line(event), style=style(event))


def opening(stage: "Stage") -> str:
    """What is on stage."""
    return (
        f"firedamp serves at {stage.url} and judges a shop from {stage.source}.\n"
        "Three releases come. Argo's part is played over HTTP; half a minute passes between two looks."
    )


def line(event: "Measured | Shifted | Ended") -> str:
    """An event of the rollout as one line."""
    from firedamp.demo.controller import Ended, Measured

    at = clock_time(event.at)
    if isinstance(event, Measured):
        reason = event.summary.removesuffix(event.link).strip()
        return f"{at}  {event.weight:>4.0%}  {event.question:<8} {reason}"
    if isinstance(event, Ended):
        return f"{at}  {event.release.name} {event.how}: {event.last.link}"
    return f"{at}  {event.weight:>4.0%}  the canary gets {event.weight:.0%} of the traffic"


def beside(event: "Ended") -> str:
    """What the metrics of a service say that is stopped for something else."""
    own = "; ".join(event.last.own)
    return f"{clock_time(event.at)}  {event.last.weight:>4.0%}  meanwhile its own metrics pass: {own}"


def style(event: "Measured | Shifted | Ended") -> str:
    """How a line looks on a terminal."""
    from firedamp.demo.controller import Ended, Measured

    if isinstance(event, Measured):
        return _STYLES[event.outcome]
    if isinstance(event, Ended):
        return "bold white on red" if event.how == "rolled back" else "bold white on green"
    return "cyan"
