"""
Whether a check's data can be believed: not the last block alone, which its run sees to, but lately.

Counters that begin again and again, scrapes that are missed, an arm that falls silent, requests that carry no
version label, a canary that gets another share of them than its weight: each block may look whole, and the
comparison is still one that nobody should promote by. Such a check is set aside, with the value, the limit
and the remedy. Harm that it has proven is said all the same, and what is put right is believed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from firedamp import words
from firedamp.checks import Check, Grant, Moment, arm_rows, aside
from firedamp.decision.unlabelled import WITHOUT_VERSION, Unlabelled, without_labels
from firedamp.model import Arm, Finding, Outcome, Situation, Slice, TroubleKind
from firedamp.stats import share
from firedamp.stats.null import shares_at
from firedamp.stats.share import ShareTest
from firedamp.units import spoken_duration

#: Chance of ever calling the traffic share of a release wrong that is right, over all of its checks.
SHARE_ALPHA = 0.001
#: So many blocks are looked back on; limits are parts of them, once there are half as many.
BLOCKS = 20
#: More resets than in this part of them are a storm, more gaps a hole.
RESETS, GAPS = 0.2, 0.5
# Trouble of fewer pods than one in so many is none of the check's.
_PODS = 10
# What the canary got some blocks ago counts for so much less with each.
_KEPT = 0.8
# An arm is silent after so many blocks without a request in which so many should have come.
_SILENT_BLOCKS, _SILENT_REQUESTS = 10, 20.0
# The source answered, but not this. While it does not answer at all, the window is stretched instead.
_NOT_TOLD = frozenset({TroubleKind.REFUSED, TroubleKind.PARTIAL, TroubleKind.TOO_LARGE})

# Frozen, so all checks may begin with the same.
_NO_BETS = ShareTest()

Amounts = tuple[float, float]


class Kind(Enum):
    """What can be wrong lately, the gravest first."""

    SHARE = auto()
    RESET = auto()
    GAP = auto()


@dataclass(frozen=True, slots=True)
class Note:
    """Something wrong with one block, in words."""

    block: int
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Silence:
    """
    Requests since warm-up, and for how long each arm has had none; comparison arm before canary.

    Attributes:
        requests: of both arms.
        blocks: since each arm's last request.
        heard: the other arm's requests in those.
    """

    requests: Amounts = (0.0, 0.0)
    blocks: tuple[int, int] = (0, 0)
    heard: Amounts = (0.0, 0.0)

    def add(self, baseline: float, canary: float) -> "Silence":
        """After one more block."""
        return Silence(
            _sum(self.requests, (baseline, canary)),
            (0 if baseline else self.blocks[0] + 1, 0 if canary else self.blocks[1] + 1),
            (0.0 if baseline else self.heard[0] + canary, 0.0 if canary else self.heard[1] + baseline),
        )

    @property
    def silent(self) -> int | None:
        """Which arm is silent though it should not be by what both had before; None neither."""
        for arm in (0, 1):
            before = self.requests[1 - arm] - self.heard[arm]
            long = self.blocks[arm] >= _SILENT_BLOCKS and before > 0
            if long and self.heard[arm] * self.requests[arm] / before >= _SILENT_REQUESTS:
                return arm
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Trust:
    """
    One check's data over a release.

    Attributes:
        grant: the check's; it knows the comparison arm and the clock.
        alpha: chance of ever calling the check's share of traffic wrong when it is right.
        unlabelled: requests that carry no version label.
        blocks: how many were taken.
        arms: those of which something was seen.
        notes: what was wrong in the last `BLOCKS` of them, oldest first.
        silence: how long an arm has had no requests.
        test: whether the canary gets its share.
        told: the weight at the last block of which the share was judged.
        got: requests of both arms at that weight, each block counting for less with time.
    """

    check: Check
    grant: Grant
    alpha: float
    unlabelled: Unlabelled
    blocks: int = 0
    arms: frozenset[Arm] = frozenset()
    notes: tuple[Note, ...] = ()
    silence: Silence = Silence()
    test: ShareTest = _NO_BETS
    told: float = 0.0
    got: Amounts = (0.0, 0.0)

    def take(self, piece: Slice, weight: float | None, moment: Moment) -> "Trust":
        """
        After one more block.

        Args:
            piece: what it brought.
            weight: the canary's expected share of all traffic in it; None unknown.
            moment: the block's.
        """
        known = self._counted(piece, weight) if moment.warm else self
        texts = {
            Kind.SHARE: known._mismatch() if moment.warm else "",
            Kind.RESET: _told(piece, TroubleKind.RESET),
            Kind.GAP: _hole(piece, self.arms),
        }
        old = (note for note in self.notes if note.block > self.blocks - BLOCKS)
        new = [Note(self.blocks, kind, text) for kind, text in texts.items() if text]
        seen = {arm for arm, rows in piece.rows.items() if rows}
        arms = self.arms if seen <= self.arms else self.arms | seen
        blocks, notes = self.blocks + 1, (*old, *new)
        counted = known.silence, known.test, known.told, known.got
        return Trust(self.check, self.grant, self.alpha, known.unlabelled, blocks, arms, notes, *counted)

    def _counted(self, piece: Slice, weight: float | None) -> "Trust":
        baseline = self.check.requests(arm_rows(piece, self.grant.against))
        canary = self.check.requests(arm_rows(piece, Arm.CANARY))
        if baseline is None or canary is None:
            return self
        # Of the baseline's own weight nobody tells, so the canary's share of the two is not known.
        expected = weight if self.grant.against is Arm.MAIN else None
        test = share.advance(
            self.test, baseline=baseline, canary=canary, expected=expected, window=self.grant.looks
        )
        told, got = self.told, self.got
        if expected is not None and test.neighbour is not None:
            kept = _KEPT if told == expected else 0.0
            told, got = expected, _sum((kept * got[0], kept * got[1]), (baseline, canary))
        unlabelled = self.unlabelled.add(piece.unlabelled, baseline + canary)
        silence = self.silence.add(baseline, canary)
        seen = self.blocks, self.arms, self.notes
        return Trust(self.check, self.grant, self.alpha, unlabelled, *seen, silence, test, told, got)

    def _mismatch(self) -> str:
        if not self.test.blocks or self.test.p_value > self.alpha:
            return ""
        got = self.got[1] / sum(self.got)
        least, most = (float(shares_at(by, self.told)) for by in (1 / share.FACTOR, share.FACTOR))
        if least <= got <= most:
            return ""  # it was put right, or is right at another weight
        return (
            f"the canary got {words.percent(got)} of the requests where its weight is "
            f"{words.percent(self.told)} ({words.percent(least)} to {words.percent(most)} are allowed); "
            "put the routing right, or tell no weight where the split is not exact"
        )

    @property
    def _counts_requests(self) -> bool:
        return _counts_requests(self.check)

    def judged(self, finding: Finding) -> Finding:
        """The finding, set aside where its data cannot be believed; harm proven stands."""
        if finding.outcome is Outcome.FAIL or finding.set_aside is not None:
            return finding
        # What lost its label is often the reason why a share is wrong.
        if doubt := self.unlabelled.doubt or self._noticed():
            return aside(finding, doubt, Situation.NO_DATA)
        if (silent := self.silence.silent) is not None:
            return aside(finding, self._unheard(silent), Situation.NO_TRAFFIC)
        unjudged = finding.outcome is Outcome.PASS and not self.test.blocks and self._counts_requests
        return replace(finding, sentence=f"{finding.sentence}; {self._unknown}") if unjudged else finding

    def _noticed(self) -> str:
        return self._wrong_share() or self._resets() or self._gaps() if self.notes else ""

    @property
    def _unknown(self) -> str:
        if self.grant.against is Arm.BASELINE:
            why = "the baseline's weight is not known"
        else:
            why = "no weight is told" if self.test.expected is None else "its weight has not held for long"
        return f"traffic share not judged, {why}"

    def _noted(self, kind: Kind) -> list[str]:
        return [note.text for note in self.notes if note.kind is kind]

    def _wrong_share(self) -> str:
        return next(reversed(self._noted(Kind.SHARE)), "")

    def _resets(self) -> str:
        remedy = "see why pods restart, or whether two Prometheus replicas answer in turn"
        return self._repeated(Kind.RESET, RESETS, remedy)

    def _gaps(self) -> str:
        return self._repeated(Kind.GAP, GAPS, "see why scrapes are missing")

    def _repeated(self, kind: Kind, part: float, remedy: str) -> str:
        said, lately = self._noted(kind), min(self.blocks, BLOCKS)
        limit = part * max(lately, BLOCKS // 2)
        if len(said) <= limit:
            return ""
        return (
            f"{said[-1]}; something of the kind was in {len(said)} of the last "
            f"{words.plural(lately, 'block')}, at most {int(limit)} are allowed; {remedy}"
        )

    def _unheard(self, silent: int) -> str:
        names = words.arm(self.grant.against), "the canary"
        lasted = spoken_duration(self.silence.blocks[silent] * self.grant.look_seconds)
        heard = f"{words.count(self.silence.heard[silent])} in {names[1 - silent]}"
        return f"no requests in {names[silent]} for {lasted}, {heard}; see whether traffic still reaches it"


def begin(checks: Sequence[Check], grants: Sequence[Grant], labels: tuple[str, ...]) -> tuple[Trust, ...]:
    """
    Nothing known yet of any check's data; they share the alpha for a wrong share.

    Args:
        checks: of the release.
        grants: theirs.
        labels: that tell the cohorts apart.
    """
    counting = sum(map(_counts_requests, checks))
    alpha = SHARE_ALPHA / max(1, counting)
    return tuple(
        Trust(check, grant, alpha, _nothing_lacking(check, labels))
        for check, grant in zip(checks, grants, strict=True)
    )


def _nothing_lacking(check: Check, labels: tuple[str, ...]) -> Unlabelled:
    lacking = WITHOUT_VERSION if check.traced() else without_labels(labels)
    return Unlabelled(lacking, BLOCKS)


def _counts_requests(check: Check) -> bool:
    return check.requests({}) is not None


def _told(piece: Slice, kind: TroubleKind) -> str:
    """A trouble that so many pods had that it is the check's."""
    said = [trouble.text for trouble in piece.troubles if trouble.kind is kind]
    if not said:
        return ""
    pods = sum(len(rows) for rows in piece.rows.values())
    return said[0] if len(said) * _PODS >= pods else ""


def _hole(piece: Slice, arms: frozenset[Arm]) -> str:
    """What is missing in a block: scrapes, an answer, or an arm that was seen before."""
    for trouble in piece.troubles:
        lost = trouble.kind is TroubleKind.NO_SERIES and trouble.arm in arms
        if lost or trouble.kind in _NOT_TOLD:
            return trouble.text
    return _told(piece, TroubleKind.GAP)


def _sum(one: Amounts, other: Amounts) -> Amounts:
    return one[0] + other[0], one[1] + other[1]
