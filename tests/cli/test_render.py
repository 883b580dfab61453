"""What a verdict looks like in a log, a comment, a test report and a program."""

import json
from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.examples import FAILED, PASSED, SHADOWED, WAITING
from findings import ERRORS
from firedamp import words
from firedamp.cli import render
from firedamp.cli.render import Format

LINK = "https://firedamp.example/releases/7"


def test_text_begins_with_the_verdict():
    """The first line of a log is the verdict and its reason; the checks follow in the verdict's order."""
    lines = render.text(FAILED, LINK).splitlines()

    assert lines[0] == f"fail: {ERRORS.sentence}"
    assert [line.split()[1] for line in lines[1:5]] == ["errors", "memory", "latency", "restarts"]
    assert lines[-1].strip() == LINK


def test_text_does_not_repeat_the_check_in_its_sentence():
    """A sentence begins with its check's name, which the line has already."""
    line = render.text(FAILED).splitlines()[1]

    assert line.count("errors:") == 0
    assert "the canary served 22" in line


def test_a_warn_check_is_marked_as_such():
    """Who reads a failing warn check sees that it did not decide."""
    assert "memory    [warn] 30 % above main" in render.text(FAILED)


def test_shadow_mode_is_said():
    """A failing verdict that blocks nothing says so."""
    assert render.headline(SHADOWED).endswith("(shadow mode: does not block)")


def test_a_changed_answer_says_what_was_found():
    """Where a mode changed the answer, the finding is told beside it."""
    off = replace(PASSED, recorded=FAILED.outcome)

    assert "found fail" in render.headline(off)


def test_json_is_what_the_api_answers():
    """Programs read the same answer from the command line as from the API, and no infinity in it."""
    answer = json.loads(render.verdict(FAILED, Format.JSON, LINK), parse_constant=pytest.fail)

    assert answer["verdict"] == "fail"
    assert answer["summary"].startswith("fail: errors:")
    assert answer["link"] == LINK
    assert answer["release"]["id"] == 7
    assert answer["checks"][0]["effect"] == ERRORS.effect


def test_json_without_a_server_has_no_link():
    """Nobody is sent to an address that does not exist."""
    assert "link" not in render.as_json(FAILED)


def test_markdown_has_a_row_per_check():
    """A merge request's comment shows every check with both values and the effect."""
    rows = [line for line in render.markdown(FAILED, LINK).splitlines() if line.startswith("| ")]

    assert len(rows) == 1 + 4
    rates = (words.quantity(rate, "share") for rate in (ERRORS.baseline, ERRORS.canary))
    assert f"| ✗ | errors | main | {' | '.join(rates)} | {words.times(ERRORS.effect)} |" in rows[1]


@given(st.text())
def test_no_sentence_breaks_out_of_its_cell(hostile):
    """Whatever a name contains, a table keeps its columns."""
    finding = replace(ERRORS, sentence=hostile, check="x")
    row = render.markdown(replace(FAILED, findings=(finding,))).splitlines()[-1]

    assert row.replace("\\\\", "").replace("\\|", "").count("|") == 8


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (FAILED, {"failures": "2", "errors": "0", "skipped": "2"}),
        (WAITING, {"failures": "0", "errors": "1", "skipped": "1"}),
        (PASSED, {"failures": "0", "errors": "0", "skipped": "0"}),
    ],
)
def test_junit_fails_for_what_decides(verdict, expected):
    """The verdict and critical checks fail; a warn check and an undecided one are skipped with a reason."""
    suite = Xml.fromstring(render.junit(verdict).encode())

    assert {name: suite.get(name) for name in expected} == expected
    assert suite.get("tests") == str(1 + len(verdict.findings))


@given(st.text())
def test_junit_is_always_xml(hostile):
    """Control characters and markup in names never make an unreadable report."""
    report = render.junit(replace(FAILED, sentence=hostile))

    assert Xml.fromstring(report.encode("utf-8")).tag == "testsuite"
