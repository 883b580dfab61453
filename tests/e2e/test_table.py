"""The tables that a run of scenarios is told by."""

from e2e.table import tables


def report(scenario: str, **more: object) -> dict[str, object]:
    """Of a scenario that was as it should be."""
    usual = {"fault": "", "seconds": 60.4, "end": "rolled back", "seconds_to_zero": 20.2, "failed": 7}
    return {"scenario": scenario, **usual, **more}


def test_rounds_of_a_scenario_share_a_line():
    """With how many were as they should be, and the seconds of each."""
    found = list(tables([report("argo-errors"), report("argo-errors-2", fault="late", seconds=90.0)]))

    assert "| errors | 1 of 2, 60 90 s | – |" in found


def test_faults_stand_beside_what_the_controller_finds_itself():
    """Seconds to no traffic, or what became of it instead, with the requests that failed meanwhile."""
    missed = report("argo-builtin-errors", end="promoted", seconds_to_zero=None, failed=900)

    found = list(tables([report("argo-errors"), missed, report("flagger-builtin-errors", end="")]))

    told = "| errors | 20 s (7 failed) | promoted (900 failed) | – | not stopped (7 failed) |"
    assert told in found


def test_healthy_releases_are_counted_by_judge():
    """How many of them were rolled back."""
    found = list(tables([report("flagger-noise-1"), report("flagger-noise-2", end="promoted")]))

    assert "| firedamp | – | 1 of 2 |" in found
