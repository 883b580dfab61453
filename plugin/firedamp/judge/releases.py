"""
Which release a question is about, and what the question tells about it.

The first question about a revision without an open attempt opens one. A failed attempt goes on answering
fail until its end is reported or its caller has fallen silent; the next question then opens a new attempt
with fresh evidence, because a retry has the same revision and only time tells it apart.
"""

from dataclasses import replace

from firedamp import __version__
from firedamp.decision import parameters as stored
from firedamp.decision.parameters import Parameters
from firedamp.errors import ConflictError
from firedamp.model import Ask, Outcome, Release, ReleaseKey
from firedamp.ports import Store

#: A caller who has asked nothing for this long, or three of its usual distances, has given up.
SILENCE_SECONDS = 60.0
#: An attempt nobody asks about for this long beyond decide-by is abandoned.
ABANDONED_SECONDS = 3600.0
#: The same advance question within this time is the same question.
REPEAT_SECONDS = 5.0
#: Questions closer than this do not move `last_asked`: they would only wear the disk.
_TOUCH_SECONDS = 5.0


def revision(ask: Ask) -> str | None:
    """
    The revision as stored.

    An experiment compares other pods than the rollout around it, so it is a release of its own.
    """
    if ask.revision is None or not ask.experiment:
        return ask.revision
    return f"{ask.revision}-experiment"


async def current(store: Store, ask: Ask, parameters: Parameters, now: float) -> Release | None:
    """The release that a question is about, opened where that is its due; None where there is none."""
    name = revision(ask)
    latest = await store.latest(ask.namespace, ask.service, name)
    if latest is not None and not (ask.opens and over(latest, parameters, now)):
        return latest
    if name is None or not ask.opens:
        return latest
    if latest is not None and latest.ended is None:
        await store.update(replace(latest, ended=now, outcome=_outcome(latest)))
    return await _open(store, ask, name, latest, parameters, now)


def over(release: Release, parameters: Parameters, now: float) -> bool:
    """A question at this time is about a new attempt."""
    silence = now - release.last_asked
    gone = silence > max(SILENCE_SECONDS, 3 * release.ask_gap)
    if release.ended is not None:
        return now - release.ended > SILENCE_SECONDS or gone
    if release.verdict is Outcome.FAIL:
        return gone
    window = parameters.window.deadline_seconds + ABANDONED_SECONDS
    return silence > ABANDONED_SECONDS and now - release.started > window


def _outcome(release: Release) -> str:
    return "rolled-back" if release.verdict is Outcome.FAIL else "abandoned"


async def _open(
    store: Store, ask: Ask, name: str, latest: Release | None, parameters: Parameters, now: float
) -> Release:
    attempt = latest.key.attempt + 1 if latest else 1
    release = Release(
        id=0,
        key=ReleaseKey(ask.namespace, ask.service, name, attempt),
        controller=ask.controller,
        started=now,
        arms=dict(ask.arms),
        experiment=ask.experiment,
        parameters=stored.to_json(parameters),
        version=__version__,
        last_asked=now,
        step_label=ask.step,
        step_since=now,
        weight=ask.weight,
    )
    try:
        return await store.open(release)
    except ConflictError:
        # Another replica opened it in the same instant; theirs is as good.
        found = await store.latest(ask.namespace, ask.service, name)
        if found is None:
            raise
        return found


def asked(release: Release, ask: Ask, now: float) -> Release:
    """The release after a question: its rhythm, and the traffic step that the question names."""
    return _stepped(_touched(release, now), ask, now)


def _touched(release: Release, now: float) -> Release:
    gap = now - release.last_asked
    if gap < _TOUCH_SECONDS:
        return release
    usual = gap if release.ask_gap == 0 else 0.7 * release.ask_gap + 0.3 * gap
    return replace(release, last_asked=now, ask_gap=usual)


def _stepped(release: Release, ask: Ask, now: float) -> Release:
    label = ask.step is not None and ask.step != release.step_label
    weight = ask.step is None and ask.weight is not None and ask.weight != release.weight
    if not (label or weight):
        return release if ask.weight is None else replace(release, weight=ask.weight)
    return replace(
        release,
        step=release.step + 1,
        step_label=ask.step if ask.step is not None else release.step_label,
        step_since=now,
        weight=ask.weight if ask.weight is not None else release.weight,
        advanced_block=None,
    )


def weighted(release: Release, weight: float, now: float) -> Release:
    """The release after its controller told a new weight: a new step begins."""
    return replace(release, weight=weight, step=release.step + 1, step_since=now)


def advanced(release: Release, block: int | None, now: float) -> Release:
    """The release after an advance was passed; where nobody names steps, the next one begins now."""
    marked = replace(release, advanced_block=-1 if block is None else block)
    if release.step_label is not None:
        return marked
    return replace(marked, step=release.step + 1, step_since=now)


def repeats(release: Release, now: float) -> bool:
    """This advance question repeats one that was passed a moment ago."""
    return release.advanced_block is not None and now - release.step_since < REPEAT_SECONDS
