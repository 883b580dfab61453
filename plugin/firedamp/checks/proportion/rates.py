"""What every check of a rate has: how much worse is harm, and what a pass excludes."""

import math
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from firedamp.checks._base import BaseCheck
from firedamp.model import Row
from firedamp.units import Excess, Share, Tolerance


class Rates(BaseCheck):
    """Rows are (bad events, requests) per pod."""

    #: Largest rise of the odds that is no harm.
    tolerance: Tolerance = 0.25
    #: Smallest absolute rise that can be harm.
    min_excess: Excess = 0.001
    #: Pass when a rise of the rate to this multiple is excluded ...
    pass_ratio: Annotated[float, Field(gt=1, le=100)] = 2.0
    #: ... or a rise by this much; where good outcomes are the rarer, the ratio alone counts.
    pass_excess: Share = 0.005

    @property
    def misses(self) -> bool:
        """The bad events are good ones that did not come: a comparison arm without any is not failing."""
        return False

    @property
    def odds_only(self) -> bool:
        """Of the good outcomes an unknown part is counted: versions have odds, and no rates."""
        return False

    def requests(self, rows: Mapping[str, Row]) -> float:
        """The second column."""
        return math.fsum([row[1] for row in rows.values()])

    def counted(self, *, swapped: bool) -> str:
        """What the outcome that is compared is called: the events, or their absence."""
        raise NotImplementedError
