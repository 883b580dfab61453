"""
Judges stored evidence again: with the parameters it was judged by, or with others.

Pure. With the same parameters every look must come out byte for byte as it is stored; with others it
shows what they would have said. What people ruled holds from the block after which they said it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from firedamp.cohorts import comparison_arm
from firedamp.decision import known, policy, rulings, session
from firedamp.decision import parameters as stored
from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning import Change, tunable
from firedamp.errors import AskError
from firedamp.model import Look, Mode, Outcome, Question, Release, Ruling, Verdict
from firedamp.store import codec

#: What `--tolerance` changes, whichever a check has.
_TOLERANCES = ("tolerance", "max_increase", "max_decrease")


@dataclass(frozen=True, slots=True)
class Rerun:
    """
    A release judged again.

    Attributes:
        looks: the looks as they come out now, over the stored evidence, and as people ruled on them.
        differs_at: first block whose look is not byte for byte the stored one; None when all are.
        verdict: answer to the promote question at the last look; None without looks.
        before: the same from the stored looks.
    """

    looks: tuple[Look, ...]
    differs_at: int | None
    verdict: Verdict | None
    before: Verdict | None

    @property
    def decided_block(self) -> int | None:
        """The block at which harm was proven, or else the pass rule held."""
        return decided(self.looks)


def again(
    release: Release, looks: Sequence[Look], parameters: Parameters, spoken: Sequence[Ruling] = ()
) -> Rerun:
    """Fold the stored evidence under these parameters; `spoken` is all that was ever ruled."""
    now = tuple(_folded(release, looks, parameters))
    differing = (
        old.evidence.block.index
        for old, new in zip(looks, now, strict=True)
        if codec.encode(old) != codec.encode(new)
    )
    return Rerun(
        tuple(rulings.ruled(look, spoken) for look in now),
        next(differing, None),
        answer(release, now, parameters, spoken),
        answer(release, looks, stored.from_json(release.parameters), spoken),
    )


def _folded(release: Release, looks: Sequence[Look], parameters: Parameters) -> Sequence[Look]:
    key = release.key
    against = comparison_arm(parameters.cohorts.select(key.namespace, key.service, release.arms))
    running = session.begin(parameters, release.started, against, known.from_json(release.noise))
    found = []
    for look in looks:
        running, findings = session.advance(running, look.evidence)
        # The version says who wrote the look, not what is in it.
        found.append(Look(look.evidence, findings, running.standing, look.version))
    return found


def answer(
    release: Release, looks: Sequence[Look], parameters: Parameters, spoken: Sequence[Ruling] = ()
) -> Verdict | None:
    """What the promote question would be answered at the last look, after all that was ruled."""
    if not looks:
        return None
    told = rulings.in_force(spoken)
    case = policy.Case(Question.PROMOTE, release, parameters, looks[-1], Mode.JUDGE, rulings=told)
    return policy.answer(case)


def decided(looks: Sequence[Look]) -> int | None:
    """The block at which harm was proven, or else the pass rule held; None while undecided."""
    if not looks:
        return None
    standing = looks[-1].standing
    return standing.failed_block if standing.failed_block is not None else standing.passed_block


def outcome(looks: Sequence[Look]) -> Outcome:
    """Where the release stood at its last look."""
    if not looks:
        return Outcome.INCONCLUSIVE
    standing = looks[-1].standing
    if standing.failed_block is not None:
        return Outcome.FAIL
    return Outcome.INCONCLUSIVE if standing.passed_block is None else Outcome.PASS


def changed(
    parameters: Parameters, tolerances: Mapping[str, float], window: Mapping[str, float], alpha: float | None
) -> Parameters:
    """
    The parameters with some of them changed.

    Args:
        parameters: as the release was judged.
        tolerances: tolerance by check's name, as shares.
        window: fields of the window, in seconds.
        alpha: probability of ever rolling back a healthy release; None leaves it.

    Raises:
        AskError: there is no such check, it has no tolerance, or the values do not go together.
    """
    checks = {name: {_tolerance(parameters, name): value} for name, value in tolerances.items()}
    try:
        change = Change.model_validate({"checks": checks, "window": dict(window), "alpha": alpha})
    except ValidationError as error:
        raise AskError(f"these parameters cannot be: {error}") from error
    return change.applied(parameters)


def _tolerance(parameters: Parameters, name: str) -> str:
    """What a check of this name calls its tolerance."""
    check = next((check for check in parameters.checks if check.name == name), None)
    if check is None:
        return _TOLERANCES[0]  # the change itself says which checks there are
    fields = tunable(check)
    found = next((field for field in _TOLERANCES if field in fields), None)
    if found is None:
        raise AskError(f"check {name!r} is a {check.kind} check, which has no tolerance")
    return found
