"""The recorded shop's releases, judged again under other parameters."""

import asyncio

import pytest

from cli.conftest import written
from cli.test_commands import judge_all
from firedamp.cli import options
from firedamp.decision.tuning import Change
from firedamp.judge.previews import Preview, Previews
from firedamp.model import Outcome
from firedamp.store import open_store


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Settings whose store holds both releases of checkout, judged look by look."""
    path = written(tmp_path_factory.mktemp("judged"))
    asyncio.run(judge_all(path))
    return options.settings(path)


def previewed(settings, said: dict[str, object]) -> Preview:
    async def made() -> Preview:
        async with await open_store(settings.store.address()) as store:
            in_force = settings.service("shop", "checkout").parameters()
            return await Previews(store).made("shop", "checkout", in_force, Change.model_validate(said))

    return asyncio.run(made())


def test_an_empty_change_gives_the_recorded_verdicts(judged):
    """The bad version failed at look 2, the good one passed at look 29, and so they do again."""
    found = previewed(judged, {})

    assert [(one.then.verdict, one.then.block) for one in found.compared] == [
        (Outcome.PASS, 29),
        (Outcome.FAIL, 2),
    ]
    assert all(one.now == one.then for one in found.compared)
    assert found.summary == "0 of 2 verdicts differ"


def test_what_a_tolerance_would_have_let_go_is_found(judged):
    """Eight times the odds of errors are borne: the bad version goes on, and nobody knows how far."""
    found = previewed(judged, {"checks": {"errors": {"tolerance": "700%"}}})

    [bad] = found.differing
    assert (bad.then.verdict, bad.now.verdict, bad.now.unseen) == (Outcome.FAIL, Outcome.INCONCLUSIVE, True)
    assert found.summary == "1 of 2 verdicts differs"
