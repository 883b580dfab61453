"""
Releases of twenty checks as a judge leaves them, made up from a seed and judged by the product's own session.

Eight checks of errors, four of durations in twelve buckets, four levels, two limits and two trends, on four
pods of each version; one release in five is worse than what it replaces.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from firedamp import __version__
from firedamp.decision import recorded, session
from firedamp.decision.parameters import Parameters, to_json
from firedamp.model import Arm, Controller, Evidence, Look, Outcome, Release, ReleaseKey, Row, Slice

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
LOOK_SECONDS = 30.0
#: Pods of each version, and requests of both in a block.
_PODS, _REQUESTS = 4, 1200
_WEIGHTS = (0.05, 0.1, 0.2, 0.5)
_LETTERS = tuple("bcdfghjklmnpqrstvwxz2456789")


def checks() -> list[dict[str, Any]]:
    """The settings of all twenty."""
    errors = ("errors", "timeouts", "retries", "cart", "payment", "login", "search", "stock")
    durations = ("latency", "database", "cache", "gateway")
    levels = ("memory", "cpu", "connections", "queue")
    limits, trends = ("restarts", "kills"), ("heap", "descriptors")
    return [
        *(_proportion(name) for name in errors),
        *(_distribution(name) for name in durations),
        *(_level(name, kind="relative", max_increase="25%") for name in levels),
        *({"name": name, "kind": "threshold", "counter": f"{name}_total", "max": 2} for name in limits),
        *(_level(name, kind="trend") for name in trends),
    ]


def _proportion(name: str) -> dict[str, Any]:
    total = f'http_requests_total{{job="shop",route=~"/{name}/.*"}}'
    return {
        "name": name,
        "kind": "proportion",
        "events": total.replace("}", ',code=~"5.."}'),
        "total": total,
    }


def _distribution(name: str) -> dict[str, Any]:
    histogram = f'{name}_request_duration_seconds{{job="shop"}}'
    return {"name": name, "kind": "distribution", "histogram": histogram, "tolerance": "20%", "tier": "warn"}


def _level(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "query": f'process_{name}{{job="shop",$cohort}}', "unit": "bytes", **more}


@dataclass(frozen=True, slots=True)
class Traffic:
    """What each pod of a version has to do in a block, and how many times as badly as ever it does it."""

    requests: float
    worse: float
    index: int


@dataclass(frozen=True, slots=True)
class Course:
    """A release from its first look to its last."""

    release: Release
    looks: Sequence[Look]


def course(seed: int, parameters: Parameters, count: int, began: float) -> Course:
    """
    A release of so many looks that began then.

    Args:
        seed: of all numbers; also says how well it does.
        parameters: those that `checks` make.
        count: of looks.
        began: Unix seconds.
    """
    state, looks = session.begin(parameters, began, Arm.MAIN), []
    for piece in _evidence(seed, parameters, count, began):
        state, findings = session.advance(state, piece)
        looks.append(Look(piece, findings, state.standing, __version__))
    return Course(_release(seed, parameters, looks, began), looks)


def _release(seed: int, parameters: Parameters, looks: Sequence[Look], began: float) -> Release:
    revision = f"r{seed:04d}"
    ends = looks[-1].evidence.block.end
    bare = Release(
        id=0,
        key=ReleaseKey("shop", "service", revision, 1),
        controller=tuple(Controller)[seed % 3],
        started=began,
        arms={"canary": revision, "main": f"r{seed - 1:04d}"},
        experiment=False,
        parameters=to_json(parameters),
        version=__version__,
        last_asked=ends,
        weight=looks[-1].evidence.weight,
    )
    verdict, sentence = recorded.verdict(bare, parameters, looks[-1])
    outcome = "rolled back" if verdict is Outcome.FAIL else "promoted"
    return replace(bare, verdict=verdict, sentence=sentence, ended=ends + 20, outcome=outcome)


def _evidence(seed: int, parameters: Parameters, count: int, began: float) -> Iterator[Evidence]:
    rng = np.random.default_rng(seed)
    pods = {
        arm: [f"app-{_word(rng, 9)}-{_word(rng, 5)}" for _ in range(_PODS)] for arm in (Arm.MAIN, Arm.CANARY)
    }
    for index in range(count):
        step = min(len(_WEIGHTS) - 1, index * len(_WEIGHTS) // count)
        canary = Traffic(_REQUESTS * _WEIGHTS[step] / _PODS, 4.0 if seed % 5 == 0 else 1.0, index)
        main = Traffic(_REQUESTS / _PODS - canary.requests, 1.0, index)
        both = {Arm.MAIN: main, Arm.CANARY: canary}
        slices = {
            check.name: _slice(rng, at, check.kind, pods, both) for at, check in enumerate(parameters.checks)
        }
        yield Evidence(session.block(parameters, began, index), slices, _WEIGHTS[step], step)


def _word(rng: np.random.Generator, length: int) -> str:
    return "".join(rng.choice(_LETTERS, length))


def _slice(
    rng: np.random.Generator,
    at: int,
    kind: str,
    pods: Mapping[Arm, Sequence[str]],
    both: Mapping[Arm, Traffic],
) -> Slice:
    # The first checks of errors and of durations are those that a bad release harms.
    told = both if at in (0, 8) else {arm: replace(one, worse=1.0) for arm, one in both.items()}
    rows = {arm: {pod: _row(rng, kind, told[arm]) for pod in each} for arm, each in pods.items()}
    return Slice(rows, BOUNDS if kind == "distribution" else ())


def _row(rng: np.random.Generator, kind: str, traffic: Traffic) -> Row:
    requests = int(rng.poisson(traffic.requests))
    match kind:
        case "proportion":
            return float(rng.binomial(requests, 0.004 * traffic.worse)), float(requests)
        case "distribution":
            seconds = rng.lognormal(math.log(0.08 * traffic.worse), 0.7, requests)
            counted = np.bincount(np.searchsorted(BOUNDS, seconds), minlength=len(BOUNDS))
            return tuple(map(float, counted))
        case "threshold":
            return (0.0,)
        case _:
            return (float(round(4e8 * rng.normal(1, 0.02) + 2e4 * traffic.index)) // 4096 * 4096,)
