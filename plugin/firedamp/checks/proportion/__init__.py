"""
Proportion checks: events out of totals, judged by the sequential Fisher test.

Errors, refusals, cache misses, failed sends, conversions, failed flows: anything that is counted and has a
total. The canary's share of requests is taken inside each block, so nothing is ever pooled over traffic
weights.

Harm: the canary served more of the errors than chance, pod differences, bursts and the tolerance
explain, at any block (statistics: `stats.sequential`). No harm: a doubling, or half a percentage point
more, is excluded (`stats.noninferiority`). Anything else: needs more requests, and says how many.
"""

from firedamp.checks.proportion.counters import Proportion
from firedamp.checks.proportion.flows import FlowFailures
from firedamp.checks.proportion.run import ProportionRun

__all__ = ["FlowFailures", "Proportion", "ProportionRun"]
