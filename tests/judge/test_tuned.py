"""Tuned settings: what is in force, for whom, who saves first, and what no longer fits."""

import asyncio
import itertools
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from fakes import MemoryStore
from firedamp.decision import tuning
from firedamp.decision.parameters import Parameters, from_json
from firedamp.decision.tuning import Change
from firedamp.errors import AskError, ConflictError, NotFoundError
from firedamp.judge import Judge
from firedamp.judge.tuned import Tuned, Tuning, misfits
from firedamp.ports import Override
from judge.shop import ASK, ERRORS, PARAMETERS, ShopBook, ShopSource

NAMES = ("shop", "checkout")
WIDER = Change.model_validate({"checks": {"errors": {"tolerance": "50%"}}})
SLOWER = Change.model_validate({"window": {"promote_after": "12m"}})
RENAMED = Parameters.model_validate({"checks": [ERRORS | {"name": "failures"}]})


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def desk(store):
    return Tuning(store, written)


def written(namespace: str, service: str) -> Parameters | None:
    return PARAMETERS if (namespace, service) == NAMES else None


async def saved(desk: Tuning, change: Change, based_on: int, **more: str) -> Tuned:
    return await desk.save(NAMES, change, based_on=based_on, by=more.pop("by", "alex"), now=1000.0, **more)


async def test_a_service_that_nobody_tuned_is_judged_by_the_settings(desk):
    """Version 0 is what is written."""
    found = await desk.now(*NAMES)

    assert (found.parameters, found.version, found.misfit) == (PARAMETERS, 0, "")


async def test_a_service_that_nobody_set_up_cannot_be_tuned(desk):
    """Tuning is on top of settings."""
    with pytest.raises(NotFoundError, match="shop/cart is not set up"):
        await desk.now("shop", "cart")


async def test_a_saved_change_is_in_force(desk):
    """The next one who looks finds it, with its version."""
    await saved(desk, WIDER, 0)

    found = await desk.now(*NAMES)

    assert (found.version, found.parameters) == (1, WIDER.applied(PARAMETERS))
    assert found.change == WIDER


async def test_the_audit_trail_says_what_was_changed(desk, store):
    """Who, what in words, and why."""
    await saved(desk, WIDER, 0, by="sue", note="bursts at noon")

    [event] = await store.events(namespace="shop")
    assert (event.by, event.service) == ("sue", "checkout")
    assert event.text == "tuned the settings (version 1): errors: tolerance 25 % → 50 % (bursts at noon)"


async def test_going_back_is_a_new_version(desk, store):
    """An empty change goes back to the settings; the earlier ones stay to be seen."""
    await saved(desk, WIDER, 0)
    found = await saved(desk, Change(), 1)

    assert (found.version, found.parameters) == (2, PARAMETERS)
    assert [one.body for one in await store.overrides(*NAMES)] == ["", tuning.to_json(WIDER)]
    [event, _] = await store.events()
    assert event.text == "went back to the written settings (version 2): errors: tolerance 50 % → 25 %"


async def test_an_earlier_version_can_be_taken_again(desk, store):
    """Its body is saved once more."""
    await saved(desk, WIDER, 0)
    await saved(desk, SLOWER, 1)
    first = (await store.overrides(*NAMES))[-1]

    found = await saved(desk, tuning.from_json(first.body), 2)

    assert (found.version, found.parameters) == (3, WIDER.applied(PARAMETERS))


async def test_what_the_settings_say_anyway_is_not_kept(desk, store):
    """So a later change of the settings comes through."""
    both = Change.model_validate({"checks": {"errors": {"tolerance": "25%", "weight": 2}}})
    await saved(desk, both, 0)

    [override] = await store.overrides(*NAMES)
    assert override.body == '{"checks":{"errors":{"weight":2.0}}}'


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (Change(), "nothing would change"),
        (Change.model_validate({"alpha": "2%"}), "nothing would change"),
        (Change.model_validate({"checks": {"eror": {"weight": 2}}}), "there is no check 'eror'"),
    ],
)
async def test_what_changes_nothing_or_does_not_fit_is_refused(desk, store, change, fault):
    """No version is made of it."""
    with pytest.raises(AskError, match=fault):
        await saved(desk, change, 0)

    assert await store.overrides(*NAMES) == []


async def test_who_saves_second_learns_what_the_first_one_did(desk):
    """Theirs in words, and what one's own would still change of it."""
    await saved(desk, WIDER, 0, by="sue")

    with pytest.raises(ConflictError) as caught:
        await saved(desk, SLOWER, 0, by="alex")

    assert str(caught.value) == (
        "sue saved version 1 at 1970-01-01 00:16 UTC (errors: tolerance 25 % → 50 %), yours is based on "
        "version 0 and would change of it: errors: tolerance 50 % → 25 %; "
        "window: promote after 10 min → 12 min; look at theirs and save again on top of it"
    )


async def test_a_version_that_never_was_is_no_base(desk):
    """Nobody has tuned yet."""
    with pytest.raises(ConflictError, match="nothing was tuned yet; base it on 0"):
        await saved(desk, WIDER, 7)


async def test_of_two_who_save_at_once_one_wins(desk, store):
    """Both read version 0; one is told so, whatever the order."""
    found = await asyncio.gather(saved(desk, WIDER, 0), saved(desk, SLOWER, 0), return_exceptions=True)

    assert sorted(type(one).__name__ for one in found) == ["ConflictError", "Tuned"]
    assert len(await store.overrides(*NAMES)) == 1


async def test_releases_that_begin_later_are_judged_by_it(desk, store):
    """Those that run keep what they began with."""
    judge = Judge(ShopBook(PARAMETERS), {"main": ShopSource()}, store)
    await judge.answer(ASK, 60.0)
    await saved(desk, WIDER, 0)
    await judge.answer(ASK, 90.0)
    await judge.answer(replace(ASK, revision="next", arms={"canary": "next", "main": "stable"}), 120.0)

    running, later = [await store.latest(*NAMES, revision) for revision in ("canary", "next")]
    assert from_json(running.parameters) == PARAMETERS
    assert from_json(later.parameters) == WIDER.applied(PARAMETERS)


async def test_an_override_that_fits_no_more_counts_for_nothing(desk, store):
    """The check that it names was renamed in the settings: those alone are followed, and the log says so."""
    await saved(desk, WIDER, 0)
    judge = Judge(ShopBook(RENAMED), {"main": ShopSource()}, store)

    with capture_logs() as logged:
        await judge.answer(ASK, 60.0)

    assert from_json((await store.latest(*NAMES, "canary")).parameters) == RENAMED
    assert [(one["event"], one["service"]) for one in logged] == [("override_misfit", "shop/checkout")]


async def test_misfits_are_told_with_the_reason(desk, store):
    """For whoever looks after it all."""
    await saved(desk, WIDER, 0)

    assert await misfits(store, written, [NAMES]) == []
    [found] = await misfits(store, lambda *_: RENAMED, [NAMES, ("shop", "cart")])
    assert str(found) == (
        "version 1 of shop/checkout's tuned settings is not followed, the settings alone are: "
        "there is no check 'errors': known are failures; name one of them"
    )


@pytest.mark.parametrize("body", ["no json", '{"checks": {"errors": {"colour": "red"}}}', '{"alpha": 0.9}'])
async def test_an_override_of_another_version_is_a_misfit(desk, store, body):
    """What this version cannot read it does not follow, and does not stumble over either."""
    await store.tune(Override(*NAMES, version=1, by="alex", at=1.0, body=body))

    found = await desk.now(*NAMES)

    assert found.parameters == PARAMETERS
    assert found.misfit == "another version of firedamp wrote it"


async def test_a_misfit_can_be_taken_back(store):
    """Though what is in force stays the same."""
    await store.tune(Override(*NAMES, version=1, by="alex", at=1.0, body=tuning.to_json(WIDER)))
    desk = Tuning(store, lambda *_: RENAMED)

    found = await saved(desk, Change(), 1)

    assert (found.version, found.misfit) == (2, "")
    assert found.override.note == "version 1, which did not fit the settings any more, is taken back"


async def test_versions_count_up(desk):
    """1, 2, 3 for each service on its own."""
    changes = itertools.cycle([WIDER, SLOWER])

    assert [(await saved(desk, next(changes), base)).version for base in range(3)] == [1, 2, 3]
