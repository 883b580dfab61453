"""What checks of levels share: one PromQL expression, one value per pod and block."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from firedamp.checks._base import BaseCheck, QueryText
from firedamp.model import Row
from firedamp.queries import Expression, Level, Need


class LevelCheck(BaseCheck):
    """A check of levels: one value per pod and block."""

    #: PromQL with $cohort in place of the cohort's matchers, one value per pod.
    query: QueryText
    #: Unit of the values, for sentences.
    unit: Annotated[str, Field(max_length=20)] = ""

    def needs(self) -> Mapping[str, Need]:
        """One value per pod and block."""
        return {"level": Level(Expression(self.query))}

    def rows(self, parts: Mapping[str, Mapping[str, Row]]) -> Mapping[str, Row]:
        """The level of each pod."""
        return parts.get("level", {})
