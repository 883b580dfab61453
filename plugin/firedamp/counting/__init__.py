"""
Counters are counted, not estimated: raw samples in, whole increases per pod and block out.

PromQL's `increase()` extrapolates to the window's edges and loses what a new pod counted before its
first scrape; a test of a few errors cannot afford either. The rules:

- An increase between two samples of a series is booked whole into the block (start, end] that holds
  the later one; the predecessor may lie before the block, up to `LOOK_BACK_SECONDS` earlier. So nothing
  is lost or doubled, wherever blocks are cut.
- A value below its predecessor is a reset: the counter began again at zero.
- A first sample without predecessor counts from zero where its counter is known to have begun unseen:
  a new series of a target scraped before, or a pod that began inside the look-back (by its process
  start time, or because others were scraped while it was not). Else it only says where counting begins.
- Samples at the time of an earlier one, before it, or closer to it than half the scrape interval are
  dropped: two Prometheus replicas with skewed clocks behind one address would look like resets.
"""

from firedamp.counting.increases import count
from firedamp.counting.levels import levels
from firedamp.counting.scrapes import one_replica
from firedamp.counting.values import LOOK_BACK_SECONDS, Count, Floats, Memory, Presence, Samples, Series

__all__ = [
    "LOOK_BACK_SECONDS",
    "Count",
    "Floats",
    "Memory",
    "Presence",
    "Samples",
    "Series",
    "count",
    "levels",
    "one_replica",
]
