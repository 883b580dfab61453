"""
`firedamp plan SERVICE`: how long must the next canary run to be judged, and which harm would it show?

Asks the source for hours of the stable pods and judges nothing. The store is not needed.
"""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firedamp.cli import options
from firedamp.cli.exits import Ended, Exit
from firedamp.cli.instants import instant
from firedamp.cli.options import Shape, read
from firedamp.errors import AskError, NotFoundError
from firedamp.units import seconds, share

if TYPE_CHECKING:
    from firedamp.cli.planned import Plan
    from firedamp.config import Service

#: What `--window` may be, in seconds.
_SHORTEST, _LONGEST = 60.0, 30 * 86400.0
_MOST_PODS = 1000


def plan(  # noqa: PLR0913, PLR0917 - one parameter per option
    service: Annotated[str, typer.Argument(help="Service that is to be released.")],
    namespace: options.Namespace = "default",
    main: options.Main = "",
    part: Annotated[str, typer.Option("--share", help="Traffic that the canary will get, like 20%.")] = "20%",
    pods: Annotated[
        int, typer.Option(help="Pods of the canary; default: as many as its share makes of main's.")
    ] = 0,
    window: Annotated[
        str, typer.Option(help="Plan for another promote_after, like 30m; decide_by grows with it.")
    ] = "",
    until: Annotated[
        str, typer.Option("--at", help="End of the six hours looked at (2026-11-21T10:00:00Z); default: now.")
    ] = "",
    config: options.Config = None,
    output: Annotated[Shape, typer.Option(help="Tables or JSON.")] = Shape.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --output json.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Write the plot to this file.", show_default=False)] = None,
) -> None:
    """
    Say how long a canary must run, before it runs: until a doubling, a x3, a x5 of each check is seen.

    Exit code 0 with a plan, 3 on wrong usage or where main has no history, 4 when the source does not answer.
    """
    traffic, canaries, promote_after = _share(part), _pods(pods), _window(window)
    at = read(instant, until, "--at")
    from firedamp.cli import planned
    from firedamp.decision.planning import Rollout

    settings = options.settings(config)
    found = options.service(settings, namespace, service)
    made = asyncio.run(
        planned.made(
            _lasting(found, promote_after),
            settings,
            options.arms("", "", main),
            Rollout(traffic, canaries),
            time.time() if at is None else at,
        )
    )
    _show(made, Shape.JSON if as_json else output, svg)
    raise Ended(Exit.PASS)


def _show(made: "Plan", shape: Shape, svg: Path | None) -> None:
    from firedamp.cli import chart, planned

    if not made.has_history:
        raise NotFoundError(made.remedy)
    if svg is not None:
        svg.write_text(chart.svg(made.title, made.curves, made.marks), encoding="utf-8")
    if shape is Shape.JSON:
        typer.echo(planned.as_json(made))
    else:
        planned.show(made)


def _share(text: str) -> float:
    value = read(share, text, "--share")
    if value is None or not 0 < value < 1:
        raise AskError(f"--share is {text}, expected more than 0 and less than 100%, like 20% or 0.2")
    return value


def _pods(number: int) -> int | None:
    if not 0 <= number <= _MOST_PODS:
        raise AskError(f"--pods is {number}, expected 1 to {_MOST_PODS}")
    return number or None


def _window(text: str) -> float | None:
    value = read(seconds, text, "--window")
    if value is not None and not _SHORTEST <= value <= _LONGEST:
        raise AskError(f"--window is {text}, expected 1m to 30d")
    return value


def _lasting(service: "Service", promote_after: float | None) -> "Service":
    """The service with another window, its decide_by in proportion."""
    if promote_after is None:
        return service
    old = service.window
    decide_by = promote_after * old.deadline_seconds / old.promote_after
    changed = {"promote_after": promote_after, "decide_by": decide_by}
    try:
        window = type(old).model_validate(old.model_dump() | changed)
    except ValueError as error:
        raise AskError(f"--window: {error}") from error
    return service.model_copy(update={"window": window})
