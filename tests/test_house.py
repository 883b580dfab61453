"""The rules of the house that no linter knows."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "plugin").rglob("*.py"))}
TESTS = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("*.py"))}
ALL = MODULES | TESTS

#: Names that say nothing about what is inside.
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")


def named(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def functions(text):
    return [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_modules_can_be_read_at_a_sitting():
    """A module has fewer than 300 lines; a longer one is two ideas."""
    assert named(path for path, text in MODULES.items() if len(text.splitlines()) >= 300) == []


def test_modules_say_what_they_are_for():
    """Every module opens with a docstring."""
    silent = (path for path, text in ALL.items() if text.strip() and not ast.get_docstring(ast.parse(text)))

    assert named(silent) == []


def test_names_say_what_is_inside():
    """No module is called after the fact that somebody did not know where to put it."""
    assert named(path for path in MODULES if EMPTY_WORDS & set(path.with_suffix("").parts)) == []


def test_nothing_is_left_for_later():
    """What is not done is an issue, never a note in the code."""
    assert named(path for path, text in ALL.items() if UNFINISHED.search(text)) == []


def test_every_test_states_its_fact():
    """The docstring of a test is the sentence it proves."""
    bare = [
        f"{path.relative_to(ROOT)}: {function.name}"
        for path, text in TESTS.items()
        for function in functions(text)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]

    assert bare == []


def test_the_makefile_is_what_ci_runs():
    """CI calls `make test`, which people call too."""
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", ["scripts/setup", ".ci/run"])
def test_scripts_can_be_run(script):
    """What make and CI call is executable in a fresh clone."""
    assert (ROOT / script).stat().st_mode & 0o111
