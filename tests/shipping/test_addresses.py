"""What the chart and the settings we ship point to is there in the running application."""

import asyncio
import os
import sys

import helm_python

from shipping.manifests import CHART, objects, of_kind, rendered, shipped
from shipping.serving import BEARER, SETTINGS, serving


def test_the_settings_know_every_service_of_the_examples():
    """Firedamp with settings.yaml has a service for each Rollout and Canary, with checks to judge it by."""
    found = objects(*shipped("argo"), *shipped("flagger"))
    wanted = {
        (one["metadata"]["namespace"], one["metadata"]["name"]) for one in of_kind(found, "Rollout", "Canary")
    }
    known = {(one.namespace, one.name) for one in SETTINGS.services if one.checks}

    assert wanted == known


async def test_the_helm_test_passes(judge):
    """The script of `helm test` is content with a running firedamp that does not know its service."""
    judge.says("inconclusive", sentence="service helm-test is unknown")
    async with serving(judge) as client:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(CHART / "files" / "ask.py"),
            env={
                **os.environ,
                "FIREDAMP_URL": str(client.make_url("")),
                "FIREDAMP_TOKEN": f"{BEARER} role=asker",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()
    assert "inconclusive: service helm-test is unknown" in output.decode()


async def test_what_the_chart_points_to_is_there(client):
    """The paths of probes, ServiceMonitor and Ingress are answered, without a token."""
    with helm_python.Chart.load(CHART) as chart:
        found = rendered(chart, {"serviceMonitor": {"enabled": True}, "ingress": {"enabled": True}})
    (server,) = of_kind(found, "Deployment")[0]["spec"]["template"]["spec"]["containers"]
    probed = [server[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")]
    scraped = [one["path"] for one in of_kind(found, "ServiceMonitor")[0]["spec"]["endpoints"]]
    shown = [one["path"] for one in of_kind(found, "Ingress")[0]["spec"]["rules"][0]["http"]["paths"]]

    below = {"/releases": "/releases/1", "/static": "/static/firedamp.css", "/live": "/live/releases"}
    answers = {path: await status(client, below.get(path, path)) for path in [*probed, *scraped, *shown]}

    assert probed == ["/startupz", "/livez", "/readyz"]
    # One logs out by POST; pages lead a stranger to the login, and their data are refused.
    other = {"/logout": 405, "/api/v1/releases": 401}
    assert answers == {path: other.get(path, 200) for path in answers}


async def status(client, path):
    """Status of a GET, after the redirect to the login where there is one."""
    async with client.get(path) as answer:
        return answer.status
