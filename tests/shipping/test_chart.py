"""The Helm chart: what it renders is valid and restricted, and what cannot work is refused by its schema."""

import json

import helm_python
import pytest
import yaml

from firedamp.config.load import load
from shipping.manifests import CHART, faults, of_kind, rendered, title

CI = sorted((CHART / "ci").glob("*-values.yaml"))
ROUTES_OF_CONTROLLERS = (
    "/argo/v1/guard",
    "/flagger/v1/s/rollback",
    "/promql/api/v1/query",
    "/api/v1/judge",
    "/metrics",
)
BINDINGS = ("RoleBinding", "ClusterRoleBinding")
READ = ["get", "list"]
#: What people open, and what those pages ask for.
PAGES = (
    "/",
    "/releases/17",
    "/releases/17.csv",
    "/releases/17/rulings",
    "/api/v1/releases/17/checks/errors",
    "/live/releases/17",
    "/services/shop/checkout/checks/errors",
    "/gates",
    "/audit",
    "/tokens/revoke",
    "/health",
    "/login",
    "/logout",
    "/static/firedamp.css",
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
def found(chart, values):
    """Everything that is installed in this mode."""
    return rendered(chart, values)


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


def test_every_object_is_valid(found):
    """Every object of every mode satisfies the schema of its kind, unknown fields forbidden."""
    assert [fault for one in found for fault in faults(one)] == []


def test_names_are_unique(found):
    """No two objects of a kind and namespace share a name: Helm would install only one of them."""
    titles = [(title(one), one["metadata"].get("namespace")) for one in found]

    assert len(set(titles)) == len(titles)


def test_every_pod_keeps_the_restricted_standard(found):
    """Pod Security "restricted", and beyond it a read-only root."""
    for spec in pods(found):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["enableServiceLinks"] is False
        for one in spec["containers"]:
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"requests", "limits"} <= set(one["resources"])


def test_volumes_and_mounts_match(found):
    """Every mount has its volume and every volume its mount."""
    spec = deployment(found)["spec"]["template"]["spec"]
    mounted = {mount["name"] for mount in container(found)["volumeMounts"]}

    assert mounted == {volume["name"] for volume in spec["volumes"]}


def test_selectors_find_the_pods_and_only_them(found):
    """Service, budget and policy select the server's pods; the test's pod must not be served traffic."""
    labels = deployment(found)["spec"]["template"]["metadata"]["labels"].items()
    (service,) = of_kind(found, "Service")
    chosen = [service["spec"]["selector"], deployment(found)["spec"]["selector"]["matchLabels"]]
    chosen += [one["spec"]["selector"]["matchLabels"] for one in of_kind(found, "PodDisruptionBudget")]
    chosen += [one["spec"]["podSelector"]["matchLabels"] for one in of_kind(found, "NetworkPolicy")]
    tests = [one["metadata"]["labels"].items() for one in of_kind(found, "Pod")]

    assert all(selector.items() <= labels for selector in chosen)
    assert not any(selector.items() <= test for selector in chosen for test in tests)


def test_the_settings_and_the_environment_are_settings(found, tmp_path):
    """The ConfigMap's text and the container's environment together load as Settings."""
    file = tmp_path / "firedamp.yaml"
    (config,) = [one for one in of_kind(found, "ConfigMap") if "firedamp.yaml" in one["data"]]
    file.write_text(config["data"]["firedamp.yaml"], encoding="utf-8")

    settings = load(file, {name: value for name, value in environment(found).items() if value})

    assert settings.listen.host == "0.0.0.0"
    assert settings.listen.port == container(found)["ports"][0]["containerPort"]
    assert settings.auth.required


def test_people_are_let_in_as_the_values_say(chart, tmp_path):
    """A proxy, an ingress that is believed and read-only come as values, and reach the settings."""
    proxy = {"addresses": ["10.20.0.7/32"], "roles": {"viewer": ["*"], "ruler": ["it's us"]}}
    auth = {"proxy": proxy, "forwardedBy": ["10.20.0.0/16"]}
    file = tmp_path / "firedamp.yaml"
    file.write_text("{}", encoding="utf-8")

    found = load(file, environment(rendered(chart, {"auth": auth, "readOnly": True})))
    without = load(file, environment(rendered(chart, {})))

    assert found.auth.proxy is not None
    assert [str(one) for one in found.auth.proxy.addresses] == proxy["addresses"]
    assert found.auth.proxy.roles["ruler"] == ("it's us",)
    assert [str(one) for one in found.auth.forwarded_by] == ["10.20.0.0/16"]
    assert found.read_only
    assert (without.auth.proxy, without.auth.forwarded_by, without.read_only) == (None, (), False)


def test_token_and_password_files_are_mounted(found):
    """Every file that the environment names lies in a mounted Secret, under a key it has."""
    mounts = [one["mountPath"] for one in container(found)["volumeMounts"]]
    known = environment(found)
    files = list(json.loads(known["FIREDAMP_AUTH__TOKEN_FILES"]).values())
    files += [known["FIREDAMP_STORE__PASSWORD_FILE"]] if "FIREDAMP_STORE__PASSWORD_FILE" in known else []

    assert files
    assert all(file.rpartition("/")[0] in mounts for file in files)
    for secret in of_kind(found, "Secret"):
        assert {file.rpartition("/")[2] for file in files if "/tokens/" in file} == set(secret["data"])


def test_the_grace_period_outlasts_the_drain(found):
    """preStop, 15 s of draining and slack fit into the grace period."""
    spec = deployment(found)["spec"]["template"]["spec"]
    (_, pause) = container(found)["lifecycle"]["preStop"]["exec"]["command"]

    assert spec["terminationGracePeriodSeconds"] > int(pause) + 15


def test_sqlite_has_one_writer(chart):
    """On SQLite the old pod goes before the new one comes, and the database lies on a volume that is kept."""
    found = rendered(chart)
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
    found = rendered(chart, {"replicas": 3, "store": {"type": "postgresql", "postgresql": {"host": "db"}}})

    assert deployment(found)["spec"]["strategy"]["type"] == "RollingUpdate"
    assert environment(found)["FIREDAMP_STORE__URL"] == "postgresql://firedamp@db:5432/firedamp"
    assert of_kind(found, "PersistentVolumeClaim") == []
    assert len(of_kind(found, "PodDisruptionBudget")) == 1


def test_what_is_off_is_not_there(chart):
    """By default there is no ServiceMonitor, no Ingress and, with one pod, no disruption budget."""
    assert of_kind(rendered(chart), "ServiceMonitor", "Ingress", "PodDisruptionBudget") == []


def test_the_network_policy_opens_only_what_is_needed(chart):
    """Callers' namespaces in; DNS, sources and the database out."""
    (policy,) = of_kind(
        rendered(
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


def test_a_pod_without_rights_has_no_token(found, values):
    """A token of the cluster is mounted where something is asked of it, and into the server's pod only."""
    mounted = [spec["automountServiceAccountToken"] for spec in pods(found)]

    assert mounted == ["kubernetes" in values] + [False] * (len(mounted) - 1)
    assert all(one["automountServiceAccountToken"] is False for one in of_kind(found, "ServiceAccount"))


def test_by_default_there_are_no_rights(chart):
    """Nothing is bound to the service account, and the program is told of nothing."""
    found = rendered(chart)

    assert of_kind(found, *BINDINGS, "Role", "ClusterRole") == []
    assert [name for name in environment(found) if "KUBERNETES" in name] == []


@pytest.mark.parametrize(
    ("switches", "rights"),
    [
        ({"events": True}, {"events": ["create", "patch"], "rollouts": READ, "canaries": READ}),
        ({"endings": True}, {"rollouts": ["list"], "canaries": ["list"]}),
        (
            {"events": True, "endings": True},
            {"events": ["create", "patch"], "rollouts": READ, "canaries": READ},
        ),
    ],
    ids=["events", "endings", "both"],
)
def test_the_rights_are_the_least_that_do(chart, switches, rights, tmp_path):
    """One ClusterRole with what the switch needs, bound to the pods' account; the program is told of it."""
    found = rendered(chart, {"kubernetes": switches})
    (role,), (binding,) = of_kind(found, "ClusterRole"), of_kind(found, "ClusterRoleBinding")
    file = tmp_path / "firedamp.yaml"
    file.write_text("{}", encoding="utf-8")
    told = load(file, environment(found)).kubernetes

    assert {rule["resources"][0]: rule["verbs"] for rule in role["rules"]} == rights
    assert (told.events, told.endings) == (switches.get("events", False), switches.get("endings", False))
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "firedamp", "namespace": "judges"}]
    assert deployment(found)["spec"]["template"]["spec"]["serviceAccountName"] == "firedamp"


def test_rights_may_end_at_namespaces(chart):
    """With namespaces there is a Role and its binding in each, and nothing that is good for all."""
    found = rendered(chart, {"kubernetes": {"events": True, "namespaces": ["shop", "web"]}})
    places = [one["metadata"]["namespace"] for one in of_kind(found, "Role")]

    assert (
        places == [one["metadata"]["namespace"] for one in of_kind(found, "RoleBinding")] == ["shop", "web"]
    )
    assert of_kind(found, "ClusterRole", "ClusterRoleBinding") == []


def test_who_asks_the_cluster_is_let_out_to_it(chart):
    """The NetworkPolicy opens the ports of the API only where it is asked."""
    values = {"networkPolicy": {"sourcePorts": [9090], "apiPorts": [6443]}}
    policies = [
        of_kind(rendered(chart, {**values, **more}), "NetworkPolicy")[0]
        for more in ({}, {"kubernetes": {"endings": True}})
    ]
    ports = [{port["port"] for rule in one["spec"]["egress"] for port in rule["ports"]} for one in policies]

    assert ports == [{53, 9090}, {53, 9090, 6443}]


def test_the_ingress_shows_pages_only(chart):
    """No address of a controller or of the metrics lies behind the Ingress, and every page does."""
    (ingress,) = of_kind(rendered(chart, {"ingress": {"enabled": True}}), "Ingress")
    paths = [(one["path"], one["pathType"]) for one in ingress["spec"]["rules"][0]["http"]["paths"]]

    assert [route for route in ROUTES_OF_CONTROLLERS if any(covers(path, route) for path in paths)] == []
    assert [page for page in PAGES if not any(covers(path, page) for path in paths)] == []


def covers(path, route):
    where, how = path
    return route == where if how == "Exact" else f"{route}/".startswith(f"{where.rstrip('/')}/")


def test_new_settings_make_new_pods(chart):
    """The pods carry a checksum of the settings, which changes with them and not otherwise."""
    sums = [
        deployment(rendered(chart, {"config": {"mode": mode}}))["spec"]["template"]["metadata"]["annotations"]
        for mode in ("judge", "judge", "shadow")
    ]

    assert sums[0] == sums[1] != sums[2]


def test_the_notes_tell_the_next_step(chart):
    """Whoever installs without settings is told how to bring them."""
    files = chart.render({}, name="firedamp", namespace="judges")

    assert "--set-file configText=firedamp.yaml" in files["firedamp/templates/NOTES.txt"]
    assert "helm test firedamp -n judges" in files["firedamp/templates/NOTES.txt"]
