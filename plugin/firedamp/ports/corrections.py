"""What people correct firedamp by: rulings and labels of releases, and tuned settings of services."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from firedamp.model import Label, Ruling


@dataclass(frozen=True, slots=True)
class Override:
    """
    A service's settings as tuned by a person, on top of the written ones.

    Attributes:
        version: 1, 2, ... of this service; the newest is in force.
        body: the change as canonical JSON, which no store reads; "" goes back to the written settings.
    """

    namespace: str
    service: str
    version: int
    by: str
    at: float
    note: str = ""
    body: str = ""


class Corrections(Protocol):
    """The part of a store that keeps them: rows are added and never changed. May raise StoreError."""

    async def rule(self, ruling: Ruling) -> None:
        """
        Append a ruling and record it in the audit trail, in one transaction.

        Raises:
            StoreError: its release is not there.
        """
        ...

    async def rulings(self, release_id: int) -> Sequence[Ruling]:
        """All that was ever ruled on a release, in the order in which it was."""
        ...

    async def label(self, label: Label) -> None:
        """
        Append a label and record it in the audit trail, in one transaction.

        Raises:
            StoreError: its release is not there.
        """
        ...

    async def labels(self, release_ids: Sequence[int]) -> Mapping[int, Label]:
        """The newest label of each of these releases, where it was not withdrawn."""
        ...

    async def judged(self, namespace: str, service: str, *, limit: int = 200) -> Sequence[Label]:
        """The newest label of each release of a service, where it was not withdrawn, the last said first."""
        ...

    async def tune(self, override: Override) -> None:
        """
        Append the next version of a service's tuned settings and record it in the audit trail.

        Raises:
            ConflictError: the version is not the next one: somebody else was faster.
        """
        ...

    async def override(self, namespace: str, service: str) -> Override | None:
        """The newest version; None where nobody ever tuned."""
        ...

    async def overrides(self, namespace: str, service: str) -> Sequence[Override]:
        """Every version, newest first."""
        ...
