"""What contracts and pages need of the judge."""

from typing import Protocol

from firedamp.model import Ask, Release, Ruling, Verdict


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

    async def rule(self, ruling: Ruling) -> Ruling:
        """
        A person rules on a failing warn check of a running release, or withdraws a ruling.

        Args:
            ruling: its block and what the check said are filled in.

        Returns:
            The ruling as it was written down.

        Raises:
            NotFoundError: there is no such release.
            AskError: it cannot be said of this release now.
        """
        ...
