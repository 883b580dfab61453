"""The other commands: settings, tokens, the store, outcomes, replay."""

import asyncio
import getpass
import json
import re

import pytest
import yaml

from cli.conftest import BEGAN, written
from cli.test_judge import judge
from firedamp.__main__ import exit_code
from firedamp.cli import options, token
from firedamp.demo import story
from firedamp.model import Ask, Controller, Question
from firedamp.wiring import living


def run(*arguments):
    return exit_code([str(argument) for argument in arguments])


def test_the_schema_is_json(capsys):
    """Editors and the chart read the schema as it is printed."""
    assert run("config", "schema") == 0
    assert json.loads(capsys.readouterr().out)["$schema"].startswith("https://json-schema.org")


def test_settings_in_order_are_counted(shop, capsys):
    """A check of good settings says what they hold."""
    assert run("config", "check", shop) == 0
    assert "2 services, 13 checks" in capsys.readouterr().out


def test_a_service_without_checks_is_remarked(tmp_path, capsys):
    """Settings may be in order and still judge nothing."""
    path = tmp_path / "firedamp.yaml"
    path.write_text("services: [{name: idle}]")

    assert run("config", "check", path) == 0
    assert "default/idle has no checks" in capsys.readouterr().out


def test_exported_settings_are_settings(shop, capsys, tmp_path):
    """What export prints can be read back and means the same."""
    run("config", "export", "-c", shop)
    again = tmp_path / "again.yaml"
    again.write_text(capsys.readouterr().out)

    assert run("config", "export", "-c", again) == 0
    assert yaml.safe_load(capsys.readouterr().out) == yaml.safe_load(again.read_text())


def test_a_token_is_shown_once(shop, capsys):
    """Its secret is printed when it is made and never listed."""
    assert run("token", "add", "pipeline", "--role", "gatekeeper", "-n", "shop", "-c", shop) == 0
    secret = capsys.readouterr().out.strip()
    assert run("token", "list", "-c", shop) == 0
    listed = capsys.readouterr().out

    assert re.fullmatch(r"fd_[\w-]{32}", secret)
    assert secret not in listed
    assert re.match(r"pipeline +gatekeeper +bearer +shop .* in force", listed)


def test_a_path_secret_is_told_apart(shop, capsys):
    """Flagger's secret path segment has a prefix of its own."""
    run("token", "add", "hooks", "--path", "-c", shop)

    assert capsys.readouterr().out.startswith("fdp_")


@pytest.mark.parametrize("role", ["viewer", "ruler", "tuner"])
def test_people_get_roles_of_their_own(shop, capsys, role):
    """A person reads, rules or tunes; a path secret is a program's and has none of these roles."""
    assert run("token", "add", "alex", "--role", role, "-c", shop) == 0
    assert run("token", "add", "hooks", "--role", role, "--path", "-c", shop) == 3
    assert "role of people" in capsys.readouterr().err


def test_a_name_is_used_once(shop, capsys):
    """Two tokens of one name could not be told apart in the audit trail."""
    run("token", "add", "pipeline", "-c", shop)

    assert run("token", "add", "pipeline", "-c", shop) == 3
    assert "exists already" in capsys.readouterr().err


def test_a_revoked_token_is_no_longer_in_force(shop, capsys):
    """Revoking twice is a fault of the caller."""
    run("token", "add", "pipeline", "-c", shop)

    assert run("token", "revoke", "pipeline", "-c", shop) == 0
    assert run("token", "revoke", "pipeline", "-c", shop) == 3
    run("token", "list", "-c", shop)
    assert " revoked 20" in capsys.readouterr().out


def test_tokens_of_the_command_line_are_in_the_audit_trail(shop):
    """As those of the page are, under the name of whoever typed it."""
    run("token", "add", "pipeline", "--role", "gatekeeper", "-n", "shop", "-c", shop)
    run("token", "revoke", "pipeline", "-c", shop)

    revoked, made = token.within(options.settings(shop), lambda store: store.events())
    assert (made.kind, made.text) == ("token", "made token pipeline: gatekeeper for shop")
    assert (revoked.kind, revoked.text) == ("token", "revoked token pipeline")
    assert made.by == revoked.by == f"{getpass.getuser()} (command line)"


def test_the_store_can_be_upgraded_beforehand(shop, capsys, tmp_path):
    """A deployment may migrate before the first replica starts."""
    assert run("db", "upgrade", "-c", shop) == 0
    assert "schema v" in capsys.readouterr().out
    assert (tmp_path / "firedamp.db").exists()


def test_an_outcome_closes_the_release(shop, capsys):
    """The latest release of the service is meant where no revision is named."""
    judge(shop, story.GOOD)
    capsys.readouterr()

    assert run("outcome", "checkout", "promoted", "-n", "shop", "-c", shop) == 0
    assert capsys.readouterr().out.strip() == f"shop/checkout@{story.GOOD.revision}#1: promoted"


def test_an_outcome_is_learned_from(tmp_path, capsys):
    """What the release told of its checks' noise is in the store when the command is done."""
    settings = written(tmp_path)
    asyncio.run(judge_all(settings, looks=3))
    assert run("outcome", "checkout", "promoted", "-n", "shop", "-c", settings) == 0

    assert "promoted" in capsys.readouterr().out
    assert {lesson.release_id for lesson in asyncio.run(lessons(settings))} == {0, 1, 2}


async def lessons(settings):
    async with living(options.settings(settings)) as alive:
        return await alive.store.lessons("shop", "checkout")


def test_an_outcome_needs_a_release(shop, capsys):
    """Nothing can end that never began."""
    assert run("outcome", "checkout", "promoted", "-n", "shop", "-c", shop) == 3
    assert "no release of shop/checkout is known" in capsys.readouterr().err


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Settings whose store holds both releases of the story, judged look by look."""
    settings = written(tmp_path_factory.mktemp("judged"))
    asyncio.run(judge_all(settings))
    return settings


async def judge_all(settings, looks=33):
    async with living(options.settings(settings)) as alive:
        for release in (story.BAD, story.GOOD):
            arms = {"canary": release.revision, "main": story.STABLE}
            ask = Ask("shop", "checkout", Question.PROMOTE, Controller.CI, release.revision, arms)
            for number in range(looks):
                await alive.judge.answer(ask, BEGAN + release.starts + 30 * number)


@pytest.mark.parametrize(("number", "stood"), [(1, "fail at look 2"), (2, "pass at look 29")])
def test_a_replay_comes_out_byte_for_byte(judged, capsys, number, stood):
    """Stored evidence and parameters give the same looks again."""
    assert run("replay", number, "-c", judged) == 0

    printed = capsys.readouterr().out
    assert "byte for byte the same, all 3" in printed
    assert stood in printed


def test_other_tolerances_may_say_otherwise(judged, capsys):
    """With a tolerance of sixteen times the errors and a wide one for latency, nothing is proven early."""
    assert run("replay", 1, "-c", judged, "--tolerance", "errors=1500%", "--tolerance", "latency=200%") == 0

    printed = capsys.readouterr().out
    assert "as judged:  fail at look 2" in printed
    assert "with these: fail" not in printed


def test_another_window_passes_earlier(judged, capsys):
    """The same evidence, judged after ten minutes."""
    run("replay", 2, "-c", judged, "--promote-after", "10m", "--output", "json")

    report = json.loads(capsys.readouterr().out)
    assert report["stored"]["decided_at_look"] == 29
    assert report["again"] == report["again"] | {"verdict": "pass", "decided_at_look": 19}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (("--tolerance", "nothing=1%"), "no check 'nothing'"),
        (("--tolerance", "restarts=1%"), "has no tolerance"),
        (("--tolerance", "errors"), "write it like errors=30%"),
        (("--warm-up", "2h"), "needs warm_up < promote_after"),
        (("--alpha", "50%"), "less than or equal to 0.2"),
        (("--alpha", "lots"), "--alpha"),
    ],
)
def test_parameters_that_cannot_be_are_usage(judged, capsys, changes, said):
    """A replay under impossible parameters is refused with the reason."""
    assert run("replay", 1, "-c", judged, *changes) == 3
    assert said in capsys.readouterr().err


def test_a_release_nobody_knows_is_usage(shop, capsys):
    """The number in a permalink names a release, or nothing."""
    assert run("replay", 99, "-c", shop) == 3
    assert "no release 99" in capsys.readouterr().err


def test_a_release_without_looks_says_so(shop, capsys):
    """A release just begun has nothing to replay."""
    judge(shop, story.GOOD)
    capsys.readouterr()

    assert run("replay", 1, "-c", shop) == 0
    assert "0 looks" in capsys.readouterr().out
