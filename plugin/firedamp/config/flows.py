"""Where a service's traces are, and which of the flows that pass through it are judged."""

from pydantic import Field, model_validator

from firedamp.checks import Check, Operations
from firedamp.decision.flows import Flow
from firedamp.decision.parameters import Tracing
from firedamp.decision.tuning import CheckChange
from firedamp.errors import AskError

_AS_IT_IS = CheckChange()


class Traces(Tracing):
    """Where a service's traces are, and which flows are judged."""

    #: Name of the source of traces; the first one where it is not given.
    source: str | None = None
    flows: tuple[Flow, ...] = ()
    #: Where no flow is named, so many of those that met the service most before a release are judged.
    discover: int = Field(default=3, ge=0, le=10)
    #: What is other of single checks than their flow says, by the check's name: place-order.latency.
    tuned: dict[str, CheckChange] = Field(default_factory=dict)

    def checks(self) -> tuple[Check, ...]:
        """Those of each flow, and what is asked of the service by any."""
        return tuple(self.tuned.get(check.name, _AS_IT_IS).applied(check) for check in self._written_checks())

    def _written_checks(self) -> list[Check]:
        flows = [check for flow in self.flows for check in flow.checks(self)]
        return [*flows, Operations(name="operations", kind="operations")]

    def reading(self) -> Tracing:
        """What decides a release, without where it is found."""
        own = {name: getattr(self, name) for name in Tracing.model_fields}
        return Tracing(**{**own, "discover": 0 if self.flows else self.discover})

    @model_validator(mode="after")
    def _written(self) -> "Traces":
        linked = [flow.name for flow in self.flows if flow.linked]
        if linked and len(linked) == len(self.flows):
            raise ValueError(
                f"flow {linked[0]!r} is linked, and no other is there; "
                "name the flow in which its messages are written, too"
            )
        return self

    @model_validator(mode="after")
    def _fitting(self) -> "Traces":
        known = [check.name for check in self._written_checks()]
        if unknown := [name for name in self.tuned if name not in known]:
            raise ValueError(f"tuned: there is no check {unknown[0]!r}; known are {', '.join(known)}")
        try:
            self.checks()
        except AskError as error:
            raise ValueError(f"tuned: {error}") from error
        return self

    @model_validator(mode="after")
    def _distinct(self) -> "Traces":
        names = [flow.name for flow in self.flows]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"flow {min(twice)!r} is there twice; give each flow its own name")
        return self
