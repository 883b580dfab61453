"""
What is left of a release: who told firedamp of its end, and firedamp's events on the Rollout or Canary.

The last two releases here are played for their ends: one that nobody tells of, one that another overtakes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from e2e.api import ROLLOUT, Document
from e2e.play import Play
from e2e.releasing import End
from e2e.stage import until

#: Who tells, by the name of their token; the last one is firedamp itself, which looked.
ARGO, FLAGGER, LOOKED = "argo-notifications", "flagger", "kubernetes"
#: Until what was told is recorded; until firedamp looks by itself: a minute of silence, then the next minute.
TOLD_SECONDS, LOOKED_SECONDS = 20.0, 180.0
_CALM_SECONDS, _MEANWHILE_SECONDS = 15.0, 120.0
_REASONS = {"pass": ("VerdictPass", "Normal"), "fail": ("VerdictFail", "Warning")}

Recorded = Mapping[str, Any]


async def told(play: Play, outcome: str) -> None:
    """The controller told how every release ended, and people are told on the controller's object."""
    by = ARGO if play.releasing.kind is ROLLOUT else FLAGGER
    for release in await play.recorded():
        await _ended(play, release, outcome, by, TOLD_SECONDS)


async def untold(play: Play) -> None:
    """A route is gone, and nobody tells that it was rolled back: firedamp finds out."""
    await play.begin({}, calm_seconds=_CALM_SECONDS)
    await play.release("v2", {"deleted": True})
    await play.ended(End.ROLLED_BACK)
    [release] = await play.recorded()
    assert "ended" not in release

    await _ended(play, release, "rolled-back", LOOKED, LOOKED_SECONDS)


async def superseded(play: Play) -> None:
    """A third version overtakes the second one, of which nothing bad is known: each gets its own end."""
    await play.begin({}, calm_seconds=_CALM_SECONDS)
    await play.release("v2", {})
    await until(lambda: _judged(play), _MEANWHILE_SECONDS)
    await play.release("v3", {"deleted": True})
    await play.ended(End.ROLLED_BACK)

    third, second = await play.recorded()
    await _ended(
        play, third, "rolled-back", ARGO if play.releasing.kind is ROLLOUT else FLAGGER, TOLD_SECONDS
    )
    if play.releasing.kind is ROLLOUT:
        # Argo says nothing of a version that never came to an end.
        await _ended(play, second, "superseded", LOOKED, LOOKED_SECONDS)
    else:
        await _ended(play, second, "superseded", FLAGGER, TOLD_SECONDS)


async def _judged(play: Play) -> Sequence[Recorded]:
    return await play.recorded() if play.course.steps else []


async def _ended(play: Play, release: Recorded, outcome: str, by: str, seconds: float) -> None:
    """It ended so, they told it, and the object has the verdict, the end and where to read on."""
    line = await until(lambda: _line(play, release), seconds)
    assert (line["text"], line["by"]) == (outcome, by)

    events = await until(lambda: _told(play, release), TOLD_SECONDS)
    end = events.pop("ReleaseEnded")
    assert end["message"] == f"the release ended: {outcome} {release['link']}"
    assert {reason: one["type"] for reason, one in events.items()} == _expected(release)
    for event in events.values():
        assert event["message"].startswith(f"{release['verdict']}: ")


async def _line(play: Play, release: Recorded) -> Recorded | None:
    """What the audit trail has of its end."""
    return next((one for one in await play.ends() if one["revision"] == release["revision"]), None)


async def _told(play: Play, release: Recorded) -> dict[str, Document]:
    """Firedamp's events of it by their reason, once its end is among them."""
    events = await play.releasing.events("firedamp")
    found = {one["reason"]: one for one in events if one["message"].endswith(f" {release['link']}")}
    return found if "ReleaseEnded" in found else {}


def _expected(release: Recorded) -> Mapping[str, str]:
    return dict([_REASONS[release["verdict"]]]) if release["verdict"] in _REASONS else {}
