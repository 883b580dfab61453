"""The Prometheus of one metric: always one element with a value, and undecided is never a failed check."""

import pytest

from contracts.dialects import NOW, PUBLIC, Client, serving, strict
from fakes import FakeJudge
from firedamp.contracts.promql import VALUES
from firedamp.model import Mode, Question
from firedamp.ports import Token

SELECTOR = 'firedamp_verdict{namespace="shop",service="checkout",question="promote"}'


async def query(client: Client, text: str = SELECTOR, **more: str) -> dict:
    answer = await client.get("/promql/api/v1/query", params={"query": text} | more)
    assert answer.status == 200
    return strict(await answer.text())


@pytest.mark.parametrize(("outcome", "value"), [("pass", "1"), ("inconclusive", "0.5"), ("fail", "0")])
async def test_a_verdict_is_a_number_and_the_sentence_a_warning(outcome, value):
    """The value is text, as Prometheus writes it, and there is exactly one element."""
    async with serving(FakeJudge().says(outcome)) as client:
        answer = await query(client)

    metric = {
        "__name__": "firedamp_verdict",
        "namespace": "shop",
        "service": "checkout",
        "question": "promote",
    }
    assert answer == {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": metric, "value": [NOW, value]}]},
        "warnings": [f"{outcome}: errors: 5.1 % against 1.0 % of baseline {PUBLIC.rstrip('/')}"],
    }


async def test_it_opens_no_release():
    """A metric is asked at any time, also when there is no canary; without a revision it is the latest."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await query(client)
        await query(client, SELECTOR.replace("}", ',revision="85d5"}'))

    assert [(ask.revision, ask.opens, ask.question) for ask in judge.asked] == [
        (None, False, Question.PROMOTE),
        ("85d5", False, Question.PROMOTE),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f" {SELECTOR}",
        SELECTOR.replace("{", "{ ").replace(",", ", "),
        SELECTOR.replace('"', "'"),
        SELECTOR.replace(",", " , "),
    ],
)
async def test_selectors_may_be_written_in_prometheus_ways(text):
    """Flagger sends its template as one line with a leading blank."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await query(client, text)

    assert judge.asked[0].service == "checkout"


async def test_vector_1_is_1():
    """Flagger asks it before it trusts a metrics server."""
    judge = FakeJudge()
    async with serving(judge) as client:
        answer = await query(client, "vector(1)")

    assert answer["data"]["result"] == [{"metric": {}, "value": [NOW, "1"]}]
    assert not judge.asked


async def test_a_form_is_read():
    """Argo posts its query; time and timeout have no effect."""
    judge = FakeJudge()
    async with serving(judge) as client:
        form = {"query": SELECTOR, "time": "1700000000.123", "timeout": "30s"}
        answer = await client.post("/promql/api/v1/query", data=form)

        assert strict(await answer.text())["status"] == "success"
    assert len(judge.asked) == 1


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF])
async def test_shadow_and_off_never_fail_a_check(mode):
    """Where firedamp's word does not count, the number is 1 and the warning tells the verdict."""
    async with serving(FakeJudge().says("fail", mode=mode)) as client:
        answer = await query(client)

    assert answer["data"]["result"][0]["value"][1] == "1"
    assert answer["warnings"][0].startswith("fail:")


async def test_our_own_trouble_is_undecided():
    """No data and errors are failed checks to Flagger, so a fault of ours is neither."""
    judge = FakeJudge()
    judge.trouble = RuntimeError("a fault of ours")
    async with serving(judge) as client:
        answer = await query(client)

    assert answer["data"]["result"][0]["value"][1] == "0.5"
    assert "trouble" in answer["warnings"][0]


async def test_a_repeated_authorization_header_is_tolerated():
    """Flagger 1.44 repeats it once more per query."""
    async with serving(FakeJudge()) as client:
        headers = [("Authorization", "Bearer one"), ("Authorization", "Bearer two")]
        answer = await client.get("/promql/api/v1/query", params={"query": "vector(1)"}, headers=headers)

        assert answer.status == 200


async def test_an_error_has_prometheus_shape():
    """Its clients show `error` to people."""
    async with serving(FakeJudge()) as client:
        answer = await client.get("/promql/api/v1/query", params={"query": "up"})
        error = strict(await answer.text())

    assert answer.status == 400
    assert (error["status"], error["errorType"]) == ("error", "bad_data")
    assert "firedamp_verdict" in error["error"]


async def test_a_token_is_good_for_its_namespaces():
    """A token bound to another namespace is refused."""
    token = Token(name="web", digest="", role="asker", namespaces=("web",))
    judge = FakeJudge()
    async with serving(judge, token=token) as client:
        answer = await client.get("/promql/api/v1/query", params={"query": SELECTOR})

    assert answer.status == 403
    assert not judge.asked


def test_every_outcome_has_a_value():
    """Undecided lies in the middle, so that `min: 0.5` is lenient and `min: 1` strict."""
    assert [float(value) for value in VALUES.values()] == [1.0, 0.5, 0.0]
