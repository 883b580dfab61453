"""
Distribution checks: is the canary slower? Mann-Whitney U on buckets, and the tail.

Two things are judged, each since warm-up and lately, and the four share the alpha: the body (every
request ranked by its bucket, against the comparison arm stretched by the tolerance) and the tail
(Fisher on requests above the edge nearest the 99th percentile). Either alone misses something: a shift of
the whole, or two requests in a hundred that wait a second.

Nothing is pooled over traffic weights: each block of the comparison arm counts with the weight of the
canary's requests in that block, so both histograms describe the same minutes.
"""

from firedamp.checks.distribution.flows import FlowDuration
from firedamp.checks.distribution.histograms import Distribution
from firedamp.checks.distribution.run import DistributionRun

__all__ = ["Distribution", "DistributionRun", "FlowDuration"]
