"""Scenarios on one stage; they are played only where that is asked for (`make e2e`)."""

from pathlib import Path

import pytest

from e2e.scenarios import SCENARIOS
from e2e.season import Report, Season
from e2e.stage import Programs
from real.gobuild import Missing

_BUILD = Path(__file__).parents[2] / "build"
_SEASON = pytest.StashKey[Season]()


@pytest.fixture(scope="session")
def season(request):
    """Every scenario that was chosen, begun."""
    programs = Programs.found()
    if isinstance(programs, Missing):
        pytest.skip(programs.reason)
    chosen = {
        item.callspec.params["scenario"].name
        for item in request.session.items
        if hasattr(item, "callspec") and "scenario" in item.callspec.params
    }
    found = Season(programs, _BUILD / "e2e", [one for one in SCENARIOS if one.name in chosen])
    request.config.stash[_SEASON] = found
    found.open()
    yield found
    found.close()


def pytest_terminal_summary(terminalreporter, config):
    """A table of what came of each."""
    season = config.stash.get(_SEASON, None)
    if season is None:
        return
    terminalreporter.section(f"scenarios; the stage stood after {season.up_seconds:g} s")
    for report in season.reports.values():
        terminalreporter.write_line(_line(report))


def _line(report: Report) -> str:
    result = "failed" if report.fault else "as it should"
    stopped = (
        "" if report.seconds_to_zero is None else f", no traffic {report.seconds_to_zero:g} s after the fault"
    )
    shares = " ".join(map(str, report.steps))
    return f"{report.scenario}: {result}, {report.seconds:g} s{stopped}; shares {shares}; {report.sentence}"
