"""A pipeline reads exit codes as verdicts, so no other end of a command may look like one."""

import subprocess
import sys

import pytest

from firedamp.__main__ import exit_code
from firedamp.cli import exits
from firedamp.cli.exits import Exit
from firedamp.model import Outcome


def firedamp(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "firedamp", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
        **options,
    )


@pytest.mark.parametrize(
    ("outcome", "code"), [(Outcome.PASS, 0), (Outcome.FAIL, 1), (Outcome.INCONCLUSIVE, 2)]
)
def test_verdicts_have_the_first_three_codes(outcome, code):
    """0 passes, 1 fails, 2 is undecided."""
    assert exits.of(outcome) == code


@pytest.mark.parametrize(
    "arguments",
    [
        ("judge",),
        ("judge", "checkout", "--question", "maybe"),
        ("judge", "checkout", "--no-such-option"),
        ("no-such-command",),
        ("judge", "checkout", "--from", "yesterday", "--to", "2026-11-21T10:00:00Z"),
        ("judge", "checkout", "--from", "2026-11-21T10:00:00Z"),
        ("judge", "checkout", "--every", "often"),
        ("judge", "checkout", "--weight", "a lot"),
    ],
)
def test_wrong_usage_is_three(arguments, capsys):
    """The library's own 2 would read as undecided."""
    code = exit_code(arguments)

    assert code == Exit.USAGE
    assert capsys.readouterr().err


def test_wrong_usage_is_three_for_a_shell():
    """The remapping holds where it counts, in a process of its own."""
    done = firedamp("judge", "checkout", "--question", "maybe")

    assert done.returncode == 3
    assert "maybe" in done.stderr


def test_a_traceback_is_four(tmp_path):
    """Python's own 1 for a traceback would read as a failing canary."""
    (tmp_path / "yaml.py").write_text("raise RuntimeError('a broken installation')\n")
    settings = tmp_path / "firedamp.yaml"
    settings.write_text("{}")

    done = firedamp("config", "check", str(settings), env={"PYTHONPATH": str(tmp_path), "PATH": ""})

    assert done.returncode == 4
    assert "a broken installation" in done.stderr


def test_a_closed_pipe_is_four():
    """A reader that hangs up early is trouble, not a verdict."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"({sys.executable} -m firedamp config schema; echo $? >&2) | true"],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )

    assert done.stderr.split()[-1] in {"0", "4"}


def test_help_is_zero_and_quick():
    """Help loads no statistics: scipy alone would take most of a second."""
    code = "import sys; from firedamp.__main__ import exit_code; c = exit_code(['judge', '--help']);"
    heavy = "print([m for m in ('scipy', 'numpy', 'aiohttp', 'sqlalchemy', 'yaml') if m in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", f"{code} {heavy}; sys.exit(c)"],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )

    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version_is_told(capsys):
    """`--version` says which firedamp this is."""
    assert exit_code(["--version"]) == 0
    assert capsys.readouterr().out.startswith("firedamp ")
