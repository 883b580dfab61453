"""Argo Rollouts' web metric: 200 for every question one can understand, and a summary."""

import asyncio

import pytest

from contracts.dialects import PUBLIC, Client, serving, strict
from fakes import FakeJudge, MemoryStore
from firedamp.config import Settings
from firedamp.model import Ask, Controller, Finding, Mode, Outcome, Question, Tier
from firedamp.ports import Token

NAMED = {"service": "checkout", "namespace": "shop"}
HASHES = {"canary-hash": "6f64b9c5d", "stable-hash": "789746c88d"}
ASKED = NAMED | HASHES


async def ask(client: Client, question: str = "guard", **changed: str) -> dict:
    answer = await client.get(f"/argo/v1/{question}", params=ASKED | changed)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    return strict(await answer.text())


@pytest.mark.parametrize("outcome", ["pass", "fail", "inconclusive"])
@pytest.mark.parametrize("question", ["guard", "advance", "promote"])
async def test_every_verdict_is_200(question, outcome):
    """The verdict stands in the body; the summary begins with it and ends with the permalink."""
    store = MemoryStore()
    async with serving(FakeJudge(store).says(outcome), store) as client:
        answer = await ask(client, question)

    assert (answer["verdict"], answer["question"], answer["recorded"]) == (outcome, question, outcome)
    assert answer["summary"] == f"{outcome}: errors: 5.1 % against 1.0 % of baseline {PUBLIC}releases/1"
    assert answer["link"] == f"{PUBLIC}releases/1"


async def test_the_release_is_named():
    """An answer says which attempt of which revision it is about."""
    store = MemoryStore()
    async with serving(FakeJudge(store), store) as client:
        answer = await ask(client)

    named = {"namespace": "shop", "service": "checkout", "revision": "6f64b9c5d", "attempt": 1, "id": 1}
    assert answer["release"] == named


async def test_what_is_not_known_is_left_out():
    """An answer without a release has no release and no block, and nothing in it is null."""
    async with serving(FakeJudge()) as client:
        answer = await ask(client)

    assert "release" not in answer
    assert "block" not in answer
    assert None not in answer.values()


async def test_findings_are_strict_json():
    """An infinite ratio leaves no Infinity in the answer, which Argo would call successful."""
    finding = Finding(
        "errors",
        "proportion",
        Tier.CRITICAL,
        Outcome.FAIL,
        "5 of 5 failed",
        effect=float("inf"),
        p_value=float("nan"),
        interval=(3.0, float("inf")),
    )
    async with serving(FakeJudge().says("fail", findings=(finding,), block=3)) as client:
        answer = await ask(client)

    check = answer["checks"][0]
    assert (check["check"], check["outcome"], check["interval"]) == ("errors", "fail", [3.0, None])
    assert not {"effect", "p_value"} & check.keys()
    assert answer["block"] == 3


async def test_the_arguments_become_a_question():
    """Hashes name the cohorts, a percentage the weight, and text that is empty means not known."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await ask(client, "advance", **{"baseline-hash": ""}, weight="20", step="3", experiment="false")

    assert judge.asked == [
        Ask(
            "shop",
            "checkout",
            Question.ADVANCE,
            Controller.ARGO,
            revision="6f64b9c5d",
            arms={"canary": "6f64b9c5d", "main": "789746c88d", "baseline": ""},
            weight=0.2,
            step="3",
        )
    ]


async def test_get_and_post_ask_the_same():
    """A template may use either method."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await ask(client)
        answer = await client.post("/argo/v1/guard", json=ASKED)

    assert answer.status == 200
    assert judge.asked[0] == judge.asked[1]


async def test_a_body_without_a_media_type_is_read():
    """Argo's `body` sends none."""
    async with serving(FakeJudge()) as client:
        answer = await client.post(
            "/argo/v1/guard",
            data=b'{"service":"a","namespace":"b","canary-hash":"c"}',
            skip_auto_headers=["Content-Type"],
        )

    assert answer.status == 200


async def test_the_names_of_older_templates_are_known():
    """`latest-hash` and `main-hash` are what Argo's own documentation calls them."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await client.get("/argo/v1/guard", params=NAMED | {"latest-hash": "new", "main-hash": "old"})

    assert judge.asked[0].arms == {"canary": "new", "main": "old", "baseline": ""}


async def test_an_experiment_brings_the_rollouts_revision():
    """Its own hashes differ from the Rollout's, so the revision comes beside them."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await ask(client, "promote", revision="rollout", experiment="true", **{"baseline-hash": "b"})

    asked = judge.asked[0]
    assert (asked.revision, asked.experiment, asked.arms["canary"]) == ("rollout", True, "6f64b9c5d")


@pytest.mark.parametrize(
    "change",
    [{"canary-hash": "", "stable-hash": ""}, {"canary-hash": ""}],
    ids=["both", "canary"],
)
async def test_empty_hashes_are_undecided_with_the_remedy(change):
    """A template whose arguments came to nothing aborts no release, nor passes for an older one."""
    judge = FakeJudge().says("pass")
    async with serving(judge) as client:
        answer = await ask(client, "promote", **change)

    assert answer["verdict"] == "inconclusive"
    assert "podTemplateHashValue: Latest" in answer["summary"]
    assert not judge.asked[0].opens


async def test_equal_hashes_are_the_judges_to_answer():
    """Equal hashes are well-formed; the judge knows whether the cohorts need them."""
    judge = FakeJudge().says("inconclusive", sentence="comparing a version with itself says nothing")
    async with serving(judge) as client:
        answer = await ask(client, **{"stable-hash": "6f64b9c5d"})

    assert answer["summary"].startswith("inconclusive: comparing a version with itself")


async def test_mode_off_needs_no_hashes():
    """A service for which firedamp stands aside passes, even where the template is broken."""
    async with serving(FakeJudge().says("inconclusive", mode=Mode.OFF)) as client:
        answer = await ask(client, **{"canary-hash": ""})

    assert (answer["verdict"], answer["mode"]) == ("pass", "off")


async def test_shadow_changes_nothing():
    """Argo has dryRun for it: the answer is the verdict, and the mode is told."""
    async with serving(FakeJudge().says("fail", mode=Mode.SHADOW)) as client:
        answer = await ask(client)

    assert (answer["verdict"], answer["mode"]) == ("fail", "shadow")


async def test_our_own_exception_is_undecided():
    """Five errors in a row would abort a healthy release, so a fault of ours is no error to Argo."""
    judge = FakeJudge()
    judge.trouble = ZeroDivisionError("a fault of ours")
    async with serving(judge) as client:
        answer = await ask(client)

    assert answer["verdict"] == "inconclusive"
    assert "trouble" in answer["summary"]
    assert "a fault of ours" not in answer["summary"]


async def test_overload_is_undecided():
    """One question too many is told to ask again."""
    judge = FakeJudge()
    judge.patience_seconds = 0.3
    async with serving(judge, settings=Settings.model_validate({"limits": {"concurrent": 1}})) as client:
        first = asyncio.create_task(ask(client))
        await asyncio.sleep(0.1)
        second = await ask(client)
        await first

    assert second["verdict"] == "inconclusive"
    assert "ask again" in second["summary"]


async def test_a_slow_judge_is_undecided_in_time():
    """Argo waits 10 s; the answer comes a second after the deadline of the settings at the latest."""
    judge = FakeJudge()
    judge.patience_seconds = 30.0
    async with serving(judge, settings=Settings.model_validate({"limits": {"deadline": 0.1}})) as client:
        answer = await ask(client)

    assert answer["summary"].startswith("inconclusive: no answer within 1.1 s")


async def test_a_sentence_that_cannot_be_written_is_undecided():
    """Should an answer of ours not be JSON after all, the caller gets one that is."""
    async with serving(FakeJudge().says("pass", block=float("nan"))) as client:
        answer = await ask(client)

    assert answer["verdict"] == "inconclusive"
    assert "trouble" in answer["summary"]


async def test_a_token_is_good_for_its_namespaces():
    """A token bound to another namespace is refused in words."""
    token = Token(name="web", digest="", role="asker", namespaces=("web",))
    async with serving(FakeJudge(), token=token) as client:
        answer = await client.get("/argo/v1/guard", params=ASKED)

        assert answer.status == 403
        assert '"shop"' in strict(await answer.text())["error"]
