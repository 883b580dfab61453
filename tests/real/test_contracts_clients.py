"""
The real client code of Argo Rollouts and Flagger against the application, with a judge that obeys.

What a verdict becomes in an AnalysisRun or in a Canary is computed upstream here, not by us.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from contracts.dialects import PUBLIC, SECRET, Client
from fakes import FakeJudge, MemoryStore
from firedamp.access import digest
from firedamp.config import Settings
from firedamp.model import Finding, Mode, Outcome, Tier
from firedamp.ports import Token
from firedamp.server import create_app
from real.goclients import ArgoMeasurement, GoClients, HookAnswer, MetricAnswer, clients_or_skip

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]

BEARER = "fd_bearer-of-the-controllers"
AUTHORIZED = {"Authorization": f"Bearer {BEARER}"}
#: As the shipped templates write them.
SUMMARY = {
    "json_path": "{$.summary}",
    "success": 'result startsWith "pass:"',
    "failure": 'result startsWith "fail:"',
}
NUMBER = {"success": "result[0] >= 1", "failure": "result[0] <= 0"}
ARGUMENTS = {
    "service": "checkout",
    "namespace": "shop",
    "canary-hash": "6f64b9c5d",
    "stable-hash": "789746c88d",
    "weight": "20",
    "step": "1",
}
SELECTOR = 'firedamp_verdict{namespace="{{ namespace }}",service="{{ name }}",question="%s"}\n'
ASKED = 'firedamp_verdict{namespace="shop",service="checkout",question="promote"}'
PHASES = [("pass", "Successful"), ("fail", "Failed"), ("inconclusive", "Inconclusive")]
#: Nothing in it is friendly to JSON, to one line or to a shell.
SENTENCE = 'errors: 5.1 % > 1.0 % of "baseline" <b>\\\n\u2028 ≈ 5×'


@pytest.fixture(scope="module")
def clients() -> Iterator[GoClients]:
    with clients_or_skip() as running:
        yield running


@dataclass
class Controllers:
    """Both controllers' clients, with our contracts listening."""

    clients: GoClients
    client: Client
    judge: FakeJudge
    store: MemoryStore

    def url(self, path: str) -> str:
        return str(self.client.make_url(path))

    async def measured(self, question: str = "promote", **more: Any) -> ArgoMeasurement:
        asked = {"method": "POST", "json_body": ARGUMENTS, "headers": AUTHORIZED, **SUMMARY, **more}
        return await asyncio.to_thread(self.clients.argo_web, self.url(f"/argo/v1/{question}"), **asked)

    async def hooked(self, hook: str, phase: str = "Progressing", **more: Any) -> HookAnswer:
        url = self.url(f"/flagger/v1/{SECRET}/{hook}")
        kind = hook if "/" not in hook else "confirm-promotion"
        return await asyncio.to_thread(self.clients.flagger_hook, url, kind, phase, **more)

    async def told(self, message: str, **more: Any) -> HookAnswer:
        url = self.url(f"/flagger/v1/{SECRET}/event")
        return await asyncio.to_thread(self.clients.flagger_event, url, message, **more)

    async def metric(self, question: str = "guard", **more: Any) -> MetricAnswer:
        address = self.url("/promql")
        asked = {"token": BEARER, **more}
        return await asyncio.to_thread(self.clients.flagger_metric, address, SELECTOR % question, **asked)


@asynccontextmanager
async def running(
    clients: GoClients, judge: FakeJudge, store: MemoryStore, **settings: Any
) -> AsyncIterator[Controllers]:
    """The whole application, tokens and all."""
    await store.add_token(Token(name="controllers", digest=digest(BEARER), role="asker"))
    await store.add_token(Token(name="canaries", digest=digest(SECRET), role="gatekeeper", path=True))
    app = create_app(Settings.model_validate({"public_url": PUBLIC, **settings}), store, judge)
    async with TestClient(TestServer(app)) as client:
        yield Controllers(clients, client, judge, store)


@pytest.fixture
async def controllers(clients: GoClients) -> AsyncIterator[Controllers]:
    store = MemoryStore()
    async with running(clients, FakeJudge(store), store) as controllers:
        yield controllers


# --- Argo Rollouts, web metric


@pytest.mark.parametrize("question", ["guard", "advance", "promote"])
@pytest.mark.parametrize(("outcome", "phase"), PHASES)
async def test_a_verdict_becomes_argos_phase(controllers, question, outcome, phase):
    """Each verdict becomes its phase, and the measurement's value is the sentence with its permalink."""
    controllers.judge.says(outcome, sentence=SENTENCE)
    measurement = await controllers.measured(question)

    assert (measurement.phase, measurement.message) == (phase, "")
    assert measurement.value.startswith(f'"{outcome}: errors: 5.1 %')
    assert measurement.value.endswith('https://firedamp.example/releases/1"')


@pytest.mark.parametrize(("outcome", "phase"), PHASES)
async def test_get_is_as_good_as_post(controllers, outcome, phase):
    """The same question in an address, as Argo writes its arguments into it."""
    controllers.judge.says(outcome)
    query = "&".join(f"{name}={value}" for name, value in ARGUMENTS.items())
    measurement = await controllers.measured(f"guard?{query}", method="GET", json_body=None)

    assert measurement.phase == phase


async def test_a_raw_body_is_read(controllers):
    """`body` instead of `jsonBody` sends no media type."""
    body = '{"service": "checkout", "namespace": "shop", "canary-hash": "a", "stable-hash": "b"}'
    measurement = await controllers.measured(json_body=None, body=body)

    assert measurement.phase == "Successful"


async def test_the_whole_answer_is_json_to_go(controllers):
    """Infinite ratios and all: with the default path the whole answer is the value."""
    finding = Finding("errors", "proportion", Tier.CRITICAL, Outcome.FAIL, SENTENCE, effect=float("inf"))
    controllers.judge.says("fail", findings=(finding,), sentence=SENTENCE)
    whole = {"success": 'result.verdict == "pass"', "failure": 'result.verdict == "fail"', "json_path": ""}
    measurement = await controllers.measured(**whole)

    assert measurement.phase == "Failed"
    assert '"checks":[{' in measurement.value


@pytest.mark.parametrize("trouble", ["exception", "overload", "slow", "empty hashes"])
async def test_what_cannot_be_answered_is_inconclusive_to_argo(clients, trouble):
    """Never Error, of which five in a row abort a release, and never Successful."""
    judge, arguments, limits = FakeJudge().says("pass"), dict(ARGUMENTS), {}
    match trouble:
        case "exception":
            judge.trouble = RuntimeError("a fault of ours")
        case "overload":
            limits = {"concurrent": 1, "deadline": 0.5}
            judge.patience_seconds = 30.0
        case "slow":
            limits = {"deadline": 0.1}
            judge.patience_seconds = 30.0
        case _:
            arguments |= {"canary-hash": "", "stable-hash": ""}
    async with running(clients, judge, MemoryStore(), limits=limits) as controllers:
        both = await asyncio.gather(*(controllers.measured(json_body=arguments) for _ in range(2)))

    assert [measurement.phase for measurement in both] == ["Inconclusive", "Inconclusive"]


async def test_what_cannot_be_understood_is_an_error_to_argo(controllers):
    """A template that is wrong is told from a verdict."""
    measurement = await controllers.measured(json_body=ARGUMENTS | {"serivce": "x"})

    assert (measurement.phase, measurement.message) == ("Error", "received non 2xx response code: 400")


async def test_without_its_token_argo_gets_an_error(controllers):
    """Who cannot prove who they are gets no verdict, which is an error and no success."""
    measurement = await controllers.measured(headers={})

    assert (measurement.phase, measurement.message) == ("Error", "received non 2xx response code: 401")


# --- Argo Rollouts, Prometheus metric


@pytest.mark.parametrize(("outcome", "phase"), PHASES)
async def test_a_verdict_is_a_prometheus_number_to_argo(controllers, outcome, phase):
    """The number decides, and the sentence is kept in the measurement's metadata."""
    controllers.judge.says(outcome)
    address = controllers.url("/promql")
    measurement = await asyncio.to_thread(
        controllers.clients.argo_prometheus, address, ASKED, headers=AUTHORIZED, **NUMBER
    )

    assert measurement.phase == phase
    assert measurement.metadata is not None
    assert f"{outcome}: errors: 5.1 %" in str(measurement.metadata)


# --- Flagger, webhooks

HOOKS = [
    ("confirm-rollout", {"pass": True, "inconclusive": True, "fail": True}),
    ("pre-rollout", {"pass": True, "inconclusive": True, "fail": False}),
    ("rollout", {"pass": True, "inconclusive": True, "fail": False}),
    ("confirm-traffic-increase", {"pass": True, "inconclusive": False, "fail": False}),
    ("confirm-promotion", {"pass": True, "inconclusive": False, "fail": False}),
    ("rollback", {"pass": False, "inconclusive": False, "fail": True}),
    ("post-rollout", {"pass": True, "inconclusive": True, "fail": True}),
]


@pytest.mark.parametrize("outcome", ["pass", "inconclusive", "fail"])
@pytest.mark.parametrize(("hook", "goes"), HOOKS)
async def test_each_hook_goes_on_or_not(controllers, hook, goes, outcome):
    """Flagger goes on where the table says so, and shows our sentence on one line where it does not."""
    controllers.judge.says(outcome, sentence=SENTENCE, rollback=outcome == "fail")
    answer = await controllers.hooked(hook)

    assert answer.ok is goes[outcome]
    assert answer.ok or f"{outcome}: errors: 5.1 %" in answer.error
    assert "\n" not in answer.error


async def test_flaggers_checksum_is_the_revision(controllers):
    """What Flagger's own hash made of the spec is the revision that is judged."""
    answer = await controllers.hooked("rollout", applied="5cd694bb69")

    assert controllers.judge.asked[0].revision == answer.checksum


async def test_flaggers_events_tell_weight_and_end(controllers):
    """The event hook's real payload is understood."""
    advanced = await controllers.told("Advance checkout.shop canary weight 20")
    ended = await controllers.told("Canary failed! Scaling down checkout.shop", event_type="Warning")

    assert advanced.ok
    assert ended.ok
    assert controllers.judge.weights == [(advanced.checksum, 0.2)]
    assert controllers.judge.endings == [(ended.checksum, "rolled-back", "canaries")]


@pytest.mark.parametrize(
    ("hook", "goes"), [("rollout", True), ("confirm-promotion", False), ("rollback", False)]
)
async def test_our_own_trouble_never_rolls_back(controllers, hook, goes):
    """With judge and store broken a release goes on or holds, and production stays where it is."""
    controllers.judge.trouble = RuntimeError("a fault of ours")
    controllers.store.trouble = "disk full"
    answer = await controllers.hooked(hook)

    assert answer.ok is goes
    assert answer.ok or "trouble" in answer.error


async def test_shadow_lets_everything_through_but_a_rollback(controllers):
    """In shadow mode a failing canary meets no resistance."""
    controllers.judge.says("fail", mode=Mode.SHADOW, rollback=True)
    seen = {hook: (await controllers.hooked(hook)).ok for hook, _ in HOOKS}

    assert seen == {hook: hook != "rollback" for hook, _ in HOOKS}


async def test_a_gate_holds_until_a_person_opens_it(controllers):
    """gate/check in a Canary's hook, and the same with our own metadata word."""
    before = await controllers.hooked("gate/check?hook=confirm-promotion")
    opened = await controllers.client.post(
        f"/flagger/v1/{SECRET}/gate/open?hook=confirm-promotion",
        data='{"name":"checkout","namespace":"shop"}',
    )
    after = await controllers.hooked("gate/check?hook=confirm-promotion")
    own = await controllers.hooked("confirm-promotion", metadata={"gate": "true"})

    assert (before.ok, before.error) == (False, "Forbidden")
    assert opened.status == 202
    assert (after.ok, own.ok) == (True, True)


async def test_a_wrong_secret_holds_with_a_reason(controllers):
    """Flagger's event shows what is wrong, and not the secret."""
    url = controllers.url("/flagger/v1/wrong-secret/confirm-promotion")
    answer = await asyncio.to_thread(controllers.clients.flagger_hook, url, "confirm-promotion")

    assert not answer.ok
    assert "credential" in answer.error
    assert "wrong-secret" not in answer.error


# --- Flagger, MetricTemplate


@pytest.mark.parametrize(("outcome", "value"), [("pass", 1.0), ("inconclusive", 0.5), ("fail", 0.0)])
async def test_a_verdict_is_a_metric_to_flagger(controllers, outcome, value):
    """There is always a value, so undecided is never a failed check; the token may come repeatedly."""
    controllers.judge.says(outcome)
    answer = await controllers.metric("promote", headers={"X-Scope-OrgID": "shop"})

    assert (answer.value, answer.no_values, answer.error) == (value, False, "")


async def test_flagger_takes_us_for_a_prometheus(controllers):
    """vector(1) is answered, so the metrics server counts as online."""
    address = controllers.url("/promql")
    online = await asyncio.to_thread(controllers.clients.flagger_online, address, token=BEARER)

    assert online.ok


async def test_a_slow_judge_is_half_in_time(controllers):
    """Flagger's provider gives up after 5 s; the answer comes before, undecided."""
    controllers.judge.patience_seconds = 30.0
    answer = await controllers.metric()

    assert answer.value == 0.5
    assert answer.seconds < 5
