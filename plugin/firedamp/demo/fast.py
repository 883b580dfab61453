"""A clock that runs as fast as the demo likes, and a judge that lives by it."""

from dataclasses import dataclass

from firedamp.model import Ask, Release, Verdict
from firedamp.ports import Judging


@dataclass(slots=True)
class Clock:
    """The demo's time in Unix seconds; whoever plays sets it."""

    now: float


@dataclass(frozen=True, slots=True)
class OnDemoTime:
    """The judge behind the real application, told the demo's time instead of the wall's."""

    judge: Judging
    clock: Clock

    async def answer(self, ask: Ask, now: float) -> Verdict:
        del now
        return await self.judge.answer(ask, self.clock.now)

    async def ended(
        self, namespace: str, service: str, revision: str | None, *, outcome: str, by: str, now: float
    ) -> Release | None:
        del now
        return await self.judge.ended(
            namespace, service, revision, outcome=outcome, by=by, now=self.clock.now
        )

    async def told_weight(
        self, namespace: str, service: str, revision: str | None, *, weight: float, now: float
    ) -> None:
        del now
        await self.judge.told_weight(namespace, service, revision, weight=weight, now=self.clock.now)
