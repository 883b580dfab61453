"""The demonstration tells its story to the end, fast, from a recording and from a real Prometheus."""

import re
import socket
import time

import numpy as np
import pytest

from firedamp.__main__ import exit_code
from firedamp.config.load import parse
from firedamp.demo import backend, recording, shop, story
from firedamp.demo.controller import phase, rounds
from firedamp.errors import ConfigError
from firedamp.model import Ask, Controller, Outcome, Question
from firedamp.sources.replay import read_recording
from firedamp.wiring import living
from real.prometheus import needs_prometheus


def played(capsys, *more):
    began = time.monotonic()
    code = exit_code(["demo", "--once", "--pace", "0", "--port", "0", *more])
    return code, capsys.readouterr().out.splitlines(), time.monotonic() - began


def told(lines):
    """The story without its clock: questions, verdicts and sentences."""
    return [line[10:] for line in lines if " advance " in line or " promote " in line or " guard " in line]


def ends(lines):
    return [line.split("  ", 1)[1].rsplit(":", 3)[0] for line in lines if "/releases/" in line]


ENDS = ["checkout v42 rolled back", "checkout v43 promoted", "orders v8 rolled back"]


def test_the_bad_canaries_are_rolled_back_and_the_good_one_is_promoted(capsys):
    """The whole story, over HTTP, takes well under a minute."""
    code, lines, seconds = played(capsys)

    assert code == 0
    assert ends(lines) == ENDS
    assert seconds < 60


def test_what_is_broken_end_to_end_is_stopped_by_traces(capsys):
    """The flow check says so and names a trace; the service's own metrics pass, and that is said."""
    _, lines, _ = played(capsys)
    broken = lines[lines.index(next(line for line in lines if line.startswith("orders v8"))) :]

    why, beside, end = broken[-3:]
    assert "its own metrics alone would pass it" in broken[1]
    assert "guard    fail: place-order.below: the canary served" in why
    shown = re.search("for example trace ([0-9a-f]{32})", why)[1]
    assert shown in failed_below(story.BROKEN.revision)
    assert re.search("meanwhile its own metrics pass: errors: .*; latency: the canary takes 0", beside)
    assert "orders v8 rolled back: http://" in end


def failed_below(revision):
    """Traces of the recording that this revision met and something beneath it failed."""
    return {
        one.trace_id
        for one in read_recording(recording.PATH).traces
        if one.failed_below and f"-{revision}-" in one.visits[0].resource["k8s.pod.name"]
    }


async def test_its_own_metrics_alone_would_have_passed_it(tmp_path):
    """The same release of the same recording, judged without traces."""
    began = 1_763_700_000.0
    source = {"name": "shop", "kind": "replay", "path": str(recording.PATH), "begin": began}
    written = story.settings(str(tmp_path), 0, source)
    orders = next(one for one in written["services"] if one["name"] == "orders")
    del orders["traces"]
    broken = story.BROKEN
    arms = {"canary": broken.revision, "main": broken.of.stable}
    ask = Ask("shop", "orders", Question.PROMOTE, Controller.ARGO, broken.revision, arms)

    async with living(parse(written, "alone")) as alive:
        verdicts = [await alive.judge.answer(ask, began + at) for at in rounds(broken)]

    outcomes = [verdict.outcome for verdict in verdicts]
    assert Outcome.FAIL not in outcomes
    assert Outcome.PASS in outcomes


def test_every_look_has_its_reason(capsys):
    """The rollback is explained by the canary's errors, the promotion by harm being excluded."""
    _, lines, _ = played(capsys)

    failed = [line for line in lines if "fail: " in line]
    passed = [line for line in lines if "promote  pass: " in line]
    assert "errors: the canary served" in failed[0]
    assert "excluded" in passed[0]


def test_the_good_canary_may_advance_before_it_gets_more_traffic(capsys):
    """The recorded step to half of the traffic comes after the answer that allows it."""
    _, lines, _ = played(capsys)
    good = lines[lines.index(next(line for line in lines if line.startswith("checkout v43"))) :]

    allowed = next(at for at, line in enumerate(good) if "advance  pass: " in line)
    shifted = next(at for at, line in enumerate(good) if "gets 50%" in line)
    assert allowed < shifted


@needs_prometheus
@pytest.mark.real
def test_a_real_prometheus_tells_the_same_story(capsys):
    """The recording backfilled into a real Prometheus gives the same verdicts, from real HTTP answers."""
    code, lines, seconds = played(capsys, "--prometheus")

    assert code == 0
    assert "from a real Prometheus at http://127.0.0.1:" in lines[0]
    assert "with recorded traces" in lines[0]
    assert ends(lines) == ENDS
    assert seconds < 60


def test_the_recording_is_what_its_seed_makes():
    """The shipped file can be made again: same series, same times, same values, same traces."""
    whole, again = read_recording(recording.PATH), shop.shop()
    shipped, made = whole.series, again.series

    assert whole.traces == again.traces
    assert [(one.name, one.labels) for one in shipped] == [(one.name, one.labels) for one in made]
    assert all(np.allclose(one.times, two.times, atol=0.0006) for one, two in zip(shipped, made, strict=True))
    assert all(np.array_equal(one.values, two.values) for one, two in zip(shipped, made, strict=True))


def test_the_recording_is_small():
    """It travels with every installation."""
    assert recording.PATH.stat().st_size < 200_000


def test_the_recording_can_be_moved():
    """The story ends when the demo begins, so that its pages tell of the last hour."""
    moved = recording.begun(1_000_000.0).series

    assert min(one.times[0] for one in moved) == 1_000_000.0
    births = [one for one in moved if one.name == "process_start_time_seconds"]
    assert {float(one.values[0]) - 1_000_000.0 for one in births} == {-10800.0, 300.0, 1200.0, 2130.0}


def test_the_canary_serves_its_share():
    """What the pods of a step count is the share that the story says, give or take chance."""
    served = {True: 0.0, False: 0.0}
    for one in shop.shop().series:
        if one.name == "http_requests_total" and one.labels["job"] == "checkout":
            inside = (one.times > 1230) & (one.times < 1500)
            is_canary = one.labels["rollouts_pod_template_hash"] == story.GOOD.revision
            served[is_canary] += float(np.ptp(one.values[inside])) if inside.any() else 0.0

    assert served[True] / sum(served.values()) == pytest.approx(0.2, abs=0.02)


def test_the_canary_gets_its_share_of_the_orders():
    """Traces follow the same weights as requests."""
    release = story.BROKEN
    orders = [one for one in shop.shop().traces if release.starts <= one.start < release.starts + 300]

    met = [one for one in orders if f"-{release.revision}-" in one.visits[0].resource["k8s.pod.name"]]
    assert len(met) / len(orders) == pytest.approx(0.2, abs=0.04)
    assert sum(one.failed_below for one in met) / len(met) == pytest.approx(1 / 3, abs=0.1)


def test_openmetrics_ends_as_promtool_wants_it():
    """Families stand together, typed, and the text ends with its mark."""
    lines = "".join(backend.openmetrics(recording.begun(0.0).series)).splitlines()

    assert lines[-1] == "# EOF"
    assert [line.split()[2] for line in lines if line.startswith("# TYPE")] == sorted(
        {line.split()[2] for line in lines if line.startswith("# TYPE")}
    )


def test_a_port_that_is_taken_is_left_alone():
    """The demo takes another one instead of failing."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert backend.free_port(port) not in (0, port)


def test_a_missing_program_is_named():
    """Without Prometheus the demo says which package has it."""
    with pytest.raises(ConfigError, match="install the package prometheus"):
        backend.found("no-such-program")


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("pass: fine", Outcome.PASS),
        ("fail: worse", Outcome.FAIL),
        ("inconclusive: pass: later", Outcome.INCONCLUSIVE),
        ("", Outcome.INCONCLUSIVE),
    ],
)
def test_the_controller_reads_answers_as_the_templates_do(summary, expected):
    """Neither success nor failure is inconclusive."""
    assert phase(summary) is expected


def test_the_controller_asks_every_half_minute():
    """From the first pod of the canary to its last."""
    assert list(rounds(story.BAD))[:3] == [300.0, 336.0, 366.0]
