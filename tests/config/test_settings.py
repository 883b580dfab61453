"""The settings: strict, overridable, and patient with those who write them."""

import json
from pathlib import Path

import jsonschema
import pytest

from firedamp.config import Settings
from firedamp.config.document import parsed
from firedamp.config.load import json_schema, load, parse, service_to_add
from firedamp.errors import ConfigError
from firedamp.model import Mode, Resort, Tier

EXAMPLE = """
services:
  - name: checkout
    namespace: shop
    cohorts: {preset: argo}            # argo, flagger, istio, or labels with matchers per cohort
    window: {promote_after: 30m, decide_by: 60m}
    checks:
      - {name: errors, kind: proportion, tier: critical, events: 'http_requests_total{code=~"5.."}', \
total: 'http_requests_total'}
      - {name: latency, kind: distribution, tier: critical, histogram: http_request_duration_seconds, \
tolerance: 20%}
      - {name: memory, kind: relative, tier: warn, query: 'container_memory_working_set_bytes{$cohort}', \
max_increase: 15%}
      - {name: restarts, kind: threshold, tier: critical, counter: kube_pod_container_status_restarts_total, \
max: 0}   # cohort by pod name
"""
ERRORS = "{name: errors, kind: proportion, events: e, total: t}"


def settings(text: str, **environ: str) -> Settings:
    """Settings from YAML, as a file would give them."""
    return parse(parsed(text) or {}, "f.yaml") if not environ else loaded(text, environ)


def loaded(text: str, environ: dict[str, str], path: Path | None = None) -> Settings:
    if path is None:
        return load(None, environ)
    path.write_text(text)
    return load(path, environ)


def faults(text: str) -> list[str]:
    """What is said of wrong settings, line by line."""
    with pytest.raises(ConfigError) as caught:
        settings(text)
    return str(caught.value).splitlines()


def test_the_example_reads_as_written():
    """The README's service has the window, the tiers and the tolerances that it says."""
    service = settings(EXAMPLE).services[0]

    assert (service.namespace, service.name) == ("shop", "checkout")
    assert service.cohorts.preset == "argo"
    assert (service.window.promote_after, service.window.decide_by) == (1800, 3600)
    assert [check.kind for check in service.checks] == ["proportion", "distribution", "relative", "threshold"]
    assert service.checks[1].tolerance == pytest.approx(0.2)
    assert service.checks[2].tier is Tier.WARN
    assert service.checks[2].max_increase == pytest.approx(0.15)
    assert service.checks[3].by_pod()


def test_nothing_set_is_enough():
    """Without a file there are defaults: loopback, SQLite, tokens required."""
    found = load(None, {})

    assert found.listen.host == "127.0.0.1"
    assert found.store.url.startswith("sqlite:///")
    assert found.auth.required
    assert found.service("shop", "checkout") is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("servces: []", "f.yaml: servces: unknown key; did you mean 'services'?"),
        ("listen: {prt: 3}", "f.yaml: listen.prt: unknown key; did you mean 'port'?"),
        (
            "listen: {qqqq: 3}",
            "f.yaml: listen.qqqq: unknown key; known are host, port",
        ),
        ("mode: judg", "f.yaml: mode: unknown value 'judg'; did you mean 'judge'?"),
        ("services: 3", "f.yaml: services: Input should be a valid array (found 3)"),
        ("{services: [3], defaults: {alpha: 1%}}", "f.yaml: services.0: Input should be an object (found 3)"),
        ("services: [{}]", "f.yaml: services.0.name: is missing"),
        (
            "services: [{name: a, window: {promote_afer: 3m}}]",
            "f.yaml: services.0.window.promote_afer: unknown key; did you mean 'promote_after'?",
        ),
        (
            "services: [{name: a, window: {look: 3x}}]",
            "f.yaml: services.0.window.look: '3x' is no duration; write it like 90s, 30m or 1h30m",
        ),
        (
            "services: [{name: a, window: {promote_after: 9m, decide_by: 8m}}]",
            "f.yaml: services.0.window: needs warm_up < promote_after <= decide_by",
        ),
        (
            "services: [{name: a, window: {look: 40m}}]",
            "f.yaml: services.0.window: look is longer than promote_after",
        ),
        (
            "services: [{name: a, window: {advance_after: 40m}}]",
            "f.yaml: services.0.window: needs advance_after <= advance_by",
        ),
        (
            "services: [{name: a, cohorts: {preset: arg}}]",
            "f.yaml: services.0.cohorts: unknown preset 'arg'; did you mean 'argo'?",
        ),
        (
            "services: [{name: a, cohorts: {preset: argo, lable: x}}]",
            "f.yaml: services.0.cohorts.lable: unknown key; did you mean 'label'?",
        ),
        (
            "services: [{name: a, cohorts: {preset: labels, canary: 'v=\"1\"'}}]",
            "f.yaml: services.0.cohorts: needs matchers for main or baseline to compare the canary with",
        ),
        (
            "services: [{name: a, checks: [{name: e, kind: proportion, event: x, total: y}]}]",
            "f.yaml: services.0.checks.0.event: unknown key; did you mean 'events'?",
        ),
        (
            "services: [{name: a, checks: [{name: e, kind: proprtion, events: x, total: y}]}]",
            "f.yaml: services.0.checks.0: unknown kind 'proprtion'; did you mean 'proportion'?",
        ),
        (
            "services: [{name: a, checks: [{name: e, events: x, total: y}]}]",
            "f.yaml: services.0.checks.0: kind is missing; "
            "known are distribution, flow-collateral, flow-duration, flow-failures, operations, proportion, "
            "relative, threshold, trend",
        ),
        (
            "services: [{name: a, checks: [{name: e, kind: proportion, events: 'rate(x[5m])', total: y}]}]",
            "f.yaml: services.0.checks.0.events: 'rate(x[5m])': "
            'write a plain selector like rate{code="500"}',
        ),
        (
            "services: [{name: a, checks: [{name: e, kind: distribution, histogram: h, tolerance: twenty}]}]",
            "f.yaml: services.0.checks.0.tolerance: 'twenty' is no share; write it like 20% or 0.2",
        ),
        (
            f"services: [{{name: a, checks: [{ERRORS}, {ERRORS}]}}]",
            "f.yaml: services.0: check 'errors' is there twice; give each check its own name",
        ),
        (
            "services: [{name: a, policy: {no_data: halt}}]",
            "f.yaml: services.0.policy.no_data: unknown value 'halt'; did you mean 'hold'?",
        ),
        (
            "services: [{name: a, source: mian}]",
            "f.yaml: services.0.source: no source of metrics is named 'mian'; known are none",
        ),
        (
            "{defaults: {source: x}, sources: [{kind: prometheus, name: main, url: 'http://p'}]}",
            "f.yaml: defaults.source: no source of metrics is named 'x'; known are main",
        ),
        (
            "sources: [{kind: replay, name: a, path: p}, {kind: prometheus, name: a, url: 'http://q'}]",
            "f.yaml: sources: 'a' is there twice; give each source its own name",
        ),
        ("services: [{name: a}, {name: a}]", "f.yaml: services: default/a is there twice"),
        (
            "sources: [{kind: prometheus, name: a, ulr: 'http://p'}]",
            "f.yaml: sources.0.ulr: unknown key; did you mean 'url'?",
        ),
        (
            "sources: [{name: a, url: 'http://p'}]",
            "f.yaml: sources.0: kind is missing; known are jaeger, otlp, prometheus, replay, tempo, "
            "victoriatraces",
        ),
        (
            "store: {url: 'mysql://x'}",
            "f.yaml: store.url: write it like sqlite:///firedamp.db or postgresql://user@host/firedamp "
            '(found "mysql://x")',
        ),
        (
            "freezes: [{name: x, dys: [mon]}]",
            "f.yaml: freezes.0.dys: unknown key; did you mean 'days'?",
        ),
        (
            "freezes: [{name: x, days: [mon], start: 22}]",
            "f.yaml: freezes.0.start: 22 is no time of day; write it like 22:00",
        ),
    ],
)
def test_a_fault_is_named_with_its_path_and_the_nearest_right_one(text, fault):
    """Every wrong key and value is told where it stands and what was meant."""
    assert fault in faults(text)


ORDER = "{name: order, root: {service: gateway, operation: POST /orders}}"
BILL = "{name: bill, root: {service: billing, operation: orders}, linked: true}"


def test_a_linked_flow_needs_the_one_that_writes_its_messages():
    """Nobody would know whose they are."""
    assert faults(f"services: [{{name: a, traces: {{flows: [{BILL}]}}}}]") == [
        "f.yaml: services.0.traces: flow 'bill' is linked, and no other is there; name the flow in which its "
        "messages are written, too"
    ]


def test_a_linked_flow_needs_a_source_that_tells_links():
    """Tempo's searches do not, be it named or the only one; a Jaeger's do."""
    tempo, jaeger = "{name: t, kind: tempo, url: 'http://t'}", "{name: j, kind: jaeger, url: 'http://j'}"
    flows = f"flows: [{ORDER}, {BILL}]"
    fault = (
        "f.yaml: services.0.traces: flow 'bill' is linked, and a search in Tempo tells no links; "
        "use another source for this service, or leave the flow out"
    )

    assert faults(f"sources: [{tempo}]\nservices: [{{name: a, traces: {{{flows}}}}}]") == [fault]
    assert faults(
        f"sources: [{jaeger}, {tempo}]\nservices: [{{name: a, traces: {{source: t, {flows}}}}}]"
    ) == [fault]
    assert settings(f"sources: [{jaeger}, {tempo}]\nservices: [{{name: a, traces: {{{flows}}}}}]").services


def test_all_faults_are_named_at_once():
    """Nobody has to mend one fault to learn of the next."""
    assert len(faults("{listen: {prt: 3}, log: {level: loud}, mode: x}")) == 3


def test_a_fault_of_the_defaults_is_told_once():
    """What flows into three services wrong is wrong in one place."""
    text = "{defaults: {window: {lok: 3}}, services: [{name: a}, {name: b}, {name: c, window: {look: x}}]}"

    assert faults(text) == [
        "f.yaml: defaults.window.lok: unknown key; did you mean 'look'?",
        "f.yaml: services.2.window.look: 'x' is no duration; write it like 90s, 30m or 1h30m",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "listen: {port: true}",
        "listen: {port: '8080'}",
        "listen: {port: 8080.5}",
        "auth: {required: 1}",
        "auth: {required: 'yes'}",
        "limits: {deadline: true}",
        "store: {url: 3}",
        "services: [{name: 3}]",
        "services: [{name: a, alpha: true}]",
        "services: [{name: a, alpha: .nan}]",
        "services: [{name: a, alpha: 0}]",
        "services: [{name: a, window: {look: -30}}]",
        "services: [{name: a, window: {look: .inf}}]",
        "services: [{name: a, checks: [{name: x, kind: threshold, counter: c, max: .inf}]}]",
        "services: [{name: 'a/b'}]",
        "services: [{name: ''}]",
        "public_url: ftp://x",
    ],
)
def test_nothing_is_guessed(text):
    """`true` is no number, a number no text, and what is not finite no limit."""
    assert faults(text)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://judge:hunter2@db/firedamp",
        "postgresql://judge:hun@ter2@db/firedamp",
        "postgresql://judge@db/firedamp?password=hunter2",
    ],
)
def test_passwords_are_refused_and_not_repeated(url):
    """A secret in the file is an error, and the error is fit for a log."""
    said = "\n".join(faults(f"store: {{url: '{url}'}}"))

    assert "a password does not belong in the settings; use password_file" in said
    assert "hunter2" not in said
    assert "ter2" not in said


def test_a_source_s_password_is_refused_and_not_repeated():
    """The same holds for the address of a Prometheus."""
    said = "\n".join(faults("sources: [{kind: prometheus, name: a, url: 'http://judge:hunter2@p'}]"))

    assert "password" in said
    assert "hunter2" not in said


def test_the_database_s_password_comes_from_its_file(tmp_path):
    """The file's content is written into the address, escaped."""
    secret = tmp_path / "password"
    secret.write_text("p@ss/word\n")
    store = settings(f"store: {{url: 'postgresql://judge@db/firedamp', password_file: {secret}}}").store

    assert store.address() == "postgresql://judge:p%40ss%2Fword@db/firedamp"


def test_a_missing_password_file_is_named(tmp_path):
    """Opening the store says which file is not there."""
    store = settings(f"store: {{url: 'postgresql://j@db/f', password_file: {tmp_path}/none}}").store

    with pytest.raises(ConfigError, match=r"store\.password_file: .*/none cannot be read"):
        store.address()


def test_a_password_belongs_to_somebody():
    """A password file without a user in the address would be ignored, so it is refused."""
    assert "needs a user in the url" in faults("store: {url: 'postgresql://db/f', password_file: p}")[0]


def test_without_a_password_the_address_is_the_url():
    """SQLite and trusted sockets need none."""
    assert settings("").store.address() == "sqlite:///firedamp.db"


def test_defaults_flow_key_by_key():
    """A service keeps what it says and gets the rest from the defaults, inside window and policy too."""
    found = settings(
        f"""
        sources: [{{kind: prometheus, name: main, url: 'http://p'}}, {{kind: prometheus, name: b, url: 'http://q'}}]
        defaults:
          source: main
          mode: shadow
          alpha: 1%
          window: {{look: 60, promote_after: 20m}}
          policy: {{no_data: fail, window_over: pass}}
          checks: [{ERRORS}]
        services:
          - {{name: plain}}
          - {{name: own, mode: judge, source: b, window: {{promote_after: 40m}}, policy: {{no_data: hold}},
              checks: []}}
        """
    )
    plain, own = found.services

    assert plain.mode is Mode.SHADOW
    assert plain.source == "main"
    assert plain.alpha == pytest.approx(0.01)
    assert (plain.window.look, plain.window.promote_after) == (60, 1200)
    assert [check.name for check in plain.checks] == ["errors"]
    assert own.mode is Mode.JUDGE
    assert own.source == "b"
    assert (own.window.look, own.window.promote_after) == (60, 2400)
    assert (own.policy.no_data, own.policy.window_over) == (Resort.HOLD, Resort.PASS)
    assert own.checks == ()


def test_defaults_with_checks_judge_any_service():
    """A service nobody set up is judged by the defaults where those have checks."""
    found = settings(
        f"""
        defaults: {{mode: shadow, window: {{look: 15}}, cohorts: {{preset: flagger}}, checks: [{ERRORS}]}}
        services: [{{name: known, namespace: shop, mode: judge}}]
        """
    )
    unknown = found.service("elsewhere", "new")

    assert unknown is not None
    assert (unknown.namespace, unknown.name, unknown.mode) == ("elsewhere", "new", Mode.SHADOW)
    assert unknown.parameters().window.look == 15
    assert unknown.parameters().cohorts.preset == "flagger"
    assert found.service("shop", "known").mode is Mode.JUDGE


def test_defaults_without_checks_judge_nobody():
    """Without checks there is nothing to judge an unknown service by."""
    assert settings("defaults: {mode: shadow}").service("shop", "new") is None


def test_parameters_are_what_decides():
    """Where a service is found, its source and its mode are not part of what is stored with a release."""
    service = settings(EXAMPLE).services[0]
    elsewhere = {"name", "namespace", "released_by", "source", "mode"}

    assert set(dict(service.parameters())) == set(dict(service)) - elsewhere


def test_variables_override_the_file(tmp_path):
    """What stands in the environment goes before the file, key by key."""
    path = tmp_path / "firedamp.yaml"
    found = loaded(
        "{listen: {host: 10.0.0.1, port: 1}, mode: hold}",
        {
            "FIREDAMP_LISTEN__PORT": "9000",
            "FIREDAMP_MODE": "off",
            "FIREDAMP_PUBLIC_URL": "https://judge.example",
        },
        path,
    )

    assert (found.listen.host, found.listen.port) == ("10.0.0.1", 9000)
    assert found.mode is Mode.OFF
    assert str(found.public_url) == "https://judge.example/"


def test_a_variable_s_fault_is_told_by_its_name(tmp_path):
    """Nobody looks in the file for what the environment got wrong."""
    path = tmp_path / "firedamp.yaml"
    with pytest.raises(ConfigError) as caught:
        loaded("mode: x", {"FIREDAMP_LISTEN__PRT": "9000", "FIREDAMP_LOG__LEVEL": "loud"}, path)

    assert sorted(str(caught.value).splitlines()) == [
        f"{path}: mode: unknown value 'x'; known are hold, judge, off, shadow",
        "FIREDAMP_LISTEN__PRT: listen.prt: unknown key; did you mean 'port'?",
        "FIREDAMP_LOG__LEVEL: log.level: unknown value 'loud'; known are debug, error, info, warning",
    ]


def test_the_environment_alone_is_enough():
    """A container needs no file."""
    found = settings("", FIREDAMP_SERVICES="[{name: a, window: {look: 15}}]", FIREDAMP_LOG__FORMAT="console")

    assert found.services[0].window.look == 15
    assert found.log.format == "console"


def test_the_schema_is_one():
    """The exported schema is valid JSON Schema 2020-12."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "firedamp settings"
    json.dumps(schema, allow_nan=False)


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        "{mode: off, store: {retention: null}}",
        "freezes: [{name: a, days: [sat], start: '22:00', end: '06:00', timezone: Europe/Berlin}]",
        "freezes: [{name: b, start: 2026-12-20T00:00:00Z, end: 2026-12-27T00:00:00+01:00}]",
        "services: [{name: a, window: {look: 15, warm_up: 0s, decide_by: 1h30m}, alpha: 1%, ceiling: 0.3}]",
    ],
)
def test_the_schema_accepts_what_is_right(text):
    """An editor does not mark what firedamp reads."""
    settings(text)

    jsonschema.Draft202012Validator(json_schema()).validate(parsed(text))


@pytest.mark.parametrize(
    "text",
    [
        "servces: []",
        "listen: {port: 'x'}",
        "services: [{name: a, window: {look: 3x}}]",
        "services: [{name: a, alpha: twenty}]",
        "services: [{name: a, checks: [{name: e, kind: proprtion}]}]",
        "freezes: [{name: a, days: [sat], start: '25:00'}]",
    ],
)
def test_the_schema_refuses_what_is_wrong(text):
    """An editor marks what firedamp would refuse."""
    assert list(jsonschema.Draft202012Validator(json_schema()).iter_errors(parsed(text)))


@pytest.mark.parametrize(("namespace", "name"), [("shop", "checkout"), ("shop", "on"), ("a", "1e3")])
def test_the_service_to_add_can_be_added(namespace, name):
    """The YAML that an answer offers is settings as it stands."""
    found = settings(service_to_add(namespace, name)).service(namespace, name)

    assert found is not None
    assert found.checks[0].kind == "proportion"


def test_releases_are_kept_for_years_where_people_want_it():
    """Retention is longer than any window; what the defaults say can be read back."""
    kept = parse({"store": {"retention": "180d"}}, "test")

    assert kept.store.retention == parse({}, "test").store.retention == 180 * 86400


def test_single_checks_of_a_flow_may_be_other():
    """What the flow says holds for the rest of them."""
    flow = "{name: order, root: {service: gateway, operation: POST /orders}, tolerance: 20%}"
    tuned = "tuned: {order.latency: {tolerance: 40%}, operations: {tier: debug}}"
    [service] = settings(f"services: [{{name: a, traces: {{flows: [{flow}], {tuned}}}}}]").services

    found = {check.name: check for check in service.parameters().checks}
    assert [found[name].tolerance for name in ("order.latency", "order.availability")] == [0.4, 0.2]
    assert found["operations"].tier is Tier.DEBUG


@pytest.mark.parametrize(
    ("tuned", "fault"),
    [
        ("order.speed: {tolerance: 40%}", "there is no check 'order.speed'; known are operations"),
        (
            "operations: {tolerance: 40%}",
            "tolerance of check 'operations' is 0.4: this check, of kind operations, has",
        ),
    ],
)
def test_what_a_flow_has_not_cannot_be_tuned(tuned, fault):
    """A check that no flow has, and a value that the check has not."""
    [said] = faults(f"services: [{{name: a, traces: {{tuned: {{{tuned}}}}}}}]")

    assert said.startswith(f"f.yaml: services.0.traces: tuned: {fault}")
