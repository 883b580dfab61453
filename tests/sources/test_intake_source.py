"""What the intake of spans tells of itself, as it is wired."""

from collections.abc import Mapping
from dataclasses import replace

from prometheus_client import REGISTRY

from firedamp.config.load import parse
from firedamp.model import Ask, Controller, Question
from firedamp.telemetry import INTAKE
from firedamp.tracing import Kind, Sought, Span
from firedamp.tracing.intake import Keeping
from firedamp.wiring import living
from intakes import NOW, opened
from sentspans import protobuf

OWN = {"name": "own", "kind": "otlp"}
ROOT = Span("1" * 32, "2" * 16, "", "gateway", "GET", Kind.SERVER, NOW, 0.25)


def settings(folder, **more: object) -> dict[str, object]:
    return {"store": {"url": f"sqlite:///{folder}/firedamp.db"}, "sources": [OWN], **more}


def exported() -> Mapping[str, float]:
    """Samples of the intake, by name and the value of their label."""
    samples = [sample for family in INTAKE.collect() for sample in family.samples]
    return {" ".join((one.name, *one.labels.values())): one.value for one in samples}


async def test_what_was_taken_and_what_was_refused_is_exported():
    """A root twice, one without a name, one of a wrong clock."""
    nameless, late = replace(ROOT, trace_id="0" * 32), replace(ROOT, trace_id="3" * 32, start=NOW - 10_000)
    async with opened() as place:
        with INTAKE.of(place.intake.figures):
            await place.send(protobuf([ROOT, ROOT, nameless, late]))
            told = exported()

    assert told == {
        "firedamp_intake_traces": 1,
        "firedamp_intake_spans": 1,
        "firedamp_intake_taken_spans_total": 2,
        "firedamp_intake_refused_spans_total ids": 1,
        "firedamp_intake_refused_spans_total clock": 1,
        "firedamp_intake_forgotten_traces_total": 0,
        "firedamp_intake_cut_spans_total": 0,
    }


async def test_what_was_lost_is_exported():
    """Traces that made room for others, and a span too many for its trace."""
    failed = replace(ROOT, parent_id=ROOT.span_id, failed=True)
    many = [replace(failed, span_id=f"{number:016x}") for number in range(1, 65)]
    others = [replace(ROOT, trace_id=f"{number:032x}") for number in (1, 2, 3)]
    async with opened(keeping=Keeping(traces=10)) as place:
        with INTAKE.of(place.intake.figures):
            await place.send(protobuf([ROOT, *many]))
            await place.send(protobuf(others))
            await place.send(protobuf([replace(one, trace_id="4" * 32) for one in (ROOT, *many)]))
            told = exported()

    assert told["firedamp_intake_cut_spans_total"] == 2
    assert told["firedamp_intake_forgotten_traces_total"] > 0


async def test_figures_are_exported_as_long_as_there_is_an_intake(tmp_path):
    """On /metrics, and no longer than it lives."""
    async with living(parse(settings(tmp_path), "test")):
        during = REGISTRY.get_sample_value("firedamp_intake_traces")

    assert (during, REGISTRY.get_sample_value("firedamp_intake_traces")) == (0, None)


async def test_a_window_from_before_anybody_asked_is_doubted():
    """Spans of a service that no settings name are kept since; what is asked later is whole."""
    sought = Sought(("stock", "stock-canary"))
    now = NOW
    async with opened(clock=lambda: now) as place:
        now += 100
        first = await place.intake.traces(sought, NOW + 90, NOW + 100, 5.0)
        later = await place.intake.traces(sought, NOW + 100, NOW + 110, 5.0)

    assert first.doubt == (
        "spans of stock are kept since somebody asked about it, 10 s after the window began; "
        "add it to services in the settings"
    )
    assert later.doubt == ""


async def test_a_question_about_a_service_of_the_defaults_lets_its_spans_in(tmp_path):
    """From that moment on; nobody else's."""
    errors = {"name": "errors", "kind": "proportion", "events": "errors", "total": "requests"}
    flow = {"name": "order", "root": {"service": "gateway", "operation": "POST /orders"}}
    defaults = {"checks": [errors], "cohorts": {"preset": "argo"}, "traces": {"flows": [flow]}}
    visits = [replace(ROOT, service=name, parent_id="4" * 16) for name in ("stock-canary", "cart", "gateway")]
    async with living(parse(settings(tmp_path, defaults=defaults), "test"), clock=lambda: NOW) as parts:
        before = [parts.intake.interest.wants_span(one) for one in visits]
        await parts.judge.answer(Ask("shop", "stock", Question.GUARD, Controller.ARGO), NOW)
        after = [parts.intake.interest.wants_span(one) for one in visits]

    assert before == [False, False, True]
    assert after == [True, False, True]
