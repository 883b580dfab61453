"""Real controllers roll releases forward and back because firedamp says so, with real traffic and metrics."""

import pytest

from e2e.scenarios import SCENARIOS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_it_ends_as_it_should(season, scenario):
    """The controller's last state, the weights on the way, what firedamp recorded, and what people read."""
    season.outcome(scenario)
