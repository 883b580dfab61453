"""
What becomes of a release by what it does: each play is one, with what has to come of it.

Plays in which something else breaks are in `mishaps`.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from e2e import ends
from e2e.examples import Faults
from e2e.load import Load
from e2e.play import ENDED_SECONDS, Play
from e2e.releasing import Canary, End
from e2e.stage import until

#: So long has the old version had users when the new one comes.
CALM_SECONDS = 15.0


#: What is wrong with every version.
BACKGROUND: Faults = {"background": 0.01}
#: What is wrong with a release: what the old version does, and what the new one does beside it.
FAULTS: Mapping[str, tuple[Faults, Faults]] = {
    "errors": ({"background": 0.02}, {"errors": 0.08}),
    "slow": ({}, {"slower": 2.1}),
    "crash": ({}, {"crash_after": 40}),
    "deleted": ({}, {"deleted": True}),
}


async def begun(play: Play, old: Faults, new: Faults) -> None:
    """The old version serves, and the new one is applied; it has the old one's faults too."""
    await play.begin(old, calm_seconds=CALM_SECONDS)
    await play.release("v2", {**old, **new})


async def failed(play: Play, named: str) -> None:
    """The release is rolled back, and firedamp's verdict names this check."""
    await play.ended(End.ROLLED_BACK)
    [release] = await play.recorded()
    assert release["verdict"] == "fail"
    assert named in release["sentence"], release["sentence"]


async def promoted(play: Play) -> None:
    """The release is promoted, step by step, and firedamp found no harm."""
    await play.ended(End.PROMOTED)
    steps = set(play.course.steps)
    assert {20, 50} <= steps or {20, 40, 60} <= steps, play.course.steps
    assert (await play.recorded())[0]["verdict"] == "pass"


async def healthy(play: Play) -> None:
    """Nothing is wrong with it: promoted, and no user noticed."""
    await begun(play, {}, {})

    await promoted(play)
    assert play.load.answers[200] >= 0.99 * play.load.answers.total()
    await ends.told(play, "promoted")


async def errors(play: Play) -> None:
    """Five times as many errors: rolled back, with the numbers."""
    await begun(play, *FAULTS["errors"])

    await failed(play, "errors: the canary served")
    await ends.told(play, "rolled-back")


async def slow(play: Play) -> None:
    """Half as long again for a request, most of which the service itself takes: rolled back."""
    await begun(play, *FAULTS["slow"])

    await failed(play, "latency: ")


async def crash(play: Play) -> None:
    """Its pods die again and again: rolled back."""
    await begun(play, *FAULTS["crash"])

    await failed(play, "")


async def deleted(play: Play) -> None:
    """A route is gone, and its own metrics look well: rolled back because of the flow."""
    await begun(play, *FAULTS["deleted"])

    await failed(play, "place-order.")
    await ends.told(play, "rolled-back")


async def whatever(play: Play, old: Faults, new: Faults, seconds: float = 240.0) -> None:
    """Nothing is held of it: how it ends is what is asked, or that nobody ended it for so long."""
    await begun(play, old, new)
    with suppress(TimeoutError):
        await play.over(seconds)


async def late(play: Play) -> None:
    """It goes bad where it has most traffic, after each question on the way went well: rolled back."""
    await begun(play, {}, {})
    await play.reached(60)
    await play.spoil("v2", errors=0.15)

    await failed(play, "")
    assert {20, 40, 60} <= set(play.course.steps), play.course.steps


async def little(play: Play) -> None:
    """Hardly anybody uses it: nobody decides, and somebody has to."""
    await begun(play, {}, {})
    if isinstance(play.releasing, Canary):
        # Its settings say so: what is undecided at the end passes.
        await play.ended(End.PROMOTED)
        return
    await play.ended(End.PAUSED)
    assert play.course.sentence.startswith("inconclusive: "), play.course.sentence
    await play.stage.plugin("promote", play.service, "--full", "-n", play.namespace)

    await play.begins_again()
    await play.ended(End.PROMOTED)


async def fire(play: Play) -> None:
    """Both versions fail alike: neither promoted nor rolled back, and said so."""
    await begun(play, {"background": 0.4}, {})
    await play.reached(20)
    await play.stays(90.0)

    [release] = await play.recorded()
    assert release["verdict"] not in ("pass", "fail")
    play.course.sentence = (await play.asked(f"releases/{release['id']}"))["sentence"]
    assert "both" in play.course.sentence, play.course.sentence


async def shadow(play: Play) -> None:
    """A bad release that nobody is allowed to stop: promoted, and recorded for what it is."""
    await begun(play, {}, {"errors": 0.3})
    await play.ended(End.PROMOTED)

    verdicts = {release["verdict"] for release in await play.recorded()}
    assert "fail" in verdicts, verdicts


async def two(play: Play) -> None:
    """A service and the one behind it at once, of which the latter is bad: only that one is stopped."""
    other = play.other
    assert other is not None
    await play.begin({}, calm_seconds=CALM_SECONDS)
    await asyncio.gather(play.release("v2", {}), other.release("v2", {"errors": 0.15}))

    await asyncio.gather(failed(other, ""), promoted(play))


async def again(play: Play) -> None:
    """The same revision once more, its cause mended: a release of its own, with fresh evidence."""
    await begun(play, {}, {})
    await play.reached(20)
    await play.spoil("v2", errors=0.3)
    await failed(play, "")
    # Pods of the first time live on for half a minute, and get traffic of the second.
    await play.spoil("v2", errors=0.0)
    await play.retried()

    await promoted(play)
    # An experiment within a Rollout is a release of its own.
    last, *_, first = await play.recorded()
    assert (first["verdict"], last["verdict"]) == ("fail", "pass")
    assert first["revision"].removesuffix("-experiment") == last["revision"].removesuffix("-experiment")


async def gates(play: Play) -> None:
    """People at the switches: one waits for its promotion gate, the next goes back by the rollback gate."""
    canary = play.releasing
    assert isinstance(canary, Canary)
    await begun(play, {}, {})
    tests = Load(f"http://{play.service}-canary.{play.namespace}/orders", 20.0, proxy=play.stage.envoy)
    play.keep(tests.run())
    await until(partial(_is_waiting, canary), ENDED_SECONDS)
    await play.stays(25.0)
    await play.ordered("gate/open?hook=confirm-promotion&expires=30m")
    await play.ended(End.PROMOTED)

    await play.release("v3", {})
    await until(partial(_has_releases, play, 2), ENDED_SECONDS)
    await play.ordered("rollback/open")
    await play.ended(End.ROLLED_BACK)
    await until(partial(_has_ends, play, {"rolled-back", "promoted"}), ends.TOLD_SECONDS)


async def _has_releases(play: Play, wanted: int) -> bool:
    return len(await play.recorded()) == wanted


async def _has_ends(play: Play, wanted: set[str]) -> bool:
    return {str(one["text"]) for one in await play.ends()} == wanted


async def _is_waiting(canary: Canary) -> bool:
    return await canary.phase() == "WaitingPromotion"
