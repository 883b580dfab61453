"""What contracts and pages need of the judge."""

from typing import Protocol

from firedamp.model import Ask, Release, Verdict


class Judging(Protocol):
    """The judge, as contracts see it."""

    async def answer(self, ask: Ask, now: float) -> Verdict:
        """Answer one question. Raises nothing that a caller could not mend: trouble is a verdict."""
        ...

    async def ended(
        self, namespace: str, service: str, revision: str | None, *, outcome: str, by: str, now: float
    ) -> Release | None:
        """A controller or a person reports how the release ended; None where no release is known."""
        ...

    async def told_weight(
        self, namespace: str, service: str, revision: str | None, *, weight: float, now: float
    ) -> None:
        """A controller tells the canary's new share in [0, 1]: a new traffic step begins."""
        ...
