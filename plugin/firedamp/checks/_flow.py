"""Where a flow begins, as checks write it, and the traces that show what became of it."""

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from firedamp.model import Finding, Outcome
from firedamp.queries import Operation

#: So many traces are shown.
_MOST = 10


class FlowRoot(BaseModel):
    """A flow's root: the entry service, and what is asked of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str = Field(min_length=1, max_length=253)
    #: Method and route, or the span's name: POST /orders.
    operation: str = Field(min_length=1, max_length=300)

    def asked(self) -> Operation:
        """As traces are asked for it."""
        return Operation(self.service, self.operation)


def latest(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    """The newest traces first, for backends forget old ones soonest."""
    return (*new, *old)[:_MOST] if new else old


def shown(finding: Finding, traces: tuple[str, ...]) -> Finding:
    """A failed finding with the traces that show it, the newest in its sentence."""
    if finding.outcome is not Outcome.FAIL or not traces:
        return finding
    return replace(finding, traces=traces, sentence=f"{finding.sentence}; for example trace {traces[0]}")
