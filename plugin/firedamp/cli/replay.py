"""`firedamp replay RELEASE`: judge a past release again from its stored evidence."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from firedamp.cli import options
from firedamp.cli.exits import Ended, Exit
from firedamp.cli.instants import written
from firedamp.cli.options import Shape, read
from firedamp.errors import AskError, NotFoundError
from firedamp.units import seconds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firedamp.cli.rerun import Rerun
    from firedamp.config import Settings
    from firedamp.model import Look, Release, Ruling


def replay(  # noqa: PLR0913, PLR0917 - one parameter per option
    release: Annotated[int, typer.Argument(help="Number of the release, as in its permalink.")],
    tolerance: Annotated[
        list[str] | None, typer.Option(help="Another tolerance of a check, like errors=30%; repeatable.")
    ] = None,
    warm_up: Annotated[str, typer.Option(help="Another warm-up, like 60s.")] = "",
    promote_after: Annotated[str, typer.Option(help="Another window.")] = "",
    decide_by: Annotated[str, typer.Option(help="Another end of the window.")] = "",
    alpha: Annotated[str, typer.Option(help="Another probability of rolling back a good release.")] = "",
    config: options.Config = None,
    output: Annotated[Shape, typer.Option(help="Text or JSON.")] = Shape.TEXT,
) -> None:
    """
    Judge a release again from its stored evidence.

    Unchanged, every look must come out byte for byte as stored (exit code 0, else 1). With other
    parameters, shows what they would have said (exit code 0).
    """
    from firedamp.cli import rerun
    from firedamp.decision import rulings
    from firedamp.decision.parameters import from_json

    window = {"warm_up": warm_up, "promote_after": promote_after, "decide_by": decide_by}
    given = {name: read(seconds, text, f"--{name.replace('_', '-')}") for name, text in window.items()}
    other = {name: value for name, value in given.items() if value is not None}
    tolerances, level = _tolerances(tolerance or []), read(share, alpha, "--alpha")
    kept, looks, spoken = asyncio.run(_stored(options.settings(config), release))
    parameters = from_json(kept.parameters)
    as_was = not (other or tolerances or level)
    if not as_was:
        parameters = rerun.changed(parameters, tolerances, other, level)
    found = rerun.again(kept, looks, parameters, spoken)
    looks = [rulings.ruled(look, spoken) for look in looks]
    if output is Shape.JSON:
        typer.echo(_as_json(kept, looks, found, spoken))
    else:
        typer.echo("\n".join([text(kept, looks, found, as_was), *map(_ruled, spoken)]))
    raise Ended(Exit.FAIL if as_was and found.differs_at is not None else Exit.PASS)


def _tolerances(words: "Sequence[str]") -> dict[str, float]:
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise AskError(f"--tolerance {word!r}: write it like errors=30%")
        found[name] = read(share, value, f"--tolerance {name}") or 0.0
    return found


async def _stored(settings: "Settings", number: int) -> "tuple[Release, Sequence[Look], Sequence[Ruling]]":
    from firedamp.store import open_store

    async with await open_store(settings.store.address()) as store:
        release = await store.release(number)
        if release is None:
            raise NotFoundError(f"no release {number} in {settings.store.url}")
        return release, await store.looks(number), await store.rulings(number)


def text(release: "Release", looks: "Sequence[Look]", found: "Rerun", as_was: bool) -> str:
    """What came out, for a person."""
    lines = [f"release {release.id}, {release.key}: {len(looks)} looks from {written(release.started)}"]
    if as_was:
        lines.append(_sameness(looks, found))
    else:
        lines.append(f"  as judged:  {_stand(release, looks)}")
    lines.append(f"  {'again:' if as_was else 'with these:'} {_stand(release, found.looks)}")
    if found.verdict is not None:
        lines.append(f"  {found.verdict.outcome}: {found.verdict.sentence}")
    return "\n".join(lines)


def _ruled(ruling: "Ruling") -> str:
    note = f": {ruling.note}" if ruling.note else ""
    said = f"ruled {ruling.check} {ruling.word.spoken}"
    said = f"withdrew the ruling on {ruling.check}" if ruling.word == "withdrawn" else said
    return f"  {ruling.by} {said} after look {ruling.block}, {written(ruling.at)}{note}"


def _sameness(looks: "Sequence[Look]", found: "Rerun") -> str:
    if found.differs_at is None:
        return f"  byte for byte the same, all {len(looks)} looks"
    return f"  differs from what is stored, first at look {found.differs_at}"


def _stand(release: "Release", looks: "Sequence[Look]") -> str:
    from firedamp.cli import rerun

    at = rerun.decided(looks)
    if at is None:
        return "undecided at the last look"
    ended = next(look.evidence.block.end for look in looks if look.evidence.block.index == at)
    return f"{rerun.outcome(looks)} at look {at}, {written(ended)}"


def _as_json(release: "Release", looks: "Sequence[Look]", found: "Rerun", spoken: "Sequence[Ruling]") -> str:
    from firedamp.cli import rerun

    report = {
        "release": release.id,
        "looks": len(looks),
        "identical": found.differs_at is None,
        "differs_at": found.differs_at,
        "stored": {"verdict": str(rerun.outcome(looks)), "decided_at_look": rerun.decided(looks)},
        "again": {
            "verdict": str(rerun.outcome(found.looks)),
            "decided_at_look": found.decided_block,
            "sentence": found.verdict.sentence if found.verdict else None,
        },
        "rulings": [
            {"check": one.check, "word": one.word, "by": one.by, "at_look": one.block, "note": one.note}
            for one in spoken
        ],
    }
    return json.dumps(report, indent=2, ensure_ascii=False)
