"""The chart's values: what cannot work is refused, and what can is explained."""

import re

import helm_python
import pytest

import firedamp
from firedamp.config import Settings
from shipping.manifests import CHART, named, rendered


@pytest.fixture(scope="module")
def chart():
    with helm_python.Chart.load(CHART) as loaded:
        yield loaded


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"replicas": 2}, "/replicas"),
        ({"replicas": 2, "store": {"type": "sqlite"}}, "/replicas"),
        ({"store": {"type": "postgresql"}}, "/store/postgresql/host"),
        ({"store": {"type": "mysql"}}, "/store/type"),
        ({"store": {"postgresql": {"host": "user:secret@db"}}}, "/store/postgresql/host"),
        ({"replica": 1}, "replica"),
        ({"image": {"digest": "latest"}}, "/image/digest"),
        ({"config": {"servcies": []}}, "servcies"),
        ({"ingress": {"paths": [{"path": "/", "pathType": "Prefix"}]}}, "/ingress/paths/0"),
        ({"auth": {"existingSecret": "mine"}}, "/auth/tokens"),
        ({"auth": {"tokens": {"argo": "token"}}}, "/auth/tokens"),
        ({"auth": {"proxy": {"addresses": ["10.0.0.1/32"]}}}, "/auth/proxy"),
        ({"auth": {"proxy": {"addresses": [], "roles": {"viewer": ["*"]}}}}, "/auth/proxy/addresses"),
        ({"auth": {"proxy": {"addresses": ["10.0.0.1"], "roles": {"king": ["*"]}}}}, "/auth/proxy/roles"),
        ({"auth": {"forwardedBy": ["ingress"]}}, "/auth/forwardedBy"),
        ({"readOnly": "yes"}, "/readOnly"),
        ({"kubernetes": {"events": "yes"}}, "/kubernetes/events"),
        ({"kubernetes": {"namespaces": ["Shop"]}}, "/kubernetes/namespaces/0"),
        ({"kubernetes": {"event": True}}, "/kubernetes"),
        ({"securityContext": {"runAsUser": 0}}, "/securityContext/runAsUser"),
        ({"service": {"port": "http"}}, "/service/port"),
    ],
    ids=str,
)
def test_values_that_cannot_work_are_refused(chart, values, place):
    """The schema names the value that is wrong."""
    with pytest.raises(helm_python.HelmValuesError, match=re.escape(place)):
        chart.validate_schema(values)


def test_settings_twice_are_refused(chart):
    """A map and a text of settings at once are an error, not a guess."""
    with pytest.raises(helm_python.HelmRenderError, match="give one of them"):
        rendered(chart, {"config": {"mode": "judge"}, "configText": "mode: shadow"})


def test_the_schema_knows_every_setting(chart):
    """A key of the settings that the chart's schema does not know could not be installed."""
    assert set(chart.schema["properties"]["config"]["properties"]) == set(Settings.model_fields)


def test_the_schema_knows_every_value(chart):
    """Every value of values.yaml is in the schema, and every one of the schema has a default."""
    assert set(chart.schema["properties"]) - {"global"} == set(chart.values)


def test_the_chart_carries_the_version_of_the_program(chart):
    """The image's tag is by default the version of this source."""
    assert chart.metadata["appVersion"] == firedamp.__version__


def test_every_value_is_explained():
    """Every key of values.yaml with a plain value has a line that says what it is for."""
    lines = (CHART / "values.yaml").read_text(encoding="utf-8").splitlines()
    bare = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if re.match(r" {0,4}[a-zA-Z]+: .", line) and not before.strip().startswith("#")
    ]

    assert [
        line
        for line in bare
        if not line.strip().startswith(("requests", "limits", "run", "fsGroup", "flagger"))
    ] == []


def test_the_helm_test_runs_the_script_that_is_tested(chart):
    """The pod of `helm test` carries files/ask.py word for word."""
    pod = named(rendered(chart), "Pod", "firedamp-test")
    script = (CHART / "files" / "ask.py").read_text(encoding="utf-8")

    assert pod["spec"]["containers"][0]["args"][0].strip() == script.strip()
