"""firedamp is driven by its own path, with what it would know."""

from math import inf

import pytest
from arena import noise, ours, traffic
from arena.cells import Cell, Fault, Kind

from firedamp.model import Arm

DEAD = Cell(fault=Fault(Kind.ERRORS, inf), checks=2)


def made(cell, number=0):
    return traffic.release(cell, traffic.generator(cell, 1, number))


def pieces(cell):
    settings = ours.parameters(cell.checks, cell.histograms, cell.alpha, warm_up=cell.warm_up)
    return list(ours.pieces(cell, settings, made(cell)))


def test_evidence_is_what_was_made_up():
    """Every request and error of the release is in some block, arm and pod."""
    cell = Cell(noise.PODS, checks=2)
    one = made(cell)
    rows = [
        row
        for evidence in pieces(cell)
        for piece in evidence.slices.values()
        for pods in piece.rows.values()
        for row in pods.values()
    ]

    assert [sum(column) for column in zip(*rows, strict=True)] == [one.errors.sum(), one.requests.sum()]


def test_evidence_names_its_traffic_step():
    """A ramp has three, of forty blocks each; other releases have one."""
    assert [evidence.step for evidence in pieces(Cell(ramp=True, checks=1))] == [0] * 40 + [1] * 40 + [2] * 40
    assert {evidence.step for evidence in pieces(Cell(checks=1))} == {0}


def test_a_canary_without_traffic_brings_no_rows():
    """Pods without requests are not in the evidence, as they are not in a metric's answer."""
    silent = pieces(Cell(fault=Fault(Kind.LOST), checks=1))

    assert not any(evidence.slices["errors-0"].rows[Arm.CANARY] for evidence in silent)


def test_histograms_come_with_their_bounds():
    """A latency is a distribution check, its rows have a number per bucket."""
    piece = pieces(Cell(noise.LATENCY, checks=1, histograms=1))[0].slices["latency-0"]

    assert len(piece.bounds) == len(next(iter(piece.rows[Arm.MAIN].values()))) == 12


def test_history_tells_bursts_from_single_errors():
    """Six hours of a bursty service are known to be bursty, check by check."""
    told = {}
    for kind in (noise.NONE, noise.BURSTS):
        cell = Cell(kind, 100_000.0, checks=2)
        known = ours.known(cell, *traffic.history(cell, traffic.generator(cell, 1, 0)))
        told[kind.name] = [one.dispersion.phi for one in known.values()]

    assert told["none"] == pytest.approx([1.0, 1.0], abs=0.5)
    assert min(told["bursts"]) > 3.0


def test_earlier_releases_add_up():
    """What two of them leave has the weight of both."""
    cell = Cell(noise.PODS, 100_000.0, checks=1)
    first, second = (ours.left(cell, made(cell, number)) for number in (0, 1))
    both = ours.together([first, second])

    assert both["errors-0"] == first["errors-0"] + second["errors-0"]


def test_a_dead_canary_is_stopped():
    """All requests of one check fail, and the release is over within minutes."""
    found = ours.course(DEAD, made(DEAD), {})

    assert found.stop is not None
    assert found.stop < 10
    assert found.passed is None


def test_both_versions_failing_is_no_verdict():
    """A quarter of all requests fails in both arms: neither rolled back nor passed."""
    cell = Cell(fault=Fault(Kind.BOTH, 0.25), checks=1)

    assert ours.course(cell, made(cell), {}) == ours.Judged()


def test_the_sequential_test_is_driven_by_itself():
    """It stops a dead canary at once, and hardly ever a healthy one."""
    healthy = Cell(checks=1, bare=True)

    assert ours.alone(DEAD, made(DEAD)).stop == 0
    assert sum(ours.alone(healthy, made(healthy, number)).stop is not None for number in range(40)) <= 4
