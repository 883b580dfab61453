"""
What a release's looks show: numbers to be drawn, listed and downloaded, without a word of HTML in them.

    series        each check's lines over the looks, thinned
    pods          each pod's own values, the odd one marked
    durations     both arms' curves and quantiles
    operations    what was asked of the service
    doubts        what was wrong with the data
    ahead         what is waited for, and what alpha may be gone

Nothing here judges: what a finding said stands, and the rest is its evidence added up for people. All of it
is bounded, whatever a release brings.
"""

from firedamp.decision.exhibits.ahead import Ahead, Spent, ahead, pace, spent, warm_from
from firedamp.decision.exhibits.doubts import MOST_DOUBTS, Doubt, doubts
from firedamp.decision.exhibits.durations import LEVELS, Durations, durations
from firedamp.decision.exhibits.operations import Operation, operations
from firedamp.decision.exhibits.pods import BOX, MOST_PODS, Pod, Pods, pods
from firedamp.decision.exhibits.series import LATELY, Lines, Series, Step, carried, series, steps

__all__ = [
    "BOX",
    "LATELY",
    "LEVELS",
    "MOST_DOUBTS",
    "MOST_PODS",
    "Ahead",
    "Doubt",
    "Durations",
    "Lines",
    "Operation",
    "Pod",
    "Pods",
    "Series",
    "Spent",
    "Step",
    "ahead",
    "carried",
    "doubts",
    "durations",
    "operations",
    "pace",
    "pods",
    "series",
    "spent",
    "steps",
    "warm_from",
]
