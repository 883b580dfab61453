"""From queries to evidence: what is sent once, what goes wrong, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from firedamp.counting import Samples, Series
from firedamp.decision.parameters import Parameters
from firedamp.errors import SourceDownError, SourceRefusedError
from firedamp.judge import evidence, plans
from firedamp.model import Arm, Block, Controller, Outcome, Release, ReleaseKey, Slice, TroubleKind
from firedamp.ports import Span
from judge.shop import ShopSource
from judge.test_judge import PARAMETERS

RELEASE = Release(
    id=1,
    key=ReleaseKey("shop", "checkout", "canary", 1),
    controller=Controller.ARGO,
    started=0.0,
    arms={"canary": "canary", "main": "stable"},
    experiment=False,
    parameters="",
    version="",
    last_asked=0.0,
)
BLOCKS = [Block(0, 0.0, 30.0), Block(1, 30.0, 60.0)]
NO_FLOWS: list[dict[str, Slice]] = [{} for _ in BLOCKS]
SPAN = Span(-300.0, (30.0, 60.0), 60.0, 5.0)


async def gathered(source, parameters=PARAMETERS):
    planned = plans.plan(parameters, RELEASE)
    answers = await evidence.gather("main", source, planned, SPAN)
    counts = evidence.counted(planned, answers, BLOCKS, evidence.Memories())
    return evidence.assemble(parameters, planned, counts, NO_FLOWS, BLOCKS, RELEASE)


async def test_queries_are_sent_once():
    """Two checks that share a total ask for it once per cohort."""
    errors = PARAMETERS.checks[0]
    both = PARAMETERS.model_copy(
        update={
            "checks": (
                errors,
                errors.model_copy(update={"name": "gone", "events": 'http_requests_total{code="410"}'}),
            )
        }
    )
    source = ShopSource()
    await gathered(source, both)

    assert len(source.fetched) == 2 * 3


async def test_own_names_are_filled_in():
    """Checks for all services take the service's name where they say $service."""
    check = {
        "name": "errors",
        "kind": "proportion",
        "events": 'requests_total{service="$service",code=~"5.."}',
        "total": 'requests_total{service="$service"}',
    }
    planned = plans.plan(Parameters.model_validate({"checks": [check]}), RELEASE)
    sent = {query.need.selector.promql() for query in planned.queries}

    assert sent == {'requests_total{service="checkout"}', 'requests_total{service="checkout",code=~"5.."}'}


async def test_first_error_of_a_known_pod_counts():
    """A series of errors that appears late began at zero: its first sample is not a starting point."""

    class Late(ShopSource):
        async def samples(self, need, cohort, span):
            found = await super().samples(need, cohort, span)
            if any(matcher.label == "code" for matcher in need.selector.matchers):
                series = found.series[0]
                return Samples((Series(series.labels, np.array([40.0, 50.0]), np.array([3.0, 4.0])),))
            return found

    pieces = await gathered(Late())
    rows = pieces[1].slices["errors"].rows

    assert rows[Arm.MAIN]["stable-0"][0] == 4.0
    assert rows[Arm.CANARY]["canary-0"][0] == 4.0


async def test_nothing_found_names_the_query():
    """A cohort without series is not silence: the query that found nothing is named."""

    class Elsewhere(ShopSource):
        async def samples(self, need, cohort, span):
            found = await super().samples(need, cohort, span)
            return replace(found, series=()) if cohort[-1].value == "canary" else found

    piece = (await gathered(Elsewhere()))[0].slices["errors"]

    assert [trouble.kind for trouble in piece.troubles] == [TroubleKind.NO_SERIES]
    assert (
        'http_requests_total{namespace="shop",rollouts_pod_template_hash="canary"}' in piece.troubles[0].text
    )


async def test_half_an_answer_is_not_judged():
    """A source that warns has not told everything."""

    class Partial(ShopSource):
        async def samples(self, need, cohort, span):
            return replace(
                await super().samples(need, cohort, span), warnings=("store-gateway-2 did not answer",)
            )

    piece = (await gathered(Partial()))[0].slices["errors"]

    assert {trouble.kind for trouble in piece.troubles} == {TroubleKind.PARTIAL}
    assert "store-gateway-2" in piece.troubles[0].text


async def test_one_refused_query_leaves_the_others():
    """A query that the source refuses sets its check aside and no other."""

    class Refusing(ShopSource):
        async def samples(self, need, cohort, span):
            if any(matcher.label == "code" for matcher in need.selector.matchers):
                raise SourceRefusedError("parse error at char 7")
            return await super().samples(need, cohort, span)

    piece = (await gathered(Refusing()))[0].slices["errors"]

    assert {trouble.kind for trouble in piece.troubles} == {TroubleKind.REFUSED}


async def test_a_source_that_is_down_is_no_evidence():
    """Where not one query was answered there is nothing to record."""
    with pytest.raises(SourceDownError):
        await gathered(ShopSource(trouble=SourceDownError("down")))


async def test_different_buckets_are_not_compared():
    """A canary with other bucket bounds is set aside, with the reason."""
    check = {"name": "latency", "kind": "distribution", "histogram": "request_seconds"}

    class Buckets(ShopSource):
        async def samples(self, need, cohort, span):
            bounds = ("0.1", "1", "+Inf") if cohort[-1].value == "canary" else ("0.1", "0.5", "+Inf")
            times = np.arange(-60.0, 61.0, 10.0)
            return Samples(
                tuple(
                    Series({"pod": "p", "instance": "i", "le": le}, times, np.arange(len(times)) * (at + 1.0))
                    for at, le in enumerate(bounds)
                )
            )

    piece = (await gathered(Buckets(), Parameters.model_validate({"checks": [check]})))[1].slices["latency"]

    assert piece.rows == {}
    assert "different histogram buckets" in piece.troubles[-1].text


def test_a_weight_counts_from_when_it_was_told_until_traffic_moves_on():
    """Unknown in blocks begun before, and once an advance or the promotion is passed."""
    told = replace(RELEASE, weight=0.2, step_since=20.0)
    planned = plans.plan(PARAMETERS, told)

    def weights(release: Release) -> list[float | None]:
        everything = (*planned.queries, *planned.unlabelled.values())
        counts = dict.fromkeys(everything, SourceRefusedError("no"))
        pieces = evidence.assemble(PARAMETERS, planned, counts, NO_FLOWS, BLOCKS, release)
        return [one.weight for one in pieces]

    assert weights(told) == [None, 0.2]
    assert weights(replace(told, advanced_block=7)) == [None, None]
    assert weights(replace(told, verdict=Outcome.PASS)) == [None, None]
    assert weights(replace(told, advanced_block=7, controller=Controller.FLAGGER)) == [None, 0.2]


async def test_requests_without_a_label_are_added_up_beside_the_arms():
    """Five a second: over two minutes, of which a block of half a minute gets its part."""
    source = ShopSource(unlabelled=5.0)
    pieces = await gathered(source)

    assert [piece.slices["errors"].unlabelled for piece in pieces] == [150.0, 150.0]
    assert [span.window_seconds for span in source.added_up] == [120.0]


async def test_requests_without_a_label_are_asked_for_once_per_counter():
    """Two checks of one counter share the answer; only sums are asked for."""
    errors = PARAMETERS.checks[0]
    gone = errors.model_copy(update={"name": "gone", "events": 'http_requests_total{code="410"}'})
    planned = plans.plan(PARAMETERS.model_copy(update={"checks": (errors, gone)}), RELEASE)
    wanted = {one.need.selector.where(*one.cohort).promql() for one in planned.unlabelled.values()}

    assert list(planned.unlabelled) == ["errors", "gone"]
    assert len(set(planned.unlabelled.values())) == len(wanted) == 1
    assert wanted.pop().endswith('rollouts_pod_template_hash=""}')


async def test_a_histogram_s_requests_are_counted_by_its_last_bucket():
    """The others would count them again."""
    check = {"name": "latency", "kind": "distribution", "histogram": 'request_seconds{job="checkout"}'}
    planned = plans.plan(Parameters.model_validate({"checks": [check]}), RELEASE)
    wanted = planned.unlabelled["latency"]

    assert wanted.need.selector.promql() == 'request_seconds_bucket{job="checkout",le="+Inf"}'
    assert wanted.need.per_pod is False


async def test_a_check_of_which_this_cannot_be_told_is_not_judged():
    """A source that refuses the question leaves unknown who is in no arm."""

    class Refusing(ShopSource):
        async def samples(self, need, cohort, span):
            if cohort[-1].value == "":
                raise SourceRefusedError("no empty matchers here")
            return await super().samples(need, cohort, span)

    piece = (await gathered(Refusing()))[0].slices["errors"]

    assert piece.rows == {}
    assert [trouble.text for trouble in piece.troubles] == ["no empty matchers here"]
