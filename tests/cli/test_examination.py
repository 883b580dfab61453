"""The doctor's questions, and what it makes of silence."""

import json
from dataclasses import replace

import pytest

from cli.fake_prometheus import FakePrometheus
from firedamp.cli.doctor import as_json, numbers, remarks, show
from firedamp.cli.examination import examine
from firedamp.config.load import parse
from firedamp.errors import SourceDownError

NOW = 10_000.0
STABLE, NEW = "7c9fd4b6d8", "5b8d7f9c44"
ARMS = {"canary": NEW, "main": STABLE}
BOUNDS = ("0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "+Inf")


def service(**changes):
    given = {
        "name": "checkout",
        "namespace": "shop",
        "checks": [
            {
                "name": "errors",
                "kind": "proportion",
                "events": 'http_requests_total{code=~"5.."}',
                "total": "http_requests_total",
            },
            {"name": "latency", "kind": "distribution", "histogram": "http_request_duration_seconds"},
            {
                "name": "memory",
                "kind": "relative",
                "query": "process_resident_memory_bytes{$cohort}",
                "max_increase": 0.15,
            },
        ],
    }
    return parse({"services": [given | changes]}, "test").services[0]


def points(step):
    return [(NOW - 600 + 15 * number, float(step * number)) for number in range(41)]


def series(name, revision, pod, step=10, **labels):
    own = {
        "__name__": name,
        "namespace": "shop",
        "pod": f"checkout-{revision}-{pod}",
        "rollouts_pod_template_hash": revision,
    }
    return (own | labels, points(step))


def shop(revisions=(STABLE, NEW), histogram=True):
    found = []
    for revision in revisions:
        for pod in ("a1", "b2"):
            found.append(series("http_requests_total", revision, pod, code="200"))
            found.append(series("process_resident_memory_bytes", revision, pod))
            if histogram:
                found += [
                    series("http_request_duration_seconds_bucket", revision, pod, le=bound)
                    for bound in BOUNDS
                ]
    return found


def examined(source, arms=ARMS, **changes):
    return examine(service(**changes), arms, source, NOW)


def said(examination):
    return " | ".join(f"{one.severity} {one.arm}: {one.text} -> {one.remedy}" for one in examination.symptoms)


def test_a_well_kept_shop_is_healthy():
    """Every query of both cohorts brings something and nothing is suspicious; no errors are no fault."""
    found = examined(FakePrometheus(shop()))

    assert found.healthy
    assert said(found) == ""
    assert len(found.probes) == 4 * 2


def test_a_probe_has_the_numbers_of_its_cohort():
    """Two pods, scraped every 15 s, forty requests a minute each."""
    found = examined(FakePrometheus(shop()))
    total = next(one for one in found.probes if one.role == "total" and one.arm == "canary")

    assert (total.series, total.pods, total.interval, total.newest_age) == (2, 2, 15.0, 0.0)
    assert total.per_minute == pytest.approx(2 * 10 * 4)


def test_a_misspelt_hash_is_recognised():
    """The cohort is empty, and the value that was probably meant is named."""
    found = examined(FakePrometheus(shop()), {"canary": "5b8d7f9c45", "main": STABLE})

    assert not found.healthy
    assert f"did you mean '{NEW}'" in said(found)


def test_a_wrong_namespace_is_recognised():
    """Of two labels that select, the one that selects nothing is named."""
    found = examined(FakePrometheus(shop()), namespace="shops")

    assert 'no series has namespace="shops"' in said(found)
    assert "did you mean 'shop'" in said(found)


def without_hash(part):
    return [
        ({key: text for key, text in labels.items() if "hash" not in key}, found) for labels, found in part
    ]


def test_requests_without_a_version_label_are_named():
    """A pod beside the four is scraped without relabelling: a fifth of all requests."""
    stray = without_hash(shop(revisions=("bcd4567",)))
    named = [({**labels, "pod": "checkout-bcd4567-x2v9z"}, found) for labels, found in stray[::2][:1]]
    found = examined(FakePrometheus(shop() + named))

    assert not found.healthy
    assert said(found) == (
        "missing None: 20 % of the requests carry no label rollouts_pod_template_hash -> add it when "
        "scraping (relabel_configs): at most 5.0 % may be without"
    )


def test_requests_of_other_services_are_not_missed():
    """The same metric, in the same namespace, of pods with other names."""
    others = [({**labels, "pod": "cart-5d8c7b9f64-x2v9z"}, found) for labels, found in without_hash(shop())]

    assert examined(FakePrometheus(shop() + others)).healthy


def test_a_missing_version_label_is_named():
    """Metrics that do not say which version they are of cannot be judged, and the remedy is relabelling."""
    bare = [
        ({key: value for key, value in labels.items() if key != "rollouts_pod_template_hash"}, found)
        for labels, found in shop()
    ]

    found = examined(FakePrometheus(bare))

    assert "no series carries a label rollouts_pod_template_hash" in said(found)
    assert "relabel_configs" in said(found)


def test_a_metric_of_another_name_is_proposed():
    """A metric that nobody exposes is named, with the nearest one that somebody does."""
    renamed = [
        (labels | {"__name__": labels["__name__"].replace("http_requests", "http_request")}, found)
        for labels, found in shop()
    ]

    assert "did you mean http_request_total" in said(examined(FakePrometheus(renamed)))


def test_a_summary_is_no_histogram():
    """Quantiles cannot be joined over pods; the remedy is a histogram."""
    summaries = [
        series("http_request_duration_seconds", revision, "a1", quantile="0.99") for revision in (STABLE, NEW)
    ]

    found = examined(FakePrometheus(shop(histogram=False) + summaries))

    assert "is a summary" in said(found)


def test_a_wrong_code_label_is_named():
    """The metric is there but not with the label asked for: its values are listed."""
    checks = [
        {
            "name": "errors",
            "kind": "proportion",
            "events": 'http_requests_total{code=~"5.."}',
            "total": 'http_requests_total{status!=""}',
        }
    ]

    found = examined(FakePrometheus(shop()), checks=checks)

    assert 'exists, but not as http_requests_total{status!=""}' in said(found)
    assert "status = (none)" in said(found)


def test_an_expression_without_result_is_named():
    """An expression is tried for every pod before the cohort is blamed."""
    checks = [{"name": "memory", "kind": "relative", "query": "no_such_bytes{$cohort}", "max_increase": 0.15}]

    assert "brings nothing for any pod" in said(examined(FakePrometheus(shop()), checks=checks))


def test_a_refused_query_is_one_finding():
    """A query the source refuses does not hide what the others bring."""
    found = examined(FakePrometheus(shop(), refuses="_bucket"))

    assert "the source refused: bad query" in said(found)
    assert any(one.role == "total" and one.series for one in found.probes)


def test_a_warning_is_never_lost():
    """A partial answer is told, for it is never judged."""
    found = examined(FakePrometheus(shop(), warns=("store gateway timed out",)))

    assert found.healthy
    assert "store gateway timed out" in said(found)


def test_a_source_that_is_down_is_an_error():
    """Nobody is told to mend labels when nobody answered."""
    with pytest.raises(SourceDownError):
        examined(FakePrometheus([], down=True))


def test_unnamed_cohorts_are_missing():
    """Without the hashes there is nothing to select."""
    found = examined(FakePrometheus(shop()), {})

    assert "--canary" in said(found)
    assert not found.healthy


def test_labels_that_never_meet_are_named():
    """Each label has its value somewhere, but no series has all of them."""
    apart = [
        (
            labels | {"namespace": "shop" if labels["rollouts_pod_template_hash"] == STABLE else "other"},
            found,
        )
        for labels, found in shop()
    ]

    assert "no series has all of" in said(examined(FakePrometheus(apart)))


def test_remarks_join_the_checks_that_share_a_fault():
    """One misspelt hash is one remark, however many checks suffer from it."""
    found = examined(FakePrometheus(shop()), {"canary": "nobody", "main": STABLE})

    lines = [line for line in remarks(found.symptoms) if "values of rollouts" in line]

    assert len(lines) == len({one.text for one in found.symptoms if "rollouts" in one.text})


def test_the_table_shows_what_came_back(capsys):
    """A table per check with the numbers, then remarks, then one closing line."""
    show(service(), examined(FakePrometheus(shop())))

    printed = capsys.readouterr().out
    assert "http_requests_total" in printed
    assert printed.rstrip().endswith("shop/checkout: nothing is missing")


def test_the_report_for_programs_is_json():
    """Everything the table says, by name."""
    report = json.loads(as_json(service(), examined(FakePrometheus(shop()))))

    assert report["healthy"] is True
    assert {one["role"] for one in report["queries"]} == {"events", "total", "buckets", "level"}


def test_a_row_leaves_out_what_is_not_known():
    """A probe that brought nothing has no age, no interval and no rate."""
    found = examined(FakePrometheus(shop()))
    empty = replace(found.probes[0], newest_age=None, interval=None, per_minute=None)

    assert list(numbers(empty))[3:7] == ["", "", "", ""]


def test_a_native_histogram_is_told_apart():
    """A metric of that name without buckets is there, but not as a classic histogram."""
    native = [series("http_request_duration_seconds", revision, "a1") for revision in (STABLE, NEW)]

    found = examined(FakePrometheus(shop(histogram=False) + native))

    assert "scrape classic buckets too" in said(found)


def test_a_service_without_checks_has_nothing_to_ask():
    """It can never be decided, and the doctor says so."""
    found = examined(FakePrometheus(shop()), checks=[])

    assert "the service has no checks" in said(found)
    assert found.probes == ()


def test_a_misnamed_workload_is_found_out():
    """Flagger's cohorts are told by pod names; the pods that are there are listed."""
    found = examined(FakePrometheus(shop()), {}, cohorts={"preset": "flagger", "workload": "checkuot"})

    assert 'no series has pod=~"checkuot-' in said(found)
    assert f"values of pod seen: checkout-{NEW}-a1" in said(found)
    assert "code" not in said(found)


def test_a_search_for_names_may_be_refused():
    """Where there are too many names to look through, the fault itself is still told."""
    source = FakePrometheus([], refuses="__name__")

    assert "no metric http_requests_total" in said(examined(source))
