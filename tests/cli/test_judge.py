"""`firedamp judge`, as a pipeline calls it, on the recorded shop."""

import json
from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest

from cli.conftest import BEGAN, written
from firedamp.__main__ import exit_code
from firedamp.demo import recording, story
from firedamp.sources.replay import Recording, read_recording, write_recording


def judge(settings, release, *more, namespace="shop"):
    named = ["--canary", release.revision, "--main", story.STABLE]
    return exit_code(["judge", "checkout", "-n", namespace, "-c", str(settings), *named, *more])


def past(settings, release, until, *more):
    begin = BEGAN + release.starts
    return judge(settings, release, "--from", str(begin), "--to", str(begin + until), *more)


def looks(printed):
    return [line for line in printed.splitlines() if "  look " in line]


def test_a_bad_canary_of_the_past_fails(shop, capsys):
    """The verdict falls at a look, which is named; the exit code says fail."""
    assert past(shop, story.BAD, 1200) == 1

    printed = capsys.readouterr().out
    assert "the verdict fell at 2025-11-21T04:4" in printed
    assert looks(printed)[-1].split("  ")[-1].startswith("fail: errors: the canary served")


def test_a_good_canary_of_the_past_passes(shop, capsys):
    """Every look is a line, and the pass comes when the window is over."""
    assert past(shop, story.GOOD, 1200) == 0

    lines = looks(capsys.readouterr().out)
    assert len(lines) == 900 / 30
    assert all("inconclusive" in line for line in lines[:-1])
    assert "pass: " in lines[-1]


def test_a_window_too_short_is_undecided(shop, capsys):
    """Where nothing is proven until the end, the exit code says undecided."""
    assert past(shop, story.GOOD, 300) == 2
    assert "no verdict until 2025-11-21T05:05:00Z" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", [120.0, 240.0, 420.0])
def test_no_look_sees_later_samples(tmp_path, capsys, seconds):
    """A past judged with all that came later cut away gives the same looks, word for word."""
    until = story.GOOD.starts + seconds
    cut = tmp_path / "cut.jsonl.gz"
    whole = read_recording(recording.PATH)
    series = [
        replace(one, times=one.times[one.times <= until], values=one.values[one.times <= until])
        for one in whole.series
    ]
    write_recording(cut, Recording(series, [one for one in whole.traces if one.start <= until]))
    source = {"name": "shop", "kind": "replay", "path": str(cut), "begin": BEGAN}

    past(written(tmp_path), story.GOOD, 600)
    all_looks = looks(capsys.readouterr().out)
    past(written(tmp_path, sources=[source]), story.GOOD, seconds)
    known = looks(capsys.readouterr().out)

    assert len(known) >= seconds / 30 - 1
    assert known == all_looks[: len(known)]


def test_the_past_leaves_no_trace(shop, tmp_path):
    """A window of the past is judged in a store of its own."""
    past(shop, story.BAD, 600)

    assert not (tmp_path / "firedamp.db").exists()


def test_questions_may_be_further_apart_than_looks(shop, capsys):
    """Asked every two minutes, each question takes in four looks and only its own is printed."""
    assert past(shop, story.BAD, 1200, "--every", "2m") == 1
    assert len(looks(capsys.readouterr().out)) == 1


def test_json_is_alone_on_standard_output(shop, capsys):
    """The lines of the past go to standard error where a program reads the answer."""
    past(shop, story.BAD, 600, "--output", "json")

    printed = capsys.readouterr()
    assert json.loads(printed.out)["verdict"] == "fail"
    assert looks(printed.err)


def test_junit_is_a_report(shop, capsys):
    """A CI server reads the report as it stands."""
    past(shop, story.BAD, 600, "--output", "junit")

    suite = Xml.fromstring(capsys.readouterr().out.encode())
    assert int(suite.get("failures")) >= 2


def test_the_present_goes_on_in_the_store(shop, tmp_path, capsys):
    """Two calls about one revision are one release, with one permalink."""
    codes = [judge(shop, story.GOOD), judge(shop, story.GOOD)]

    assert codes == [2, 2]
    assert capsys.readouterr().out.count("https://firedamp.example/releases/1") == 2
    assert (tmp_path / "firedamp.db").exists()


def test_watching_may_be_given_up(shop, capsys):
    """Nobody waits longer than asked for; what is known is printed."""
    assert judge(shop, story.GOOD, "--watch", "--give-up-after", "1s", "--every", "1s") == 2

    printed = capsys.readouterr()
    assert printed.out.startswith("inconclusive: ")
    assert "inconclusive" in printed.err


def test_an_unknown_service_is_a_fault_of_the_settings(shop, capsys):
    """The message has the YAML to add."""
    assert judge(shop, story.GOOD, namespace="nowhere") == 3
    assert "nowhere/checkout is not in the settings; add: services: [" in capsys.readouterr().err


def test_settings_that_are_wrong_are_usage(tmp_path, capsys):
    """A misspelt key is named with the right one, and never read as a verdict."""
    path = tmp_path / "firedamp.yaml"
    path.write_text("servces: []\n")

    assert exit_code(["judge", "checkout", "-c", str(path)]) == 3
    assert "did you mean 'services'" in capsys.readouterr().err


def test_a_store_that_is_gone_could_not_judge(tmp_path, capsys):
    """Trouble of our own is 4, neither a verdict nor wrong usage."""
    (tmp_path / "a-file").write_text("")
    path = written(tmp_path, store={"url": f"sqlite:///{tmp_path}/a-file/firedamp.db"})

    assert judge(path, story.GOOD) == 4
    assert capsys.readouterr().err.startswith("firedamp: ")


def test_shadow_mode_never_blocks(tmp_path, capsys):
    """A failing canary is told and lets the pipeline go on."""
    assert past(written(tmp_path, mode="shadow"), story.BAD, 600) == 0
    assert "(shadow mode: does not block)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [("100", "", "needs both"), ("200", "100", "is not after"), ("10:00", "11:00", "--from")],
)
def test_half_a_window_is_usage(shop, capsys, begin, end, said):
    """A window needs two instants in order."""
    assert judge(shop, story.GOOD, "--from", begin, "--to", end) == 3
    assert said in capsys.readouterr().err


def test_the_past_is_not_asked_of_a_server(shop, capsys):
    """A server judges the present; the past is judged from the source."""
    assert past(shop, story.GOOD, 60, "--server", "http://127.0.0.1:1") == 3
    assert "leave --server out" in capsys.readouterr().err
