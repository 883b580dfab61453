"""The benchmark of traces: a tiny run answers in the shape that is promised."""

import json

import numpy as np
import pytest
import traces
from clock import cohorts


def test_json_tells_every_figure_with_its_spread_and_its_bars(capsys):
    """One object on standard output; speed has a bar below, memory one above."""
    assert (
        traces.main(["--json", "--rounds", "2", "--requests", "1", "--traces", "200", "--releases", "2"]) == 0
    )

    told = json.loads(capsys.readouterr().out)
    assert {"python", "protobuf", "rounds", "figures"} <= set(told)
    assert {"spans/s", "B", "%", "times"} == {figure["unit"] for figure in told["figures"]}
    assert all(figure["low"] <= figure["median"] <= figure["high"] for figure in told["figures"])
    assert [figure["at_least"] for figure in told["figures"] if "gzip" in figure["name"]] == [50_000.0]


@pytest.mark.simulation
@pytest.mark.timeout(300)
def test_a_trace_belongs_to_the_cohort_of_its_first_visit():
    """By any visit healthy releases look worse by a third, and are rolled back; by the first they are not."""
    releases = [cohorts.judged(seed, 1000) for seed in range(100)]

    first, touched = zip(*releases, strict=True)
    assert sum(one.rolled_back for one in first) <= 6
    assert sum(one.rolled_back for one in touched) >= 15
    assert np.median([one.odds for one in first]) == pytest.approx(1.0, abs=0.05)
    assert np.median([one.odds for one in touched]) > 1.2
