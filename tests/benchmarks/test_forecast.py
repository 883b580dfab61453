"""The benchmark of forecasts, in miniature: it measures what the docs say it does."""

import forecast
import numpy as np
import pytest

CELL = forecast.Cell(10_000, 0.01)


def test_history_tells_that_calm_traffic_is_calm():
    """What the check is granted knows of few clumps and of pods alike."""
    noise = forecast.grant(CELL, np.random.default_rng(1)).known.dispersion

    assert noise.phi < 1.5
    assert noise.tau < 0.15


def test_traffic_is_what_the_cell_says():
    """Requests, share and rate over both versions, the canary's errors multiplied."""
    pieces = list(forecast.pieces(CELL, 3.0, 60, np.random.default_rng(2)))
    main, canary = (
        np.array([row for piece in pieces for row in piece.rows[arm].values()]).sum(axis=0)
        for arm in (forecast.Arm.MAIN, forecast.Arm.CANARY)
    )

    assert main[1] + canary[1] == pytest.approx(10_000, rel=0.05)
    assert canary[1] / (main[1] + canary[1]) == pytest.approx(0.2, abs=0.02)
    assert canary[0] / canary[1] == pytest.approx(0.03, abs=0.01)


@pytest.mark.simulation
def test_forecasts_are_measured():
    """A few releases: requests said over requests needed, and how many canaries fail as foretold."""
    told, ratios = forecast.needs(CELL, 12, 3)
    (found,) = forecast.power(CELL, {60: ratios[60]}, 12, 3)

    assert 0.3 < told[0].median < 4
    assert told[0].low <= told[0].median <= told[0].high
    assert 1.5 < found.detectable < 5
    assert found.failed >= 0.5
