"""
One release as a state machine: a fold over evidence blocks.

    begin ──block──▶ undecided ──block──▶ ... ──▶ passed ──▶ (still guarded)
                         └──────── harm proven ────────────▶ failed

Harm is acted on at any block; no harm is judged at `promote_after` and at most twice more up to
`decide_by`, because a pass that is looked for at every block is found too easily. Nothing here waits,
reads a clock or rolls dice: the same blocks give the same findings, byte for byte, whether taken one by
one, rebuilt after a restart, or replayed.

Two clocks run. Alpha is spent by blocks in which there was evidence (`lived`); the window passes with
time, outages of the source left out, since nobody can be judged while nothing is seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from firedamp import cohorts
from firedamp.checks import PASS_LEVEL, Check, Grant, Moment, Run
from firedamp.decision import sampling, trust
from firedamp.decision.parameters import Parameters
from firedamp.decision.sampling import Sampling
from firedamp.decision.trust import Trust
from firedamp.model import Arm, Block, Evidence, Finding, Outcome, Standing, Tier, TroubleKind
from firedamp.stats.noise import Learnt

#: The pass rule is judged so often at most.
JUDGEMENTS = 3
#: So many failing warn checks at once withhold a pass until decide-by, or until people rule on them.
WARNINGS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """
    A release under judgement.

    Attributes:
        started: Unix time at which block 0 begins.
        runs: one per check, in the order of the parameters.
        trusts: likewise, whether its data can be believed.
        sampling: whether traces tell what counters do.
        blocks: blocks taken; the next one has this index.
        lived: blocks among them in which a critical check had evidence.
        lost: blocks among them in which the source saw nothing at all.
        canary_since: start of the first block in which the canary was seen; warm-up counts from it.
    """

    parameters: Parameters
    started: float
    runs: tuple[Run, ...]
    trusts: tuple[Trust, ...]
    sampling: Sampling
    blocks: int = 0
    lived: int = 0
    lost: int = 0
    canary_since: float | None = None
    standing: Standing = field(default_factory=Standing)

    @property
    def next_block(self) -> Block:
        """The block that evidence is wanted for next."""
        return block(self.parameters, self.started, self.blocks)


def block(parameters: Parameters, started: float, index: int) -> Block:
    """The block of this index in a release begun at `started`."""
    look = parameters.window.look
    return Block(index, started + index * look, started + (index + 1) * look)


def begin(
    parameters: Parameters,
    started: float,
    against: Arm | None,
    known: Mapping[str, Learnt] | None = None,
) -> Session:
    """
    A session without evidence.

    Args:
        parameters: how the release is judged.
        started: Unix time at which block 0 begins.
        against: the comparison arm, None where there is none.
        known: noise by check as known before the release; None and checks not named: nothing.
    """
    grants = [grant(parameters, check, against, known or {}) for check in parameters.checks]
    return Session(
        parameters,
        started,
        tuple(check.begin(granted) for check, granted in zip(parameters.checks, grants, strict=True)),
        trust.begin(parameters.checks, grants, cohorts.labels(parameters.cohorts)),
        sampling.begin(parameters, against),
    )


def grant(parameters: Parameters, check: Check, against: Arm | None, known: Mapping[str, Learnt]) -> Grant:
    """What a release judged by these parameters grants a check; `known` is its noise by check."""
    window = parameters.window
    return Grant(
        alpha=parameters.alpha_of(check),
        against=against,
        look_seconds=window.look,
        warm_up_seconds=window.warm_up,
        decide_by_seconds=window.deadline_seconds,
        ceiling=parameters.ceiling,
        known=known.get(check.name, Learnt()),
    )


def advance(
    session: Session, evidence: Evidence, *, planning: bool = True
) -> tuple[Session, tuple[Finding, ...]]:
    """
    Take one block and judge; without `planning` nobody will read the findings.

    Raises:
        ValueError: it is not the next block.
    """
    if evidence.block.index != session.blocks:
        raise ValueError(f"block {evidence.block.index} is not the next one, {session.blocks}")
    counted = _counted(session, evidence)
    moment = _moment(counted, evidence, planning=planning)
    slices = [evidence.slices.get(check.name) for check in session.parameters.checks]
    moments = [_of(check, moment, counted, evidence) for check in session.parameters.checks]
    runs = [
        run if piece is None else run.take(piece, own)
        for run, piece, own in zip(session.runs, slices, moments, strict=True)
    ]
    witnesses = [witness for run in runs if (witness := run.witness) is not None]
    runs = [run.heard(witnesses) for run in runs]
    traced = session.sampling.take(evidence)
    trusts = tuple(
        known if piece is None else known.take(piece, traced.weight(known.check, evidence), own)
        for known, piece, own in zip(session.trusts, slices, moments, strict=True)
    )
    trusted = [known.judged(run.finding(own)) for known, run, own in zip(trusts, runs, moments, strict=True)]
    findings = traced.judged(session.parameters.checks, trusted)
    standing = _standing(counted, findings, evidence.block, moment)
    return replace(counted, runs=tuple(runs), trusts=trusts, sampling=traced, standing=standing), findings


def replay(session: Session, blocks: Iterable[Evidence]) -> Session:
    """Take many blocks whose findings are known; what would have been seen is not worked out again."""
    for evidence in blocks:
        session, _ = advance(session, evidence, planning=False)
    return session


def _counted(session: Session, evidence: Evidence) -> Session:
    critical = {check.name for check in session.parameters.checks if check.tier is Tier.CRITICAL}
    slices = [piece for name, piece in evidence.slices.items() if name in critical or not critical]
    seen = any(any(piece.rows.values()) for piece in slices)
    down = bool(slices) and all(
        any(trouble.kind is TroubleKind.SOURCE_DOWN for trouble in piece.troubles) for piece in slices
    )
    lost = down or (not seen and session.lived > 0)
    canary = any(piece.rows.get(Arm.CANARY) for piece in evidence.slices.values())
    since = session.canary_since
    return replace(
        session,
        blocks=session.blocks + 1,
        lived=session.lived + seen,
        lost=session.lost + lost,
        canary_since=evidence.block.start if since is None and canary else since,
    )


def _moment(session: Session, evidence: Evidence, *, planning: bool) -> Moment:
    window = session.parameters.window
    since = session.canary_since
    warm = since is not None and evidence.block.start >= since + window.warm_up
    level = PASS_LEVEL if _is_judged(session) else None
    return Moment(evidence.block, max(1, session.lived), warm, level, planning, evidence.step)


def _of(check: Check, moment: Moment, session: Session, evidence: Evidence) -> Moment:
    """The moment as a check sees it: what traces tell is of an earlier time, when warm-up may not be over."""
    tracing, since = session.parameters.traces, session.canary_since
    if not moment.warm or tracing is None or since is None or check.traced() is None:
        return moment
    warm_up = session.parameters.window.warm_up + tracing.settle
    return moment if evidence.block.start >= since + warm_up else replace(moment, warm=False)


def _elapsed(session: Session) -> float:
    """Seconds since the start without outages, which stretch the window to twice its length at most."""
    window = session.parameters.window
    lost = min(session.lost * window.look, window.deadline_seconds)
    return session.blocks * window.look - lost


def _is_judged(session: Session) -> bool:
    """Whether the pass rule is judged at the block just counted."""
    standing, window = session.standing, session.parameters.window
    settled = standing.passed_block is not None or standing.failed_block is not None
    if standing.judged >= JUDGEMENTS or settled:
        return False
    first = judgement_after(window.promote_after, window.deadline_seconds, standing.judged)
    # The last judgement falls on the block in which decide-by lies, however the blocks are cut.
    return first <= _elapsed(session) < window.deadline_seconds + window.look


def judgement_after(promote_after: float, decide_by: float, judged: int) -> float:
    """Seconds after the start at which the pass rule is judged next, having been judged so often."""
    return promote_after + (decide_by - promote_after) * judged / (JUDGEMENTS - 1)


def _standing(session: Session, findings: tuple[Finding, ...], taken: Block, moment: Moment) -> Standing:
    old = session.standing
    critical = [finding for finding in findings if finding.tier is Tier.CRITICAL]
    harm = next((finding.sentence for finding in critical if finding.outcome is Outcome.FAIL), None)
    now = replace(
        old,
        judged=old.judged + (moment.pass_level is not None),
        detectable=_detectable(critical),
        elapsed_seconds=_elapsed(session),
    )
    if old.failed_block is not None:
        return now
    if harm is not None:
        return replace(now, failed_block=taken.index, harm=harm)
    if moment.pass_level is None or not _passes(critical):
        return now
    if _is_withheld(session, findings):
        return replace(now, withheld_block=taken.index if old.withheld_block is None else old.withheld_block)
    return replace(now, passed_block=taken.index)


def _passes(critical: list[Finding]) -> bool:
    return bool(critical) and all(finding.outcome is Outcome.PASS for finding in critical)


def _is_withheld(session: Session, findings: tuple[Finding, ...]) -> bool:
    """Several warnings withhold a pass until decide-by, or until people rule on them."""
    warned = sum(f.tier is Tier.WARN and f.outcome is Outcome.FAIL for f in findings)
    return warned >= WARNINGS and _elapsed(session) < session.parameters.window.deadline_seconds


def _detectable(critical: list[Finding]) -> float | None:
    """Smallest rise that every critical proportion would have shown; None while one cannot say."""
    found = [finding.detectable for finding in critical if finding.kind == "proportion"]
    known = [ratio for ratio in found if ratio is not None]
    return max(known) if known and len(known) == len(found) else None
