"""The page of one release: what is said first, what stands behind it, and its states nobody draws."""

import re
import time
from dataclasses import replace
from typing import Any

import pytest

from findings import ERRORS, LATENCY, MEMORY
from firedamp.decision.parameters import Parameters, to_json
from firedamp.model import (
    Arm,
    Block,
    Evidence,
    Look,
    Outcome,
    Release,
    ReleaseKey,
    Slice,
    Standing,
    Trouble,
    TroubleKind,
)
from firedamp.ports import Event, Gate
from lookbook import PARAMETERS, a_release_of
from pagereader import Reader
from rehearsal import Shop
from seeds import HOSTILE
from service import Service, running
from store.examples import a_look
from visits import RULER, VIEWER, opened, shown


async def judged(service: Service, count: int = 30, shop: Shop | None = None, **changed: Any) -> Release:
    """A release whose looks come from a real session, with parameters that can be read."""
    looks = a_release_of(count, shop, weights=(0.2, 0.5))
    return await opened(service.store, *looks, parameters=to_json(PARAMETERS), started=0.0, **changed)


def failed(look: Look, block: int) -> Look:
    standing = replace(look.standing, failed_block=block, harm=ERRORS.sentence)
    return replace(look, findings=(LATENCY, MEMORY, ERRORS), standing=standing)


# ── the verdict and the checks ───────────────────────────────────────────────────────────────────────


async def test_the_verdict_comes_first_then_failing_waiting_and_passing_checks(service):
    """What a tired person needs is at the top."""
    sentence = "errors: 5.1 % against 1.0 % in main"
    release = await opened(
        service.store, failed(a_look(0), 0), verdict=Outcome.FAIL, sentence=sentence, weight=0.2
    )

    text = (await shown(service, f"/releases/{release.id}")).text

    order = [sentence, "Failing", "22 of the 29 errors", "Waiting", "memory", "Passing", "latency", "Looks"]
    assert [text.index(word) for word in order] == sorted(text.index(word) for word in order)


async def test_a_check_shows_values_counts_effect_and_p_values(service):
    """Baseline before canary in their unit, how many requests are behind them, how sure that is."""
    release = await opened(service.store, failed(a_look(0), 0))

    text = (await shown(service, f"/releases/{release.id}")).text

    assert "Baseline 0.51 % main · n 4,321 Canary 6.1 % n 1,234" in text
    assert "Effect 5.25× (3.12× to more) allowed 1.25×" in text
    assert "p-value < 0.0001 fails at 0.02; one look 0.003" in text
    assert "80 ms" in text
    assert "missing: about 390 more canary requests" in text


async def test_an_interval_is_drawn_against_its_limit_and_told(service):
    """The drawing needs no script, and says in words what it shows."""
    release = await opened(service.store, failed(a_look(0), 0))

    page = await shown(service, f"/releases/{release.id}")

    told = page.attributes("svg", "aria-label")
    assert "canary over main: 5.25×, between 3.12× and any more; allowed is up to 1.25×" in told


async def test_a_bare_limit_is_shown_in_its_unit(service):
    """A check without a comparison has no ratio."""
    limit = replace(
        ERRORS, against=None, baseline=None, effect=None, interval=None, unit="bytes", tolerance=2.0**21
    )
    release = await opened(service.store, replace(a_look(0), findings=(limit,)))

    page = await shown(service, f"/releases/{release.id}")

    assert "Allowed 2 MiB" in page.text
    assert "Effect" not in page.text.split("Charts and looks")[0]
    assert "0.061 bytes; the limit is 2 MiB" in page.attributes("svg", "aria-label")


async def test_a_failing_warn_check_warns(service):
    """It asks a person and rolls nothing back, so it does not say fail."""
    warning = replace(MEMORY, outcome=Outcome.FAIL)
    release = await opened(service.store, replace(a_look(0), findings=(warning,)))

    text = (await shown(service, f"/releases/{release.id}")).text

    assert "! warns" in text


async def test_what_a_running_release_waits_for_is_said_with_its_time(service):
    """When a pass is judged, when the policy decides, and what of alpha may be gone."""
    release = await judged(service, 10)

    text = (await shown(service, f"/releases/{release.id}")).text

    assert "a pass is judged at 00:10:00 UTC" in text
    assert "the policy decides at 00:20:00 UTC" in text
    assert re.search(r"fails at [0-9.]+, [0-9.]+ of it by now", text)


@pytest.mark.parametrize(
    ("baseline", "canary", "said"),
    [
        (0.0, 0.0, "none in either; up to 3.75× is not ruled out"),
        (0.0, 0.2, "none in the baseline; at least 1.50×"),
        (0.01, 0.0, "none in the canary; up to 3.75× is not ruled out"),
    ],
)
async def test_nothing_is_so_many_times_nothing(service, baseline, canary, said):
    """Where a share is 0 no multiple of it is named, but what is known of it is."""
    bounds = (1.5, 3.75) if canary else (0.0, 3.75)
    none = replace(ERRORS, baseline=baseline, canary=canary, effect=3.1, interval=bounds)
    release = await opened(service.store, replace(a_look(0), findings=(none,)))

    page = await shown(service, f"/releases/{release.id}")

    assert f"Effect {said} allowed" in page.text
    assert "3.1×" not in page.text
    assert not any("3.1×" in said for said in page.attributes("svg", "aria-label"))


async def test_no_scale_is_drawn_where_there_is_nothing_to_compare(service):
    """No failure in either version has no place on an axis of multiples."""
    none = replace(ERRORS, baseline=0.0, canary=0.0, effect=3.75, interval=(0.0, 3.75))
    release = await opened(service.store, replace(a_look(0), findings=(none,)))

    page = await shown(service, f"/releases/{release.id}")

    assert not [said for said in page.attributes("svg", "aria-label") if "canary over main" in said]


@pytest.mark.parametrize(
    ("changes", "effect", "p_value", "limit"),
    [
        ({"interval": None}, "5.25×", "< 0.0001", "1.25×"),
        ({"effect": None, "p_value": None, "tolerance": None}, "–", "–", ""),
        ({"interval": (3.0, 4.0), "p_value": 0.5}, "5.25× (3.00× to 4.00×)", "0.5", "1.25×"),
        ({"effect": float("inf"), "p_value": float("nan")}, "beyond measure (3.12× to more)", "–", "1.25×"),
        (
            {"canary": float("nan"), "interval": (0.0, 2.0), "effect": 0.5},
            "0.50× (0× to 2.00×)",
            "<",
            "1.25×",
        ),
    ],
)
async def test_what_is_not_known_is_left_empty(service, changes, effect, p_value, limit):
    """No number is made up, and none is infinite or not a number."""
    release = await opened(service.store, replace(a_look(0), findings=(replace(ERRORS, **changes),)))

    text = (await shown(service, f"/releases/{release.id}")).text

    assert f"Effect {effect}" in text
    assert f"p-value {p_value}" in text
    assert (f"allowed {limit}" in text) is bool(limit)
    assert " nan" not in text
    assert " inf" not in text


# ── what stands behind a check ───────────────────────────────────────────────────────────────────────


async def test_the_looks_of_a_check_are_a_table(service):
    """Charts add to it; it needs none. Newest first, twenty of them."""
    release = await judged(service, 40)

    page = await shown(service, f"/releases/{release.id}")

    assert "20 newest looks; 20 earlier ones are in the CSV" in page.text
    assert f"/api/v1/releases/{release.id}/checks/errors" in page.attributes("details", "data-series")


async def test_pods_are_listed_and_the_odd_one_is_marked(service):
    """The engine names it; the page opens where it is."""
    rows = {Arm.MAIN: {"m": (1.0, 100.0)}, Arm.CANARY: {"c-1": (30.0, 100.0), "c-2": (1.0, 100.0)}}
    said = replace(
        ERRORS, outcome=Outcome.INCONCLUSIVE, sentence="errors: one bad pod: c-1 served 30 of the 31"
    )
    look = replace(
        a_look(0), findings=(said,), evidence=replace(a_look(0).evidence, slices={"errors": Slice(rows)})
    )
    release = await opened(service.store, look)

    page = await shown(service, f"/releases/{release.id}")

    assert "! odd c-1 canary 30 %" in page.text
    assert "c-2 canary 1 % 100" in page.text


async def test_durations_have_curves_quantiles_and_boxes(service):
    """As drawings and as a table; no script is needed."""
    release = await judged(service, 12, Shop(requests=2000, canary_median=0.16))

    page = await shown(service, f"/releases/{release.id}")

    assert "p50" in page.text
    assert "p99" in page.text
    assert "Each pod from its 5th to its 95th percentile" in page.text
    assert any(told.startswith("p50: ") for told in page.attributes("svg", "aria-label"))


async def test_queries_are_shown_as_sent_and_open_where_the_settings_say():
    """Off by default; with a template the graph's expression is encoded whole."""
    links = {"prometheus": "https://prometheus.example/graph?g0.expr={query}"}
    async with running({"links": links}) as service:
        release = await judged(service, 3)
        page = await shown(service, f"/releases/{release.id}")
    async with running() as service:
        release = await judged(service, 3)
        plain = await shown(service, f"/releases/{release.id}")

    assert 'r{code=~"5..",namespace="shop",rollouts_pod_template_hash="7d9f8b6c5d"}' in page.text
    opened_in = [
        link for link in page.attributes("a", "href") if link.startswith("https://prometheus.example/")
    ]
    assert opened_in[0].startswith(
        "https://prometheus.example/graph?g0.expr=sum%20by%20%28pod%29%20%28rate%28r%7B"
    )
    assert "Open in Prometheus" not in plain.text


async def test_failing_traces_are_linked_where_the_check_knows_the_way(service):
    """Else the id stands there as it is, to be copied."""
    flows = Parameters.model_validate(
        {
            "checks": [
                {
                    "name": "errors",
                    "kind": "flow-failures",
                    "flow": {"service": "gateway", "operation": "POST /orders"},
                    "link": "https://tempo.example/trace/{trace_id}",
                }
            ]
        }
    )
    found = replace(ERRORS, kind="flow-failures", traces=("4bf92f35",))
    release = await opened(service.store, replace(a_look(0), findings=(found,)), parameters=to_json(flows))

    page = await shown(service, f"/releases/{release.id}")

    assert "https://tempo.example/trace/4bf92f35" in page.attributes("a", "href")


async def test_what_is_wrong_with_the_data_stands_above_the_checks(service):
    """Said once, with the checks it concerns and how often it was so."""
    gap = Trouble(TroubleKind.GAP, "pod m has 1 sample of 2", Arm.MAIN)
    looks = [
        replace(a_look(at), evidence=replace(a_look(at).evidence, slices={"errors": Slice({}, (), (gap,))}))
        for at in range(3)
    ]
    release = await opened(service.store, *looks)

    text = (await shown(service, f"/releases/{release.id}")).text

    assert "gap pod m has 1 sample of 2 errors , in 3 of 3 looks, now" in text
    assert text.index("What to know about the data") < text.index("Waiting")


# ── looks ────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_timeline_is_told_in_a_sentence_too(service):
    """The strip is for eyes; the sentence is for everybody."""
    looks = [a_look(0), a_look(1), failed(a_look(2), 2)]
    release = await opened(service.store, *looks)

    page = await shown(service, f"/releases/{release.id}")

    assert "3 looks over 1 min 30 s; fail since look 2." in page.text
    marks = [one["class"] for tag, one in page.tags if tag == "rect" and "x" in one and "height" in one]
    assert [mark for mark in marks if mark in ("open", "fail here")] == ["open", "open", "fail here"]


async def test_an_earlier_look_shows_what_was_known_then(service):
    """Its findings and its verdict, no later one's; and the way back to now."""
    release = await opened(
        service.store, a_look(0, "errors: nothing yet"), a_look(1), failed(a_look(2), 2), verdict=Outcome.FAIL
    )

    page = await shown(service, f"/releases/{release.id}?look=0")

    assert "As it was known at look 0" in page.text
    assert "nothing yet" in page.text
    assert "22 of the 29" not in page.text
    assert "… undecided" in page.text
    assert f"/releases/{release.id}?look=1" in page.attributes("a", "href")
    assert f"/releases/{release.id}" in page.attributes("a", "href")


async def test_a_check_has_a_permalink_that_shows_it_alone(service):
    """At the look at which somebody copied it."""
    release = await opened(service.store, failed(a_look(0), 0))

    page = await shown(service, f"/releases/{release.id}?look=0&check=errors")

    assert "22 of the 29 errors" in page.text
    assert "latency" not in page.text
    assert f"/releases/{release.id}?look=0&check=errors" in page.attributes("a", "href")
    assert "check-errors" in page.attributes("article", "id")


async def test_a_look_long_ago_has_its_neighbours_beside_it(service):
    """Of a release of five hours one is read: those around the look that is shown."""
    looks = [a_look(at) for at in range(600)]
    release = await opened(service.store, *looks)

    page = await shown(service, f"/releases/{release.id}?look=300")

    assert page.attributes("input", "min") == ["201"]
    assert page.attributes("input", "max") == ["320"]
    assert page.attributes("input", "value") == ["300"]


@pytest.mark.parametrize("asked", ["look=9", "look=x", "look=-1", "check=none", "look=%F0%9F%92%A5"])
async def test_what_is_not_there_is_said_in_words(service, asked):
    """Neither another look nor an empty page is shown instead."""
    release = await opened(service.store, a_look(0))

    reply = await service.ask("GET", f"/releases/{release.id}?{asked}")

    assert reply.status == 404


async def test_a_look_that_is_missing_in_between_is_not_made_up(service):
    """Blocks are numbered by time, and one may have been lost."""
    release = await opened(service.store, a_look(0), a_look(2))

    reply = await service.ask("GET", f"/releases/{release.id}?look=1")

    assert reply.status == 404
    assert "look 1 is not kept" in Reader(reply.text).text


# ── states nobody draws ──────────────────────────────────────────────────────────────────────────────


async def test_a_release_before_its_first_look_says_what_it_waits_for(service):
    """An empty table would look broken."""
    release = await opened(service.store)

    text = (await shown(service, f"/releases/{release.id}")).text

    assert "No look has been taken yet" in text
    assert "… undecided" in text


async def test_a_release_of_an_older_version_stands_as_it_was_found(service):
    """Its settings cannot be read, so queries and forecasts are missing, and that is said."""
    release = await opened(service.store, failed(a_look(0), 0), version="0.0.1")

    text = (await shown(service, f"/releases/{release.id}")).text

    assert "Judged by firedamp 0.0.1, whose settings this version cannot read" in text
    assert "its queries are not known" in text
    assert "22 of the 29 errors" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"effect": float("nan")},
        {"effect": 2.0, "interval": (float("nan"), float("nan"))},
        {"effect": 1e300, "interval": (0.0, float("inf")), "tolerance": 1e-300},
        {"against": None, "effect": None, "canary": float("inf")},
        {"against": None, "effect": None, "canary": -5.0, "tolerance": 0.0},
        {"canary": float("nan"), "baseline": float("inf"), "canary_n": float("inf")},
        {"baseline": 1.0, "unit": "bytes", "tolerance": float("nan")},
    ],
)
@pytest.mark.parametrize("kind", ["proportion", "distribution", "threshold", "trend", "of-a-later-version"])
async def test_numbers_beyond_all_measure_draw_no_nonsense(service, changes, kind):
    """Whatever an arithmetic brought, the page stands, and no coordinate is infinite or not a number."""
    rows = {Arm.MAIN: {"m": (1.0,)}, Arm.CANARY: {"c": (1.0,)}}
    if kind == "proportion":
        rows = {arm: dict.fromkeys(each, (1.0, 1.0)) for arm, each in rows.items()}
    look = a_look(0)
    found = replace(ERRORS, kind=kind, **changes)
    evidence = replace(look.evidence, slices={"errors": Slice(rows, (float("inf"),))})
    release = await opened(service.store, replace(look, findings=(found,), evidence=evidence))

    page = await shown(service, f"/releases/{release.id}")

    drawn = [
        value
        for tag, given in page.tags
        for name, value in given.items()
        if name in ("x", "x1", "width", "cx")
    ]
    assert not any(word in (value or "") for value in drawn for word in ("nan", "inf"))
    assert (await service.ask("GET", f"/api/v1/releases/{release.id}/checks/errors")).status == 200


async def test_two_hundred_checks_are_one_page(service):
    """All of them are said; those beyond the first ten have their evidence on pages of their own."""
    findings = tuple(replace(ERRORS, check=f"check-{number}", p_value=number / 1e6) for number in range(200))
    release = await opened(service.store, *(replace(a_look(at), findings=findings) for at in range(5)))

    reply = await service.ask("GET", f"/releases/{release.id}")
    page = Reader(reply.text)

    assert len(page.attributes("article", "id")) == 200
    assert len(page.attributes("details", "data-series")) == 10
    assert page.text.count("Charts, pods and queries of this check") == 190
    assert page.open == []


async def test_a_finding_without_evidence_is_shown_without_charts_that_lie(service):
    """Nothing is drawn of what is not there."""
    block = Block(0, 0.0, 30.0)
    look = Look(Evidence(block, {}), (ERRORS,), Standing(), "0.1.0")
    release = await opened(service.store, look)

    page = await shown(service, f"/releases/{release.id}")

    assert "22 of the 29 errors" in page.text
    assert "polyline" not in [tag for tag, _ in page.tags]


async def test_long_and_foreign_names_are_kept_to_themselves(service):
    """A name keeps its own direction, and is as long as it is."""
    name, revision = "x" * 253, "גרסה-٤٢"
    release = await opened(service.store, a_look(0), key=ReleaseKey("shop", name, revision, 1))

    page = await shown(service, f"/releases/{release.id}")

    assert f"shop/{name}" in page.text
    assert revision in page.text
    assert [tag for tag, _ in page.tags].count("bdi") >= 5


async def test_what_people_did_is_shown(service):
    """Gates, holds and outcomes stand beside what was judged."""
    release = await opened(service.store)
    await service.store.record(
        Event(1_790_000_001.0, "gate", "shop", "checkout", "7d9f8b6c5d", "alex", "opened rollback")
    )

    text = (await shown(service, f"/releases/{release.id}")).text

    assert "gate opened rollback by alex" in text


async def test_hostile_names_are_text_wherever_they_stand(service):
    """In findings, pods, operations, troubles, traces, weights' steps: never a tag, never an address."""
    trouble = Trouble(TroubleKind.GAP, HOSTILE, Arm.MAIN)
    rows = {Arm.MAIN: {HOSTILE: (1.0, 9.0, 0.0)}, Arm.CANARY: {HOSTILE: (1.0, 9.0, 0.0)}}
    finding = replace(
        ERRORS, check=HOSTILE, sentence=HOSTILE, unit=HOSTILE, traces=("javascript:alert(1)", HOSTILE)
    )
    listed = replace(finding, kind="operations", check="javascript:alert(2)")
    look = Look(
        Evidence(Block(0, 0.0, 30.0), {one.check: Slice(rows, (), (trouble,)) for one in (finding, listed)}),
        (finding, listed),
        Standing(harm=HOSTILE),
        HOSTILE,
    )
    release = await opened(
        service.store, look, replace(look, evidence=replace(look.evidence, block=Block(1, 30.0, 60.0)))
    )

    page = await shown(service, f"/releases/{release.id}?look=0")

    assert all("src" in given for tag, given in page.tags if tag == "script")
    assert not any(name.startswith("on") or name == "style" for _, given in page.tags for name in given)
    assert all(link.startswith(("/", "#", "https://")) for link in page.attributes("a", "href"))
    assert page.open == []


@pytest.mark.parametrize(
    ("mode", "means"),
    [
        ("hold", "harm still rolls back"),
        ("off", "nothing rolls back"),
        ("rollback", "Every question fails until then or until the release has ended"),
    ],
)
async def test_a_persons_hold_is_said_beside_the_verdict(service, mode, means):
    """Who sees a release pass and not go on learns who holds it, why, and for how long."""
    release = await opened(service.store, a_look(0))
    await service.store.set_gate(_order(mode))

    text = (await shown(service, f"/releases/{release.id}")).text

    assert re.search(r"jonas \w+ .*, for 1 h 59 min more: the sale runs\.", text)
    assert means in text


async def test_times_stand_in_utc_beside_how_long_ago(service):
    """On a phone nobody points at "33 min ago" to compare it with a log."""
    release = await opened(service.store, a_look(0), started=1_790_000_000.0)
    await service.store.record(
        Event(1_790_000_060.0, "hook", "shop", "checkout", "7d9f8b6c5d", "flagger", "ok")
    )

    text = (await shown(service, f"/releases/{release.id}")).text

    assert re.search(r"Began 2026-09-21 14:13:20 UTC \d+ d ago", text)
    assert re.search(r"2026-09-21 14:14:20 UTC \d+ d ago hook ok", text)


async def test_from_a_running_release_one_goes_to_its_gates(service):
    """The form there is filled with it, so that nobody copies a revision at night."""
    release = await opened(service.store, a_look(0))
    page = await shown(service, f"/releases/{release.id}", token=RULER)
    [link] = [one for one in page.attributes("a", "href") if one.startswith("/gates?")]

    gates = await shown(service, link, token=RULER)

    filled = {given.get("name"): given.get("value") for tag, given in gates.tags if tag == "input"}
    assert "Hold it, open its gates" in page.text
    assert [filled[name] for name in ("namespace", "service", "revision")] == [
        "shop",
        "checkout",
        "7d9f8b6c5d",
    ]


async def test_whoever_may_not_order_and_what_has_ended_lead_to_no_gates(service):
    """A viewer looks on, and an order for what is over would do nothing."""
    release = await opened(service.store, a_look(0))
    viewed = await shown(service, f"/releases/{release.id}", token=VIEWER)
    await service.store.update(replace(release, ended=1.0, outcome="promoted"))
    ended = await shown(service, f"/releases/{release.id}", token=RULER)

    assert "Hold it" not in viewed.text
    assert "Hold it" not in ended.text


async def test_an_ended_release_is_held_by_nobody(service):
    """What is over does not wait for a gate."""
    release = await opened(service.store, a_look(0))
    await service.store.update(replace(release, ended=1.0, outcome="promoted"))
    await service.store.set_gate(_order("hold"))

    assert "holds this service" not in (await shown(service, f"/releases/{release.id}")).text


def _order(mode: str) -> Gate:
    now = time.time()
    return Gate("shop", "checkout", mode, "", True, now + 7190, "jonas", now, "the sale runs")
