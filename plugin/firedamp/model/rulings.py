"""
What people say of a release: rulings while it runs, and a label afterwards.

Both are told once more where somebody thinks better of it: the newest word counts, the earlier ones stay.
"""

from dataclasses import dataclass
from enum import StrEnum


class Ruled(StrEnum):
    """What a person makes of a failing check of the warn tier."""

    REAL = "real"  # harm, like that of a critical check
    FALSE_ALARM = "false-alarm"  # no harm: it keeps nothing from passing
    WITHDRAWN = "withdrawn"  # as if nobody had ruled

    @property
    def spoken(self) -> str:
        """The word in a sentence."""
        return self.value.replace("-", " ")


class Judged(StrEnum):
    """How right a release's verdict was, as seen afterwards; positive is a verdict of harm."""

    TRUE_POSITIVE = "true-positive"  # failed, and was harmful
    FALSE_POSITIVE = "false-positive"  # failed, and was not
    TRUE_NEGATIVE = "true-negative"  # did not fail, and was not harmful
    FALSE_NEGATIVE = "false-negative"  # did not fail, and was
    WITHDRAWN = "withdrawn"  # as if nobody had judged

    @property
    def spoken(self) -> str:
        """The word in a sentence."""
        return self.value.replace("-", " ")


@dataclass(frozen=True, slots=True)
class Ruling:
    """
    A person's word about one failing check of one release.

    Attributes:
        block: the last block judged when it was spoken; it holds from the next one on.
        said: the check's sentence at that block: what the person saw.
    """

    release_id: int
    check: str
    word: Ruled
    by: str
    at: float
    note: str = ""
    block: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A person's word about the verdict of one release."""

    release_id: int
    word: Judged
    by: str
    at: float
    note: str = ""
