"""Snapshots: a session goes on from one as if it had never been put away."""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from exactly import same
from firedamp.decision import session, snapshot
from firedamp.decision.frozen import UnfitError
from firedamp.decision.parameters import Parameters
from firedamp.decision.session import Session
from firedamp.model import Arm, Evidence, Finding, Row, Slice, Trouble, TroubleKind
from firedamp.stats.noise import Learnt

PARAMETERS = Parameters.model_validate(
    {
        "window": {"promote_after": 600, "decide_by": 1200, "warm_up": 60},
        "checks": [
            {"name": "errors", "kind": "proportion", "events": "e", "total": "t"},
            {"name": "hits", "kind": "proportion", "events": "h", "total": "t", "harm": "fewer"},
            {"name": "latency", "kind": "distribution", "histogram": "seconds"},
            {"name": "memory", "kind": "relative", "query": "m{$cohort}", "max_increase": 0.2},
            {"name": "leak", "kind": "trend", "query": "m{$cohort}"},
            {"name": "restarts", "kind": "threshold", "counter": "r", "max": 3},
            {"name": "queue", "kind": "threshold", "query": "q{$cohort}", "max": 1.3},
        ],
    }
)
KNOWN = {"errors": Learnt(30.0, 10.0, 0.2, 8.0, 40.0, 9000.0)}
BOUNDS = (0.1, 0.25, 0.5, 1.0, float("inf"))
BLOCKS = 50
TROUBLES = [
    Trouble(TroubleKind.RESET, "counter begun again in main-0"),
    Trouble(TroubleKind.GAP, "no scrape in main-1"),
    Trouble(TroubleKind.SOURCE_DOWN, "no answer"),
    Trouble(TroubleKind.NO_SERIES, "no such metric", Arm.CANARY),
]


def release(seed: int) -> Iterator[Evidence]:
    """A release made up from a seed: traffic, harm, silence, steps and troubles."""
    rng = np.random.default_rng(seed)
    requests, harm = rng.choice([0.2, 5.0, 300.0]), rng.choice([1.0, 1.0, 4.0])
    silent = rng.random() < 0.3
    for index in range(BLOCKS):
        late = harm if index > BLOCKS // 2 else 1.0
        weight = float(rng.choice([0.1, 0.2, 0.5])) if index % 17 == 0 else None
        arms = [arm for arm in (Arm.MAIN, Arm.CANARY) if not (silent and rng.random() < 0.4)]
        pods = {arm: [f"{arm}-{number}" for number in range(rng.integers(1, 6))] for arm in arms}
        kinds = {
            check.name: {arm: _rows(rng, check.name, pods[arm], requests, late) for arm in arms}
            for check in PARAMETERS.checks
            if rng.random() < 0.97
        }
        slices = {
            name: Slice(rows, BOUNDS if name == "latency" else (), _troubles(rng))
            for name, rows in kinds.items()
        }
        yield Evidence(session.block(PARAMETERS, 0.0, index), slices, step=index // 17, weight=weight)


def _troubles(rng: np.random.Generator) -> tuple[Trouble, ...]:
    return (TROUBLES[rng.integers(len(TROUBLES))],) if rng.random() < 0.1 else ()


def _rows(
    rng: np.random.Generator, check: str, pods: Sequence[str], requests: float, harm: float
) -> Mapping[str, Row]:
    worse = harm if any(pod.startswith(Arm.CANARY) for pod in pods) else 1.0
    match check:
        case "errors" | "hits":
            totals = rng.poisson(requests, len(pods))
            events = rng.binomial(totals, min(1.0, 0.02 * worse if check == "errors" else 0.9))
            return {pod: (float(k), float(n)) for pod, k, n in zip(pods, events, totals, strict=True)}
        case "latency":
            chances = np.array([0.5, 0.3, 0.15, 0.045, 0.005 * worse])
            drawn = rng.multinomial(rng.poisson(requests, len(pods)), chances / chances.sum())
            return {pod: tuple(map(float, row)) for pod, row in zip(pods, drawn, strict=True)}
        case "restarts":
            return {pod: (float(rng.random() < 0.01 * worse),) for pod in pods}
        case _:
            return {pod: (float(rng.normal(worse, 0.1)),) for pod in pods}


def begun() -> Session:
    return session.begin(PARAMETERS, 0.0, Arm.MAIN, KNOWN)


def findings(state: Session, blocks: Sequence[Evidence]) -> tuple[list[tuple[Finding, ...]], Session]:
    """What is found in each block, and the session after them."""
    found = []
    for block in blocks:
        state, judged = session.advance(state, block)
        found.append(judged)
    return found, state


def put_away(state: Session) -> Session:
    return snapshot.restored(snapshot.taken(state), begun())


# A seed has no simpler one.
@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.integers(0, 10**9), st.integers(0, BLOCKS - 1))
def test_a_session_goes_on_from_a_snapshot(seed, cut):
    """Never lost, rebuilt from all blocks, rebuilt from a snapshot: the same findings and the same state."""
    blocks = list(release(seed))
    whole, last = findings(begun(), blocks)
    _, before = findings(begun(), blocks[:cut])
    folded = session.replay(begun(), blocks[:cut])

    for kept in (put_away(before), put_away(put_away(folded))):
        found, state = findings(kept, blocks[cut:])
        assert repr(found) == repr(whole[cut:])
        assert same(state_of(state), state_of(last))


def state_of(state: Session) -> Session:
    """All but the parameters, which are one object."""
    assert state.parameters == PARAMETERS
    checks = tuple(replace(run, check=None) for run in state.runs)
    return replace(
        state,
        parameters=None,
        runs=checks,
        trusts=tuple(replace(one, check=None) for one in state.trusts),
    )


def test_what_a_session_begins_with_is_not_in_its_snapshot():
    """Parameters, checks and grants are those of the session begun anew."""
    fresh = begun()
    kept = snapshot.restored(snapshot.taken(session.replay(begun(), list(release(1)))), fresh)

    assert kept.parameters is fresh.parameters
    assert all(run.check is known.check for run, known in zip(kept.runs, fresh.runs, strict=True))
    assert all(one.grant is known.grant for one, known in zip(kept.trusts, fresh.trusts, strict=True))


def other_sessions() -> list[Session]:
    louder = PARAMETERS.model_copy(update={"alpha": 0.01})
    return [
        session.begin(louder, 0.0, Arm.MAIN, KNOWN),
        session.begin(PARAMETERS, 1.0, Arm.MAIN, KNOWN),
        session.begin(PARAMETERS, 0.0, Arm.BASELINE, KNOWN),
        session.begin(PARAMETERS, 0.0, Arm.MAIN, {}),
    ]


@pytest.mark.parametrize("other", other_sessions(), ids=["parameters", "start", "arm", "noise"])
def test_a_snapshot_belongs_to_what_it_was_taken_of(other):
    """Other parameters, another start or arm, other noise: it is not used."""
    with pytest.raises(UnfitError, match="belongs to other"):
        snapshot.restored(snapshot.taken(begun()), other)


def test_a_snapshot_of_another_version_is_not_used():
    """The engine that wrote it is said."""
    engine, *rest = msgspec.msgpack.decode(snapshot.taken(begun()))
    body = msgspec.msgpack.encode([f"0.0.1/{engine}", *rest])

    with pytest.raises(UnfitError, match=r"is of firedamp 0\.0\.1/"):
        snapshot.restored(body, begun())


@given(st.data())
def test_a_damaged_snapshot_is_not_used(data):
    """One bit is enough, and so is a missing end."""
    body = bytearray(snapshot.taken(begun()))
    place = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        body[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del body[place:]

    with pytest.raises(UnfitError):
        snapshot.restored(bytes(body), begun())


FORGED = {
    "cannot be unpacked": b"no such stream",
    "cannot be read": zlib.compress(b"\xc1"),
    "holds no session": zlib.compress(msgspec.msgpack.encode(7)),
}


@pytest.mark.parametrize(("packed", "why"), [*zip(FORGED.values(), FORGED, strict=True)], ids=FORGED)
def test_a_forged_snapshot_is_not_used(packed, why):
    """A digest that fits makes no session."""
    engine, belongs, *_ = msgspec.msgpack.decode(snapshot.taken(begun()))
    digest = hashlib.blake2b(packed, digest_size=16).digest()

    with pytest.raises(UnfitError, match=why):
        snapshot.restored(msgspec.msgpack.encode([engine, belongs, digest, packed]), begun())


def test_a_session_that_is_too_large_has_no_snapshot():
    """The limit is said; nothing is written."""
    with pytest.raises(UnfitError, match="at most 100 are kept"):
        snapshot.taken(begun(), most_bytes=100)


def test_a_snapshot_that_unpacks_to_too_much_is_not_used():
    """A small file of many zeros does not fill the memory."""
    with pytest.raises(UnfitError, match="no whole session of at most 100 bytes"):
        snapshot.restored(snapshot.taken(begun()), begun(), most_bytes=100)
