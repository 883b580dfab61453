"""
Judges the releases of the days before as they would have been judged then: the same judge, the same store,
questions at the times of then, and people's words at theirs. Nothing is typed that firedamp can find.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from firedamp.config import Settings
from firedamp.demo import days, earlier
from firedamp.demo.controller import ARRIVAL_SECONDS
from firedamp.demo.days import Episode
from firedamp.judge import Judge
from firedamp.judge import rulings as heard
from firedamp.model import Ask, Controller, Label, Outcome, Question, Ruling, Verdict
from firedamp.ports import Gate, Store
from firedamp.sources.replay import ReplaySource
from firedamp.tracing.intake import Interest
from firedamp.wiring import SettingsBook

#: Blocks that are over are judged together with the next question: half of the questions say as much.
INTERVAL_SECONDS = 60.0
_MINUTE, _HOUR = 60.0, 3600.0
#: A busy machine must not leave a look out.
_DEADLINE_SECONDS = 120.0
_CALLERS = {Controller.ARGO: "argo-rollouts", Controller.FLAGGER: "flagger", Controller.CI: "pipeline"}


async def judged(settings: Settings, store: Store, until: float) -> None:
    """
    Fill an empty store with the days before.

    Args:
        settings: of the shop, with `days.services()`.
        store: where the releases go, the oldest first.
        until: Unix time at which the days end, in whole seconds.
    """
    for number, episode in enumerate(days.EPISODES):
        began = until - round(episode.hours * _HOUR)
        source = ReplaySource(earlier.recorded(episode, number, began))
        judge = Judge(
            SettingsBook(settings, Interest(frozenset(), frozenset()), lambda: until),
            {one.name: source for one in settings.metrics},
            store,
            {one.name: source for one in settings.tracers},
            deadline_seconds=_DEADLINE_SECONDS,
        )
        try:
            await _Rollout(episode, began, judge, store).play()
        finally:
            await judge.close()


@dataclass(slots=True)
class _Rollout:
    """One release on its way; `ruled` and `held` once people have spoken."""

    episode: Episode
    began: float
    judge: Judge
    store: Store
    ruled: bool = False
    held: bool = False

    async def play(self) -> None:
        verdict, now = None, self.began
        for minute in self._minutes():
            now = self.began + minute * _MINUTE + (ARRIVAL_SECONDS if minute else 0)
            await self._hold(minute, now)
            verdict = await self.judge.answer(self._ask(minute), now)
            # What hours before tell of noise is learnt before the first look, however fast this clock runs.
            await self.judge.settled()
            await self._rule(minute, now, verdict)
            if _decided(verdict):
                break
        if verdict is not None:
            await self._end(verdict, now)
            await self._label(verdict, now)

    def _minutes(self) -> Iterator[float]:
        yield from range(int(self.episode.minutes) + 1)

    def _ask(self, minute: float) -> Ask:
        episode, weight = self.episode, earlier.share(self.episode, minute)
        is_last = weight == episode.steps[-1][1]
        return Ask(
            namespace=episode.of.namespace,
            service=episode.of.service,
            question=Question.PROMOTE if is_last else Question.ADVANCE,
            controller=episode.controller,
            revision=episode.revision,
            arms={"canary": episode.revision, "main": episode.of.stable},
            weight=weight,
            step=f"{weight:.0%}",
        )

    async def _hold(self, minute: float, now: float) -> None:
        hold, of = self.episode.hold, self.episode.of
        if hold is None or self.held or minute < hold.minute:
            return
        self.held = True
        expires = now + hold.lasts_minutes * _MINUTE
        await self.store.set_gate(
            Gate(of.namespace, of.service, "hold", "", True, expires, hold.by, now, hold.note)
        )

    async def _rule(self, minute: float, now: float, verdict: Verdict) -> None:
        ruling, fails = self.episode.ruling, _failing(verdict)
        if ruling is None or self.ruled or minute < ruling.minute or ruling.check not in fails:
            return
        self.ruled = True
        word = Ruling(verdict.release_id or 0, ruling.check, ruling.word, ruling.by, now, ruling.note)
        await heard.spoken(self.store, word)

    async def _end(self, verdict: Verdict, now: float) -> None:
        of, outcome = self.episode.of, self.episode.end or _outcome(verdict)
        if outcome:
            by = _CALLERS[self.episode.controller]
            await self.judge.ended(
                of.namespace, of.service, self.episode.revision, outcome=outcome, by=by, now=now + 4
            )
            await self.judge.settled()

    async def _label(self, verdict: Verdict, now: float) -> None:
        said = self.episode.label
        if said is not None and verdict.release_id is not None:
            label = Label(verdict.release_id, said.word, said.by, now + _HOUR, said.note)
            await heard.labelled(self.store, label)


def _failing(verdict: Verdict) -> set[str]:
    return {finding.check for finding in verdict.findings if finding.outcome is Outcome.FAIL}


def _decided(verdict: Verdict) -> bool:
    """A controller stops asking: harm is proven, or the last step may be promoted."""
    promoted = verdict.question is Question.PROMOTE and verdict.outcome is Outcome.PASS
    return promoted or verdict.outcome is Outcome.FAIL


def _outcome(verdict: Verdict) -> str:
    if verdict.outcome is Outcome.FAIL:
        return "rolled back"
    return "promoted" if _decided(verdict) else ""
