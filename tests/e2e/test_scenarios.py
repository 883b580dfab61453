"""Real controllers roll releases forward and back because firedamp says so, with real traffic and metrics."""

import pytest

# All of them are under way at once, and their own patience is far shorter.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(4 * 3600)]


def test_it_ends_as_it_should(season, scenario):
    """The controller's last state, the weights on the way, what firedamp recorded, and what people read."""
    season.outcome(scenario)
