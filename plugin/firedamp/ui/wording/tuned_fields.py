"""The fields of the form that tunes a service: what each means, what it is now, and whose value that is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pydantic_core import PydanticUndefined

from firedamp.checks import BaseCheck
from firedamp.decision import tuning
from firedamp.decision.parameters import Parameters, Window
from firedamp.decision.tuning import Change
from firedamp.judge.tuned import History
from firedamp.model import Tier
from firedamp.ui.forms import Entry
from firedamp.ui.pages.gates import Choice
from firedamp.ui.pages.tune import Field, Group
from firedamp.ui.wording.times import instant
from firedamp.ui.wording.tuned_values import ALPHAS, CHECK_FIELDS, WINDOW_FIELDS, Values

_MEANING = {
    "tolerance": "a rise up to this is no harm",
    "max_increase": "a rise up to this is no harm",
    "max_decrease": "a fall up to this is no harm",
    "max": "above it is harm",
    "min": "below it is harm",
    "min_excess": "a rise of less is no harm, however sure",
    "pass_ratio": "passes when a rise to this multiple is excluded",
    "pass_excess": "or a rise by this much",
    "tier": "critical rolls back, warn asks a person, debug only records",
    "weight": "its part of alpha, beside the other checks of its tier",
    "warm_up": "what comes earlier counts only against an all but dead canary",
    "promote_after": "the first time at which it can pass",
    "decide_by": "then the service's policy decides; empty: twice promote after",
    "alpha": "the chance of ever rolling back a healthy release",
    "alpha_warn": "the same for checks that warn",
}
_LABELS = {
    "tolerance": "Tolerance",
    "max_increase": "Largest increase",
    "max_decrease": "Largest decrease",
    "max": "Most",
    "min": "Least",
    "min_excess": "Smallest rise",
    "pass_ratio": "Pass ratio",
    "pass_excess": "Pass excess",
    "tier": "Tier",
    "weight": "Weight",
    "warm_up": "Warm-up",
    "promote_after": "Promote after",
    "decide_by": "Decide by",
    "alpha": "Alpha",
    "alpha_warn": "Alpha of warnings",
}


@dataclass(frozen=True, slots=True)
class Form:
    """
    What fields are made of.

    Attributes:
        found: what is in force, and every version of it.
        wanted: the values that stand in the form.
        entry: a field as it is drawn, from its name and its value as text.
        now: Unix time.
    """

    found: History
    wanted: Values
    entry: Callable[[str, str], Entry]
    now: float

    @classmethod
    def of(
        cls, found: History, check: str, draft: Change, entry: Callable[[str, str], Entry], now: float
    ) -> "Form":
        """The form of a check ("" where there is none) with a draft in it, which fits the settings."""
        return cls(found, Values.of(draft.applied(found.now.written), check), entry, now)

    def groups(self) -> Iterator[Group]:
        """The fields of the check, then those of the whole."""
        if self.wanted.check is not None:
            names = [one for one in CHECK_FIELDS if one in self.wanted.named]
            about = _about(self.wanted.check, self.found.now.parameters)
            yield Group(self.wanted.check.name, about, self._fields(names))
        yield Group("When it is judged", "", self._fields(WINDOW_FIELDS))
        yield Group("How sure it must be", "", self._fields(ALPHAS))

    def _fields(self, names: Sequence[str]) -> tuple[Field, ...]:
        return tuple(self._field(name) for name in names)

    def _field(self, name: str) -> Field:
        entry = self.entry(name, self.wanted.text(name))
        return Field(
            label=_LABELS[name],
            entry=entry,
            hint=_MEANING[name],
            now=tuning.shown(name, self._of(self.found.now.parameters).named.get(name)),
            origin=self._origin(name),
            choices=tuple(Choice(one, one, one == entry.value) for one in Tier) if name == "tier" else (),
        )

    def _of(self, parameters: Parameters) -> Values:
        """The same values of other parameters."""
        return Values.of(parameters, self.wanted.check.name if self.wanted.check else "")

    def _origin(self, name: str) -> str:
        """Whose value it is: the last one's to tune it, the settings', or nobody's but ours."""
        value, written = self._of(self.found.now.parameters).named.get(name), self._of(self.found.now.written)
        shipped = _shipped(written.check, name)
        if value == written.named.get(name):
            return "as shipped" if value == shipped else _beside("by the settings", name, shipped)
        since = self.found.since(lambda past: self._of(past).named.get(name) == value)
        by = f" by {since.by}, version {since.version}, {instant(since.at, self.now).ago}" if since else ""
        return _beside(f"tuned{by}; settings: {tuning.shown(name, written.named.get(name))}", name, shipped)


def _about(check: BaseCheck, parameters: Parameters) -> str:
    """What a check's weight comes to; one that only records uses no alpha."""
    judged = next(one for one in parameters.checks if one.name == check.name)
    if judged.tier is Tier.DEBUG:
        return f"A {check.kind} check that only records."
    whole = parameters.alpha if judged.tier is Tier.CRITICAL else parameters.alpha_warn
    part = tuning.shown("alpha", round(parameters.alpha_of(judged), 6))
    return f"A {check.kind} check. Of its tier's alpha of {tuning.shown('alpha', whole)} it has {part} now."


def _beside(text: str, name: str, shipped: object) -> str:
    return text if shipped is None else f"{text}; shipped: {tuning.shown(name, shipped)}"


def _shipped(check: BaseCheck | None, name: str) -> object:
    """What a value is where nobody says anything; None where somebody must."""
    own = type(check).model_fields if check else {}
    found = ({**own, **Window.model_fields, **Parameters.model_fields}).get(name)
    return None if found is None or found.default is PydanticUndefined else found.default
