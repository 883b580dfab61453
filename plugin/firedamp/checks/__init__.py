"""
One question per module: what to fetch, and what the answer means.

A new kind of check is a new module with a class that has `needs()`, `rows()` and `begin()`, and its
name in `Check` below.
"""

from typing import Annotated

from pydantic import Field

from firedamp.checks._base import BaseCheck, arm_rows, aside
from firedamp.checks._flow import FlowRoot, Link
from firedamp.checks._run import PASS_LEVEL, Grant, Moment, Run
from firedamp.checks.collateral import FlowCollateral
from firedamp.checks.distribution import Distribution, FlowDuration
from firedamp.checks.operations import Operations
from firedamp.checks.proportion import FlowFailures, Proportion
from firedamp.checks.relative import Relative
from firedamp.checks.threshold import Threshold
from firedamp.checks.trend import Trend

Check = Annotated[
    Proportion
    | Distribution
    | Relative
    | Threshold
    | Trend
    | FlowFailures
    | FlowDuration
    | FlowCollateral
    | Operations,
    Field(discriminator="kind"),
]

__all__ = [
    "PASS_LEVEL",
    "BaseCheck",
    "Check",
    "Distribution",
    "FlowCollateral",
    "FlowDuration",
    "FlowFailures",
    "FlowRoot",
    "Grant",
    "Link",
    "Moment",
    "Operations",
    "Proportion",
    "Relative",
    "Run",
    "Threshold",
    "Trend",
    "arm_rows",
    "aside",
]
