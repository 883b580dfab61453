"""The Helm chart: what it renders is valid and restricted, and what cannot work is refused by its schema."""

import json
import re

import helm_python
import pytest
import yaml

import firedamp
from firedamp.config import Settings
from firedamp.config.load import load
from shipping.manifests import CHART, faults, named, of_kind, parsed, title

CI = sorted((CHART / "ci").glob("*-values.yaml"))
ROUTES_OF_CONTROLLERS = (
    "/argo/v1/guard",
    "/flagger/v1/s/rollback",
    "/promql/api/v1/query",
    "/api/v1/judge",
    "/metrics",
)


@pytest.fixture(scope="module")
def chart():
    with helm_python.Chart.load(CHART) as loaded:
        yield loaded


@pytest.fixture(params=CI, ids=lambda path: path.name.removesuffix("-values.yaml"))
def values(request):
    """The values of one mode, as CI installs them."""
    return yaml.safe_load(request.param.read_text(encoding="utf-8"))


@pytest.fixture
def rendered(chart, values):
    return render(chart, values)


def render(chart, values=None):
    files = chart.render(values or {}, name="firedamp", namespace="judges")
    return [one for name, text in files.items() if not name.endswith(".txt") for one in parsed(text)]


def deployment(found):
    (one,) = of_kind(found, "Deployment")
    return one


def pods(found):
    """Specs of all pods, those of the Deployment and of the helm test."""
    specs = [one["spec"] for one in of_kind(found, "Pod")]
    return [deployment(found)["spec"]["template"]["spec"], *specs]


def container(found):
    (one,) = deployment(found)["spec"]["template"]["spec"]["containers"]
    return one


def environment(found):
    return {one["name"]: one.get("value") for one in container(found)["env"]}


def test_the_chart_lints(values):
    """Helm's own linter has no warning and no error, with strict rules and every mode's values."""
    report = helm_python.lint(CHART, values, strict=True)

    assert [message for message in report["messages"] if message["severity"] > 1] == []


def test_every_object_is_valid(rendered):
    """Every object of every mode satisfies the schema of its kind, unknown fields forbidden."""
    assert [fault for one in rendered for fault in faults(one)] == []


def test_names_are_unique(rendered):
    """No two objects of a kind share a name: Helm would install only one of them."""
    titles = [title(one) for one in rendered]

    assert len(set(titles)) == len(titles)


def test_every_pod_keeps_the_restricted_standard(rendered):
    """Pod Security "restricted", and beyond it a read-only root and no token of the cluster."""
    for spec in pods(rendered):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        for one in spec["containers"]:
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"requests", "limits"} <= set(one["resources"])


def test_volumes_and_mounts_match(rendered):
    """Every mount has its volume and every volume its mount."""
    spec = deployment(rendered)["spec"]["template"]["spec"]
    mounted = {mount["name"] for mount in container(rendered)["volumeMounts"]}

    assert mounted == {volume["name"] for volume in spec["volumes"]}


def test_selectors_find_the_pods_and_only_them(rendered):
    """Service, budget and policy select the server's pods; the test's pod must not be served traffic."""
    labels = deployment(rendered)["spec"]["template"]["metadata"]["labels"].items()
    (service,) = of_kind(rendered, "Service")
    chosen = [service["spec"]["selector"], deployment(rendered)["spec"]["selector"]["matchLabels"]]
    chosen += [one["spec"]["selector"]["matchLabels"] for one in of_kind(rendered, "PodDisruptionBudget")]
    chosen += [one["spec"]["podSelector"]["matchLabels"] for one in of_kind(rendered, "NetworkPolicy")]
    tests = [one["metadata"]["labels"].items() for one in of_kind(rendered, "Pod")]

    assert all(selector.items() <= labels for selector in chosen)
    assert not any(selector.items() <= test for selector in chosen for test in tests)


def test_the_settings_and_the_environment_are_settings(rendered, tmp_path):
    """The ConfigMap's text and the container's environment together load as Settings."""
    file = tmp_path / "firedamp.yaml"
    (config,) = [one for one in of_kind(rendered, "ConfigMap") if "firedamp.yaml" in one["data"]]
    file.write_text(config["data"]["firedamp.yaml"], encoding="utf-8")

    settings = load(file, {name: value for name, value in environment(rendered).items() if value})

    assert settings.listen.host == "0.0.0.0"
    assert settings.listen.port == container(rendered)["ports"][0]["containerPort"]
    assert settings.auth.required


def test_token_and_password_files_are_mounted(rendered):
    """Every file that the environment names lies in a mounted Secret, under a key it has."""
    mounts = [one["mountPath"] for one in container(rendered)["volumeMounts"]]
    known = environment(rendered)
    files = list(json.loads(known["FIREDAMP_AUTH__TOKEN_FILES"]).values())
    files += [known["FIREDAMP_STORE__PASSWORD_FILE"]] if "FIREDAMP_STORE__PASSWORD_FILE" in known else []

    assert files
    assert all(file.rpartition("/")[0] in mounts for file in files)
    for secret in of_kind(rendered, "Secret"):
        assert {file.rpartition("/")[2] for file in files if "/tokens/" in file} == set(secret["data"])


def test_the_grace_period_outlasts_the_drain(rendered):
    """preStop, 15 s of draining and slack fit into the grace period."""
    spec = deployment(rendered)["spec"]["template"]["spec"]
    (_, pause) = container(rendered)["lifecycle"]["preStop"]["exec"]["command"]

    assert spec["terminationGracePeriodSeconds"] > int(pause) + 15


def test_sqlite_has_one_writer(chart):
    """On SQLite the old pod goes before the new one comes, and the database lies on a volume that is kept."""
    found = render(chart)
    (claim,) = of_kind(found, "PersistentVolumeClaim")
    volumes = deployment(found)["spec"]["template"]["spec"]["volumes"]

    assert deployment(found)["spec"]["strategy"] == {"type": "Recreate"}
    assert environment(found)["FIREDAMP_STORE__URL"] == "sqlite:////data/firedamp.db"
    assert "/data" in [mount["mountPath"] for mount in container(found)["volumeMounts"]]
    assert claim["metadata"]["name"] in [
        one.get("persistentVolumeClaim", {}).get("claimName") for one in volumes
    ]
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_postgresql_takes_many_replicas(chart):
    """On PostgreSQL pods are replaced one by one, without a volume, and guarded by a disruption budget."""
    found = render(chart, {"replicas": 3, "store": {"type": "postgresql", "postgresql": {"host": "db"}}})

    assert deployment(found)["spec"]["strategy"]["type"] == "RollingUpdate"
    assert environment(found)["FIREDAMP_STORE__URL"] == "postgresql://firedamp@db:5432/firedamp"
    assert of_kind(found, "PersistentVolumeClaim") == []
    assert len(of_kind(found, "PodDisruptionBudget")) == 1


def test_what_is_off_is_not_there(chart):
    """By default there is no ServiceMonitor, no Ingress and, with one pod, no disruption budget."""
    assert of_kind(render(chart), "ServiceMonitor", "Ingress", "PodDisruptionBudget") == []


def test_the_network_policy_opens_only_what_is_needed(chart):
    """Callers' namespaces in; DNS, sources and the database out."""
    (policy,) = of_kind(
        render(
            chart,
            {
                "store": {"type": "postgresql", "postgresql": {"host": "db", "port": 5433}},
                "networkPolicy": {"sourcePorts": [9090], "callerNamespaces": ["argo-rollouts"]},
            },
        ),
        "NetworkPolicy",
    )
    (allowed,) = policy["spec"]["ingress"]
    out = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}

    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert allowed["from"][1]["namespaceSelector"]["matchExpressions"][0]["values"] == ["argo-rollouts"]
    assert out == {53, 9090, 5433}


def test_the_ingress_shows_pages_only(chart):
    """No address of a controller, of the API or of the metrics lies behind the Ingress."""
    (ingress,) = of_kind(render(chart, {"ingress": {"enabled": True}}), "Ingress")
    paths = [(one["path"], one["pathType"]) for one in ingress["spec"]["rules"][0]["http"]["paths"]]

    assert [route for route in ROUTES_OF_CONTROLLERS if any(covers(path, route) for path in paths)] == []
    assert any(covers(path, "/releases/17") for path in paths)


def covers(path, route):
    where, how = path
    return route == where if how == "Exact" else f"{route}/".startswith(f"{where.rstrip('/')}/")


def test_new_settings_make_new_pods(chart):
    """The pods carry a checksum of the settings, which changes with them and not otherwise."""
    sums = [
        deployment(render(chart, {"config": {"mode": mode}}))["spec"]["template"]["metadata"]["annotations"]
        for mode in ("judge", "judge", "shadow")
    ]

    assert sums[0] == sums[1] != sums[2]


def test_the_notes_tell_the_next_step(chart):
    """Whoever installs without settings is told how to bring them."""
    files = chart.render({}, name="firedamp", namespace="judges")

    assert "--set-file configText=firedamp.yaml" in files["firedamp/templates/NOTES.txt"]
    assert "helm test firedamp -n judges" in files["firedamp/templates/NOTES.txt"]


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
        render(chart, {"config": {"mode": "judge"}, "configText": "mode: shadow"})


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
    pod = named(render(chart), "Pod", "firedamp-test")
    script = (CHART / "files" / "ask.py").read_text(encoding="utf-8")

    assert pod["spec"]["containers"][0]["args"][0].strip() == script.strip()
