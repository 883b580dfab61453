"""
Which release a question is about, and what the question tells about it.

The first question about a revision without an open attempt opens one. A failed attempt goes on answering
fail until its end is reported or its caller has fallen silent; the next question then opens a new attempt
with fresh evidence, because a retry has the same revision and only time tells it apart.

A revision may also come back after others (roll forward, back, and forward again): content hashes repeat.
Argo reports no end, so an attempt is over as well when another revision was begun after its last question,
or when the caller compares it with another version than it did. One that a person ordered to roll back is
over like a failed one: when its caller has heard of the order and fallen silent.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from firedamp import __version__
from firedamp.decision import parameters as stored
from firedamp.decision.parameters import Parameters
from firedamp.errors import ConflictError
from firedamp.model import EXPERIMENT, Ask, Controller, Outcome, Question, Release, ReleaseKey
from firedamp.ports import Store

#: A caller who has asked nothing for this long, or three of its usual distances, has given up.
SILENCE_SECONDS = 60.0
#: An attempt nobody asks about for this long beyond decide-by is abandoned.
ABANDONED_SECONDS = 3600.0
#: The same advance question within this time is the same question.
REPEAT_SECONDS = 5.0
#: Questions closer than this do not move `last_asked`: they would only wear the disk.
_TOUCH_SECONDS = 5.0
#: A revision that came in between is among so many of the service's newest releases.
_NEWEST = 20
_ROLLED_BACK = "rolled-back"

Completed = Callable[[Parameters], Awaitable[Parameters]]


def revision(ask: Ask) -> str | None:
    """
    The revision as stored.

    An experiment compares other pods than the rollout around it, so it is a release of its own.
    """
    if ask.revision is None or not ask.experiment:
        return ask.revision
    return f"{ask.revision}{EXPERIMENT}"


async def current(
    store: Store, ask: Ask, parameters: Parameters, now: float, completed: Completed
) -> Release | None:
    """
    The release that a question is about, opened where that is its due; None where there is none.

    What only a look at the world tells of a service's parameters is asked for when a release begins.
    """
    name = revision(ask)
    latest = await store.latest(ask.namespace, ask.service, name)
    if name is None or not ask.opens:
        return latest
    if latest is not None and not await _is_past(store, latest, ask, parameters, now):
        return latest
    if latest is not None and latest.ended is None:
        await store.update(replace(latest, ended=now, outcome=left_as(latest)))
    return await _open(store, ask, name, latest, await completed(parameters), now)


async def _is_past(store: Store, latest: Release, ask: Ask, parameters: Parameters, now: float) -> bool:
    """A question at this time, in these words, is about a new attempt."""
    if over(latest, parameters, now) or not stored.is_readable(latest.parameters):
        return True
    if _renamed(latest, ask) and clash(latest, ask) is None:
        return True
    return await _left(store, latest, now)


def over(release: Release, parameters: Parameters, now: float) -> bool:
    """A question at this time is about a new attempt."""
    failed = release.verdict is Outcome.FAIL
    if release.ended is not None:
        # Stragglers get the last answer, but a retry of a failed attempt must not inherit its failure.
        return failed or now - release.ended > SILENCE_SECONDS or is_silent(release, now)
    if failed or release.outcome is not None:
        return is_silent(release, now)
    return is_abandoned(release, parameters.window.deadline_seconds, now)


def is_abandoned(release: Release, deadline_seconds: float, now: float) -> bool:
    """Its window is over, and nobody has asked about it since for long."""
    old = now - release.started > deadline_seconds + ABANDONED_SECONDS
    return old and now - release.last_asked > ABANDONED_SECONDS


def is_silent(release: Release, now: float) -> bool:
    """Whoever asked about it has given up."""
    return now - release.last_asked > max(SILENCE_SECONDS, 3 * release.ask_gap)


def is_still(release: Release, left: Release | None, now: float) -> bool:
    """It may be closed: nobody has asked about it since it was found left, if anybody found it so."""
    return left is None or (release.id == left.id and is_silent(release, now))


async def _left(store: Store, latest: Release, now: float) -> bool:
    """Whoever asked went over to another revision, and comes back now."""
    # Programs may judge several revisions side by side; a controller rolls out one at a time.
    alone = latest.controller in (Controller.ARGO, Controller.FLAGGER) or latest.verdict is Outcome.PASS
    if not (alone and is_silent(latest, now)):
        return False
    newest = await store.releases(namespace=latest.key.namespace, service=latest.key.service, limit=_NEWEST)
    return any(one.started > latest.last_asked and one.rollout != latest.rollout for one in newest)


def _renamed(release: Release, ask: Ask) -> list[str]:
    """Cohorts to which the release was opened under another name than this question gives."""
    both = [arm for arm in ask.arms if ask.arms[arm] and release.arms.get(arm)]
    return [arm for arm in both if ask.arms[arm] != release.arms[arm]]


def clash(release: Release, ask: Ask) -> str | None:
    """Why this question cannot be about this release, although it names its revision; None where it can."""
    if Controller.ARGO is not ask.controller or ask.experiment or "canary" not in _renamed(release, ask):
        return None
    return (
        f"revision {release.key.revision} is judged with the canary hash {release.arms['canary']!r}, this "
        f"question names {ask.arms['canary']!r}: evidence of two cohorts is never mixed; an experiment's "
        'analysis passes experiment: "true"'
    )


def left_as(release: Release) -> str:
    """How a release ended that everybody left without a word."""
    return release.outcome or (_ROLLED_BACK if release.verdict is Outcome.FAIL else "abandoned")


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
    """
    The release after a question: its rhythm, and the traffic step that the question names.

    A guard names none: the arguments of a background analysis are those of its start, and would put the
    release back into its first step with every question.
    """
    touched = _touched(release, now)
    return touched if ask.question is Question.GUARD else _stepped(touched, ask, now)


def _touched(release: Release, now: float) -> Release:
    gap = now - release.last_asked
    if gap < _TOUCH_SECONDS:
        return release
    # A pause of an hour between two steps is no rhythm.
    counted = min(gap, max(SILENCE_SECONDS, 3 * release.ask_gap))
    usual = gap if release.ask_gap == 0 else 0.7 * release.ask_gap + 0.3 * counted
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


def ordered(release: Release, *, is_back: bool) -> Release:
    """The release after its caller heard whether a person ordered it back; what has ended stays as it did."""
    if release.ended is not None:
        return release
    return replace(release, outcome=_ROLLED_BACK if is_back else None)


def repeats(release: Release, now: float) -> bool:
    """This advance question repeats one that was passed a moment ago."""
    return release.advanced_block is not None and abs(now - release.step_since) < REPEAT_SECONDS
