"""
Tuning: what may be changed of how a service is judged, and what a change would have made of past releases.

    change      what may be tuned, and a change of it: the body of an override
    wording     what a change comes to, in words
    comparable  which past releases tell something of it
    preview     a past release judged again with the change
"""

from firedamp.decision.tuning.change import (
    ALPHAS,
    Change,
    CheckChange,
    WindowChange,
    between,
    from_json,
    in_window,
    said,
    to_json,
    tunable,
)
from firedamp.decision.tuning.comparable import obstacle
from firedamp.decision.tuning.preview import (
    Again,
    Compared,
    Incomparable,
    Stand,
    begin,
    compared,
    is_of_other_version,
)
from firedamp.decision.tuning.wording import DURATIONS, SHARES, called, difference, shown

__all__ = [
    "ALPHAS",
    "DURATIONS",
    "SHARES",
    "Again",
    "Change",
    "CheckChange",
    "Compared",
    "Incomparable",
    "Stand",
    "WindowChange",
    "begin",
    "between",
    "called",
    "compared",
    "difference",
    "from_json",
    "in_window",
    "is_of_other_version",
    "obstacle",
    "said",
    "shown",
    "to_json",
    "tunable",
]
