"""
Operations check: is there something that the other version serves and the canary never does?

An endpoint deleted by mistake answers a polite 404, a consumer that was not registered answers nothing at
all; neither is an error to anybody's metrics. Both show in what is asked of the service: each operation's
requests fall to the canary with its share of the traffic, or else it does not have it any more.

Rows are (failed, all, those of traces in which anything failed) of each operation.

An operation that the canary alone serves is nothing bad: it is named, for a renamed one shows as both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from firedamp import words
from firedamp.checks._base import BaseCheck, arm_rows, blank, early, say, set_aside, totals
from firedamp.checks._run import CountsNothing, Grant, Moment
from firedamp.model import Arm, Finding, Outcome, Row, Slice, Tier
from firedamp.queries import Measure, Need, Traced
from firedamp.stats import absence
from firedamp.stats.absence import Absence

#: Operations that may be missed; the alpha is split among so many, whichever they are.
MOST = 50
#: So many are remembered: names with ids in them never end.
_KNOWN = 200
#: Requests of one client come together; they are counted as so many fewer.
_CLUMPS = 1.75
# Operations that make up this part of the traffic must have been seen in the canary for a pass.
_NEARLY_ALL = 0.99


class Operations(BaseCheck):
    """What is asked of the service, by its entry spans."""

    kind: Literal["operations"]
    # A removed endpoint may be meant, and a renamed span looks the same.
    tier: Tier = Tier.WARN

    def needs(self) -> Mapping[str, Need]:
        """Nothing of metrics."""
        return {}

    def traced(self) -> Traced:
        """Every visit in the traces that are asked for: of the flows, or of the service without any."""
        return Traced(Measure.OPERATIONS)

    def begin(self, grant: Grant) -> "OperationsRun":
        """An empty run."""
        return OperationsRun(self, grant)


@dataclass(frozen=True, slots=True)
class OperationsRun(CountsNothing):
    """
    An operations check over one release.

    Attributes:
        known: what was seen of each operation, in the order in which they were.
        seen: requests of both arms since warm-up.
        missing: operations of which it was proven that the canary does not have them.
        last: the slice taken last.
    """

    check: Operations
    grant: Grant
    known: Mapping[str, Absence] = field(default_factory=dict)
    seen: tuple[float, float] = (0.0, 0.0)
    missing: tuple[str, ...] = ()
    last: Slice = field(default_factory=Slice)

    def take(self, piece: Slice, moment: Moment) -> "OperationsRun":
        """Add one block's operations."""
        baseline, canary = arm_rows(piece, self.grant.against), arm_rows(piece, Arm.CANARY)
        asked = totals(baseline, 3)[1], totals(canary, 3)[1]
        if not (moment.warm and any(asked)):
            return replace(self, last=piece)
        share = asked[1] / (asked[0] + asked[1])
        known = dict(self.known)
        for name in _followed(known, (*baseline, *canary)):
            known[name] = absence.advance(
                known.get(name, Absence()),
                baseline=_count(baseline, name),
                canary=_count(canary, name),
                canary_share=share,
                dispersion=_CLUMPS,
            )
        seen = self.seen[0] + asked[0], self.seen[1] + asked[1]
        return replace(self, last=piece, known=known, seen=seen, missing=_missing(self, known))

    def finding(self, moment: Moment) -> Finding:
        """What is missing first, then trouble, then whether everything that is asked for was seen."""
        bare = blank(self.check, self.grant.against, alpha=self.grant.alpha)
        shown = replace(bare, baseline_n=self.seen[0], canary_n=self.seen[1], p_value=self._p_value)
        if self.missing:
            return say(shown, self._said(self.missing[0]), Outcome.FAIL)
        if (trouble := set_aside(bare, self.last)) is not None:
            return trouble
        if (silent := early(bare, self.seen, warm=moment.warm)) is not None:
            return silent
        return self._compared(shown)

    def _compared(self, shown: Finding) -> Finding:
        unseen = [name for name, one in self.known.items() if one.baseline_events and not one.canary_events]
        requests = sum(self.known[name].baseline_events for name in unseen)
        number = words.plural(len(self.known), "operation")
        if requests <= (1 - _NEARLY_ALL) * self.seen[0]:
            return say(shown, f"the canary serves what {self._arm} does ({number})", Outcome.PASS)
        worst = max(unseen, key=lambda name: self.known[name].surprise)
        expected = words.significant(self.known[worst].baseline_events * self.seen[1] / self.seen[0])
        said = f"{worst} was not asked of the canary yet; about {expected} times would have been usual"
        return say(shown, said)

    def _said(self, name: str) -> str:
        one, requests = self.known[name], words.plural(self.seen[1], "canary request")
        more = f", nor {words.plural(len(self.missing) - 1, 'other')}" if len(self.missing) > 1 else ""
        own = [other for other, each in self.known.items() if not each.baseline_events]
        instead = f"; it alone serves {own[0]}" if own else ""
        return (
            f"{self._arm} served {name} {words.count(one.baseline_events)} times, the canary never{more} "
            f"({requests}; one that has it gets here {words.chance(one.p_value)}){instead}"
        )

    @property
    def _arm(self) -> str:
        return words.arm(self.grant.against)

    @property
    def _p_value(self) -> float:
        return min(1.0, MOST * min((one.p_value for one in self.known.values()), default=1.0))


def _followed(known: Mapping[str, Absence], names: Iterable[str]) -> list[str]:
    """The operations that are followed, each once: those that are, and new ones as long as there is room."""
    each = dict.fromkeys(names)
    new = [name for name in each if name not in known][: max(0, _KNOWN - len(known))]
    return [name for name in each if name in known] + new


def _count(rows: Mapping[str, Row], name: str) -> float:
    return rows[name][1] if name in rows else 0.0


def _missing(run: OperationsRun, known: Mapping[str, Absence]) -> tuple[str, ...]:
    """Proven once stays proven; only the first operations that were ever seen may be missed."""
    level = run.grant.alpha / MOST
    proven = (name for name, one in list(known.items())[:MOST] if one.p_value <= level)
    return tuple(dict.fromkeys((*run.missing, *proven)))
