"""
Everything that decides a release, as one frozen value: cohorts, window, checks, policies.

It is stored with the release as canonical JSON, so that a replay judges by what was in force then.
"""

import json
from collections import Counter
from enum import StrEnum
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firedamp.checks import Check, Link
from firedamp.cohorts import ArgoCohorts, Cohorts
from firedamp.model import Resort, Tier
from firedamp.units import Delay, Seconds, Share

#: A day has a rhythm, but errors clump as they did this morning; rare ones take weeks to show it.
HISTORY_SECONDS = 6 * 3600.0
History = Annotated[Seconds, Field(ge=3600, le=28 * 86400)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Frozen):
    """When a release is judged. Durations like 30m; every one counts from the release's start."""

    #: Length of an evidence block; at least two scrape intervals.
    look: Seconds = Field(default=30.0, ge=1, le=3600)
    #: Cold caches and compilers: evidence of this time counts only against an all but dead canary.
    warm_up: Delay = Field(default=120.0, le=86400)
    #: First judgement of the pass rule; two more follow up to decide_by.
    promote_after: Seconds = 1800.0
    #: After this the service's policy decides. Default: twice promote_after.
    decide_by: Seconds | None = None
    #: Shortest time in a traffic step before the canary may get more.
    advance_after: Seconds = 300.0
    #: From this time in a step on, it may get more even where little was seen.
    advance_by: Seconds = 900.0

    @property
    def deadline_seconds(self) -> float:
        return self.decide_by if self.decide_by is not None else 2 * self.promote_after

    @model_validator(mode="after")
    def _ordered(self) -> "Window":
        if not self.warm_up < self.promote_after <= self.deadline_seconds:
            raise ValueError("needs warm_up < promote_after <= decide_by")
        if self.look > self.promote_after:
            raise ValueError("look is longer than promote_after")
        if self.advance_by < self.advance_after:
            raise ValueError("needs advance_after <= advance_by")
        return self


class Policy(_Frozen):
    """What to make of "cannot tell": hold, fail or pass."""

    #: decide_by is over and neither harm nor its absence is proven.
    window_over: Resort = Resort.HOLD
    #: One of the two arms gets no requests.
    no_traffic: Resort = Resort.HOLD
    #: The metrics are missing.
    no_data: Resort = Resort.HOLD
    #: The source of metrics does not answer, or that of traces where nothing else is judged.
    source_down: Resort = Resort.HOLD


class Sampled(StrEnum):
    """How traces were chosen where their state does not tell."""

    HEAD = "head"  # by chance alone, before anything was known of them
    ERRORS_KEPT = "errors-kept"  # every failure, and by chance a part of the rest
    OTHERWISE = "otherwise"  # by latency, by rate, by anything else


class Tracing(_Frozen):
    """How end-to-end traces of a service are read."""

    #: Names under which the service reports its spans; by default its own, and Flagger's for it.
    services: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = ()
    #: How long a trace may still grow before it is counted.
    settle: Delay = Field(default=60.0, le=3600)
    #: How traces were sampled where their state does not tell; null where they are not, or as a head does.
    sampling: Sampled | None = None
    #: Where people see a trace: https://tempo.example/trace/{trace_id}.
    link: Link | None = None
    #: So many flows are looked for when a release begins.
    discover: int = Field(default=0, ge=0, le=10)

    def reported(self, service: str) -> tuple[str, ...]:
        """The names under which it reports; controllers add to a workload's own."""
        return self.services or (service, f"{service}-primary", f"{service}-canary")


class Parameters(_Frozen):
    """How one service's releases are judged."""

    cohorts: Cohorts = ArgoCohorts()
    window: Window = Window()
    checks: tuple[Check, ...] = ()
    policy: Policy = Policy()
    #: Probability of ever rolling back a healthy release, over all looks and critical checks.
    alpha: Share = Field(default=0.02, le=0.2)
    #: The same for the warn tier, whose failures ask a person.
    alpha_warn: Share = Field(default=0.05, le=0.5)
    #: Error share of the comparison arm above which nothing passes: both versions are failing.
    ceiling: Share = 0.2
    #: How long before a release noise is learnt from.
    history: History = HISTORY_SECONDS
    #: How traces are read; null where no check asks for any.
    traces: Tracing | None = None

    @model_validator(mode="after")
    def _distinct(self) -> "Parameters":
        twice = [name for name, times in Counter(check.name for check in self.checks).items() if times > 1]
        if twice:
            raise ValueError(f"check {twice[0]!r} is there twice; give each check its own name")
        return self

    def alpha_of(self, check: Check) -> float:
        """The check's share of its tier's alpha, by weight."""
        peers = sum(peer.weight for peer in self.checks if peer.tier is check.tier)
        whole = self.alpha if check.tier is Tier.CRITICAL else self.alpha_warn
        return whole * check.weight / peers


def to_json(parameters: Parameters) -> str:
    """Canonical JSON: the same parameters give the same bytes."""
    return json.dumps(
        parameters.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False
    )


@lru_cache(maxsize=256)
def from_json(text: str) -> Parameters:
    """
    Read back what `to_json` wrote; every question does, hence the cache.

    Raises:
        ValueError: it was written by an incompatible version.
    """
    return Parameters.model_validate_json(text)


def is_readable(text: str) -> bool:
    """Whether this version understands what another one may have written."""
    try:
        from_json(text)
    except ValueError:
        return False
    return True
