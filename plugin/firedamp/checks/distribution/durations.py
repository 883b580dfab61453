"""What every check of a distribution has: how much slower is harm."""

import math
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from firedamp.checks._base import BaseCheck
from firedamp.model import Row
from firedamp.units import Tolerance


class Durations(BaseCheck):
    """Rows are requests per bucket and pod."""

    #: How much slower is no harm.
    tolerance: Tolerance = 0.2
    #: Unit of the buckets, for sentences.
    unit: Annotated[str, Field(min_length=1, max_length=20)] = "seconds"

    def requests(self, rows: Mapping[str, Row]) -> float:
        """All buckets."""
        return math.fsum(count for row in rows.values() for count in row)
