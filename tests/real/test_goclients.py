"""
What the real client code of both controllers makes of answers, good and hostile.

These facts are upstream's, not ours: they are why our answers are strict JSON, never empty, and
why Flagger's reasons travel with a 4xx. When a newer Argo Rollouts or Flagger changes one of
them, a test here says so.
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from real.batch import ClientPanic
from real.goclients import ArgoMeasurement, GoClients, clients_or_skip

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]

PASS, FAIL = 'result.verdict == "pass"', 'result.verdict == "fail"'


@dataclass(slots=True)
class HostileServer:
    """Answers every request with what it was last told, and remembers what it was asked."""

    url: str = ""
    answers: list[web.Response] = field(default_factory=list)
    delay_seconds: float = 0
    heard: list[tuple[web.Request, str]] = field(default_factory=list)

    def says(self, body: str | bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        raw = body.encode() if isinstance(body, str) else body
        self.answers.append(web.Response(body=raw, status=status, headers=headers))

    def promql(self, *result: dict[str, object], **more: object) -> None:
        data = {"resultType": "vector", "result": list(result)}
        answer = json.dumps({"status": "success", "data": data, **more})
        self.says(answer, headers={"Content-Type": "application/json"})

    async def handle(self, request: web.Request) -> web.Response:
        self.heard.append((request, await request.text()))
        await asyncio.sleep(self.delay_seconds)
        return self.answers.pop(0) if len(self.answers) > 1 else _copy(self.answers[0])

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(text) for _, text in self.heard]


def _copy(answer: web.Response) -> web.Response:
    return web.Response(body=answer.body, status=answer.status, headers=answer.headers)


@pytest.fixture(scope="module")
def clients() -> Iterator[GoClients]:
    with clients_or_skip() as running:
        yield running


@pytest.fixture
async def server() -> AsyncIterator[HostileServer]:
    hostile = HostileServer()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", hostile.handle)
    async with TestServer(app) as listening:
        hostile.url = str(listening.make_url("/verdict"))
        yield hostile


async def measure(clients: GoClients, url: str, **asked: Any) -> ArgoMeasurement:
    asked = {"success": PASS, "failure": FAIL, **asked}
    return await asyncio.to_thread(clients.argo_web, url, **asked)


# --- Argo Rollouts, web metric ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "conditions", "phase"),
    [
        pytest.param("pass", {}, "Successful", id="pass"),
        pytest.param("fail", {}, "Failed", id="fail"),
        pytest.param("inconclusive", {}, "Inconclusive", id="inconclusive"),
        pytest.param("inconclusive", {"failure": ""}, "Failed", id="inconclusive without a failureCondition"),
        pytest.param(
            "inconclusive", {"success": ""}, "Successful", id="inconclusive without a successCondition"
        ),
        pytest.param("fail", {"success": "", "failure": ""}, "Successful", id="fail without any condition"),
    ],
)
async def test_argo_needs_both_conditions_to_see_three_outcomes(
    clients: GoClients, server: HostileServer, verdict: str, conditions: dict[str, str], phase: str
):
    """With one condition missing, undecided becomes failed or successful."""
    server.says(json.dumps({"verdict": verdict, "n": 812}))

    seen = await measure(clients, server.url, **conditions)

    assert (seen.phase, seen.value) == (phase, f'{{"n":812,"verdict":"{verdict}"}}')


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param('{"verdict": "fail", "p": NaN}', id="NaN"),
        pytest.param('{"verdict": "fail", "p": 1e400}', id="too large"),
        pytest.param("<html>login</html>", id="HTML"),
        pytest.param('\ufeff{"verdict":"fail"}', id="byte-order mark"),
        pytest.param('{"verdict":"fail"}x', id="trailing text"),
    ],
)
async def test_argo_passes_what_is_no_json(clients: GoClients, server: HostileServer, body: str):
    """A 2xx whose body Go cannot parse is Successful, whatever it says."""
    server.says(body)

    assert (await measure(clients, server.url)).phase == "Successful"


async def test_argo_passes_an_answer_without_content(clients: GoClients, server: HostileServer):
    """204 is Successful."""
    server.says("", status=204)

    assert (await measure(clients, server.url)).phase == "Successful"


async def test_null_ends_the_rollouts_controller(clients: GoClients, server: HostileServer):
    """A body of `null` panics under the default jsonPath, and the clients live on for the next question."""
    server.says("null")
    server.says('{"verdict": "pass"}')

    with pytest.raises(ClientPanic, match="zero Value"):
        await measure(clients, server.url)

    assert (await measure(clients, server.url)).phase == "Successful"


async def test_argo_is_undecided_when_the_verdict_is_missing(clients: GoClients, server: HostileServer):
    """Neither condition holds of an empty object."""
    server.says("{}")

    assert (await measure(clients, server.url)).phase == "Inconclusive"


async def test_argo_errs_when_the_json_path_leads_nowhere(clients: GoClients, server: HostileServer):
    """A missing key is an error that names the key."""
    server.says("{}")

    seen = await measure(clients, server.url, json_path="{$.verdict}", success='result == "pass"')

    assert (seen.phase, seen.message) == ("Error", "Could not find JSONPath in body: verdict is not found")


async def test_argo_judges_a_sentence_by_its_first_word(clients: GoClients, server: HostileServer):
    """A summary that begins with the verdict is both readable and decidable."""
    server.says(json.dumps({"summary": "fail errors 4.1 % against 0.3 %"}))

    seen = await measure(
        clients,
        server.url,
        json_path="{$.summary}",
        success='result startsWith "pass"',
        failure='result startsWith "fail"',
    )

    assert (seen.phase, seen.value) == ("Failed", '"fail errors 4.1 % against 0.3 %"')


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
async def test_argo_loses_the_body_of_an_error(clients: GoClients, server: HostileServer, status: int):
    """Every status outside 2xx is an error of the number alone."""
    server.says("no samples yet", status=status)

    seen = await measure(clients, server.url)

    assert (seen.phase, seen.message) == ("Error", f"received non 2xx response code: {status}")


async def test_argo_posts_json_as_it_is_given(clients: GoClients, server: HostileServer):
    """A jsonBody travels with its content type, headers beside it."""
    server.says('{"verdict": "pass"}')

    seen = await measure(
        clients, server.url, method="POST", json_body={"service": "checkout"}, headers={"X-Token": "t"}
    )

    request, body = server.heard[0]
    assert seen.phase == "Successful"
    assert (request.method, json.loads(body)) == ("POST", {"service": "checkout"})
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Token"] == "t"


async def test_argo_sends_no_body_with_get(clients: GoClients, server: HostileServer):
    """A body with GET is refused before anything is sent."""
    seen = await measure(clients, server.url, json_body={"service": "checkout"})

    assert (seen.phase, server.heard) == ("Error", [])


async def test_argo_gives_up_at_its_timeout(clients: GoClients, server: HostileServer):
    """An answer later than timeoutSeconds is an error."""
    server.delay_seconds = 2
    server.says('{"verdict": "pass"}')

    seen = await measure(clients, server.url, timeout_seconds=1)

    assert seen.phase == "Error"
    assert "Client.Timeout exceeded" in seen.message
    assert 1 <= seen.seconds < 2


async def test_argo_errs_when_nobody_listens(clients: GoClients):
    """A refused connection is an error that says so."""
    seen = await measure(clients, f"http://127.0.0.1:{unused_port()}/")

    assert seen.phase == "Error"
    assert "connection refused" in seen.message


# --- Argo Rollouts, Prometheus metric -----------------------------------------------------------


async def test_argo_reads_a_vector_and_keeps_its_warnings(clients: GoClients, server: HostileServer):
    """The Prometheus provider posts the query and shows `warnings` in the measurement's metadata."""
    server.promql({"metric": {}, "value": [1, "0.5"]}, warnings=["inconclusive: 40 of 800 requests"])

    seen = await asyncio.to_thread(
        clients.argo_prometheus,
        server.url.removesuffix("/verdict"),
        "firedamp_verdict",
        success="result[0] == 1",
        failure="result[0] == 0",
    )

    request, body = server.heard[0]
    assert (seen.phase, seen.value) == ("Inconclusive", "[0.5]")
    assert seen.metadata == {"warnings": '"inconclusive: 40 of 800 requests"'}
    assert (request.method, request.path) == ("POST", "/api/v1/query")
    assert body.startswith("query=firedamp_verdict&")


async def test_argo_asks_prometheus_again_with_get(clients: GoClients, server: HostileServer):
    """A server that refuses POST is asked the same by GET."""
    server.says("", status=405)
    server.promql({"metric": {}, "value": [1, "1"]})

    seen = await asyncio.to_thread(
        clients.argo_prometheus, server.url, "firedamp_verdict", success="result[0] == 1"
    )

    assert seen.phase == "Successful"
    assert [request.method for request, _ in server.heard] == ["POST", "GET"]


async def test_argo_errs_on_an_empty_vector(clients: GoClients, server: HostileServer):
    """No element means an index out of range in the condition."""
    server.promql()

    seen = await asyncio.to_thread(clients.argo_prometheus, server.url, "up", success="result[0] == 1")

    assert seen.phase == "Error"


# --- Flagger, hooks and events ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "ok", "error"),
    [
        pytest.param(200, "", True, "", id="200"),
        pytest.param(200, "<html>login</html>", True, "", id="200 with any text"),
        pytest.param(202, "", True, "", id="202"),
        pytest.param(203, "odd", False, "odd", id="203"),
        pytest.param(204, "", False, "", id="204"),
        pytest.param(403, "fail p=0.001", False, "fail p=0.001", id="403"),
        pytest.param(422, "fail p=0.001\n", False, "fail p=0.001\n", id="422"),
        pytest.param(501, "fail p=0.001", False, "fail p=0.001", id="501"),
    ],
)
async def test_flagger_shows_the_body_of_a_refusal(
    clients: GoClients, server: HostileServer, status: int, body: str, ok: bool, error: str
):
    """Up to 202 passes whatever is said; above it the body is the event's text, verbatim."""
    server.says(body, status=status)

    answer = await asyncio.to_thread(clients.flagger_hook, server.url, "rollout")

    assert (answer.ok, answer.error) == (ok, error)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_flagger_loses_the_body_of_a_server_error(
    clients: GoClients, server: HostileServer, status: int
):
    """What the HTTP library would retry never shows its body."""
    server.says("fail p=0.001", status=status)

    answer = await asyncio.to_thread(clients.flagger_hook, server.url, "rollout")

    assert (answer.ok, answer.error) == (False, f"POST {server.url} giving up after 1 attempt(s)")


async def test_flagger_retries_when_told_to(clients: GoClients, server: HostileServer):
    """With `retries: 1` the second answer counts."""
    server.says("", status=503)
    server.says("", status=202)

    answer = await asyncio.to_thread(clients.flagger_hook, server.url, "rollout", retries=1)

    assert (answer.ok, len(server.heard)) == (True, 2)


async def test_flagger_gives_up_at_its_timeout(clients: GoClients, server: HostileServer):
    """An answer later than `timeout` is a refusal."""
    server.delay_seconds = 2
    server.says("", status=200)

    answer = await asyncio.to_thread(clients.flagger_hook, server.url, "rollout", timeout="1s")

    assert not answer.ok
    assert "deadline exceeded" in answer.error


async def test_flagger_takes_one_digit_for_no_timeout(clients: GoClients, server: HostileServer):
    """A timeout of "1", without its unit, is silently 10 s."""
    server.delay_seconds = 1.2
    server.says("", status=200)

    answer = await asyncio.to_thread(clients.flagger_hook, server.url, "rollout", timeout="1")

    assert answer.ok


async def test_flagger_says_which_canary_and_revision(clients: GoClients, server: HostileServer):
    """The payload holds identity, phase, checksum and metadata, and no hook type."""
    server.says("")

    answer = await asyncio.to_thread(
        clients.flagger_hook,
        server.url,
        "confirm-rollout",
        "Waiting",
        name="orders",
        namespace="shop",
        applied="spec 1",
        metadata={"window": "10m"},
    )

    assert server.bodies() == [
        {
            "name": "orders",
            "namespace": "shop",
            "phase": "Waiting",
            "checksum": answer.checksum,
            "metadata": {"window": "10m"},
        }
    ]


async def test_each_revision_has_its_checksum(clients: GoClients, server: HostileServer):
    """Another spec or another tracked configuration is another checksum; the same one is the same."""
    server.says("")
    revisions = [
        {"applied": "spec 1"},
        {"applied": "spec 1"},
        {"applied": "spec 2"},
        {"applied": "spec 2", "tracked": {"configmap/flags": "a1"}},
    ]

    answers = [
        await asyncio.to_thread(clients.flagger_hook, server.url, "rollout", **told) for told in revisions
    ]

    sent = [body["checksum"] for body in server.bodies()]
    assert [answer.checksum for answer in answers] == sent
    assert sent[0] == sent[1]
    assert len(set(sent)) == 3


async def test_flagger_tells_events_in_metadata(clients: GoClients, server: HostileServer):
    """An event is a payload whose metadata holds message, type and milliseconds."""
    server.says("")

    answer = await asyncio.to_thread(
        clients.flagger_event, server.url, "Starting canary analysis", metadata={"env": "test"}
    )

    metadata = server.bodies()[0]["metadata"]
    assert answer.ok
    assert metadata.pop("timestamp").isdigit()
    assert metadata == {"eventMessage": "Starting canary analysis", "eventType": "Normal", "env": "test"}


# --- Flagger, metric templates ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "value", "no_values"),
    [
        pytest.param([{"value": [1, "1"]}], 1, False, id="one"),
        pytest.param([{"value": [1, "0.5"]}], 0.5, False, id="half"),
        pytest.param([{"value": [1, "1"]}, {"value": [1, "0"]}], 0, False, id="the last of two"),
        pytest.param([{"value": [1, "+Inf"]}], float("inf"), False, id="infinity"),
        pytest.param([], None, True, id="empty"),
        pytest.param([{"value": [1, "NaN"]}], None, True, id="NaN"),
        pytest.param([{"value": [1, 1]}], None, True, id="a number that is no string"),
    ],
)
async def test_flagger_reads_the_last_element(
    clients: GoClients,
    server: HostileServer,
    result: list[dict[str, object]],
    value: float | None,
    no_values: bool,
):
    """Values are strings; nothing and NaN are "no values found"."""
    server.promql(*result)

    answer = await asyncio.to_thread(clients.flagger_metric, server.url, "up")

    assert (answer.value, answer.no_values) == (value, no_values)


async def test_an_element_without_value_ends_flagger(clients: GoClients, server: HostileServer):
    """Flagger indexes the value without looking."""
    server.promql({"metric": {}})

    with pytest.raises(ClientPanic, match="index out of range"):
        await asyncio.to_thread(clients.flagger_metric, server.url, "up")


async def test_flagger_shows_the_body_of_a_failed_query(clients: GoClients, server: HostileServer):
    """Status and body are in the error."""
    server.says("unknown service", status=400)

    answer = await asyncio.to_thread(clients.flagger_metric, server.url, "up")

    assert (answer.value, answer.error) == (None, "error response: Status 400 Bad Request: unknown service")


async def test_flagger_renders_the_query_onto_one_line(clients: GoClients, server: HostileServer):
    """Template variables are filled in, white space collapses, and the answer comes by GET with the token."""
    server.promql({"value": [1, "1"]})
    template = '\nfiredamp_verdict{\n  service="{{ target }}", question="{{ variables.question }}"}'

    answer = await asyncio.to_thread(
        clients.flagger_metric,
        server.url,
        template,
        target="orders",
        variables={"question": "guard"},
        token="t",
    )

    request, _ = server.heard[0]
    assert answer.value == 1
    assert request.query["query"] == ' firedamp_verdict{ service="orders", question="guard"}'
    assert request.headers["Authorization"] == "Bearer t"
    assert request.path == "/verdict/api/v1/query"


async def test_flagger_needs_every_variable(clients: GoClients, server: HostileServer):
    """A variable that nobody set is an error before anything is asked."""
    answer = await asyncio.to_thread(clients.flagger_metric, server.url, "{{ variables.question }}")

    assert "question" in answer.error
    assert server.heard == []


@pytest.mark.parametrize(("one", "ok"), [("1", True), ("0.5", False)])
async def test_flagger_trusts_a_server_that_knows_one(
    clients: GoClients, server: HostileServer, one: str, ok: bool
):
    """`vector(1)` must answer 1."""
    server.promql({"value": [1, one]})

    answer = await asyncio.to_thread(clients.flagger_online, server.url)

    assert answer.ok is ok
    assert server.heard[0][0].query["query"] == "vector(1)"


# --- the program itself -------------------------------------------------------------------------


async def test_clients_answer_at_the_same_time(clients: GoClients, server: HostileServer):
    """Several threads may ask at once: eight answers of 0.3 s each take about as long as one."""
    server.delay_seconds = 0.3
    server.says('{"verdict": "pass"}')
    began = asyncio.get_running_loop().time()

    answers = await asyncio.gather(*(measure(clients, server.url) for _ in range(8)))

    assert {answer.phase for answer in answers} == {"Successful"}
    assert asyncio.get_running_loop().time() - began < 8 * 0.3


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="none"),
        pytest.param(["argo"], id="unknown command"),
        pytest.param(["argo-web"], id="no address"),
        pytest.param(["argo-web", "--url", "http://x", "--json-body", "{"], id="no JSON"),
        pytest.param(["flagger-hook", "--colour", "red"], id="unknown flag"),
    ],
)
def test_a_usage_error_has_its_own_exit_code(clients: GoClients, arguments: list[str]):
    """64, so that nobody takes it for Go's 2 of a panic."""
    ended = subprocess.run([clients.program, *arguments], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (64, "")
    assert "panic:" not in ended.stderr


async def test_the_program_answers_by_flags_too(clients: GoClients, server: HostileServer):
    """One question by hand prints one JSON object."""
    server.says('{"verdict": "fail"}')
    asked = ["argo-web", "--url", server.url, "--success", PASS, "--failure", FAIL]

    ended = await asyncio.create_subprocess_exec(
        clients.program, *asked, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    printed, _ = await ended.communicate()

    assert json.loads(printed)["phase"] == "Failed"
