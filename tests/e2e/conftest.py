"""Scenarios on one stage; they are played only where that is asked for (`make e2e`)."""

from pathlib import Path

import pytest

from e2e.scenarios import noisy, repeated
from e2e.season import Report, Season
from e2e.stage import Programs
from real.gobuild import Missing

_BUILD = Path(__file__).parents[2] / "build"
#: How often every scenario is played, and how many healthy releases with a few errors each way.
_TIMES = {"--rounds": 1, "--noise": 0}
_SEASON = pytest.StashKey[Season]()


def pytest_addoption(parser):
    """How often, where once is not enough."""
    group = parser.getgroup("e2e")
    for name, default in _TIMES.items():
        group.addoption(name, type=int, default=default)


def pytest_generate_tests(metafunc):
    """Every scenario that was asked for."""
    if "scenario" in metafunc.fixturenames:
        # Where all tests are collected these options are not known.
        rounds, noise = (metafunc.config.getoption(name, default) for name, default in _TIMES.items())
        metafunc.parametrize("scenario", [*repeated(rounds), *noisy(noise)], ids=str)


@pytest.fixture(scope="session")
def season(request):
    """Every scenario that was chosen, begun."""
    programs = Programs.found()
    if isinstance(programs, Missing):
        pytest.skip(programs.reason)
    params = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    found = Season(programs, _BUILD / "e2e", [one["scenario"] for one in params if "scenario" in one])
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
