"""What the API answers of people's words: rulings on warnings, labels of verdicts."""

from pydantic import BaseModel, ConfigDict

from firedamp.model import Judged, Ruled


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class RulingAnswer(_Answer):
    """
    What a person said of a failing warn check, after which block, and what the check said then.

    `in_force` is false of what was withdrawn or thought better of since.
    """

    release: int
    check: str
    word: Ruled
    by: str
    at: float
    note: str
    block: int
    said: str
    in_force: bool


class RulingList(_Answer):
    """All that was ever ruled on a release, in the order in which it was."""

    rulings: list[RulingAnswer]


class LabelAnswer(_Answer):
    """What a person said afterwards of a release's verdict."""

    release: int
    word: Judged
    by: str
    at: float
    note: str
