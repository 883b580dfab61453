"""
firedamp: tells, fast and honestly, whether a canary release is worse than what it replaces.

The layout is the architecture. One look at a canary is one walk down (contract, judge, plan,
source) and one walk back up (samples, checks, decision, verdict); imports point down only.
"""

__version__ = "0.1.0"
