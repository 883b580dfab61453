"""Exported settings: a file that judges by the same as the written one and what people tuned."""

import asyncio
from pathlib import Path

import pytest
import yaml

from cli.conftest import written
from firedamp.__main__ import exit_code
from firedamp.cli import options
from firedamp.cli.export import exported
from firedamp.config import Settings
from firedamp.config.document import parsed
from firedamp.config.load import parse
from firedamp.config.merged import merged
from firedamp.decision.tuning import Change
from firedamp.errors import AskError, ConfigError
from firedamp.judge.tuned import Tuning
from firedamp.store import open_store

CHECK = {"name": "errors", "kind": "proportion", "events": 'e{app="$service"}', "total": "t"}
SOURCE = {"name": "s", "kind": "prometheus", "url": "http://p:9090"}
CHECKOUT, ORDERS = ("shop", "checkout"), ("shop", "orders")
WIDER = {"checks": {"errors": {"tolerance": "50%"}, "memory": {"max_increase": 0.3}}, "alpha": "1%"}
FLOWS = {
    "checks": {
        "latency": {"tier": "warn"},
        "place-order.latency": {"tolerance": "40%"},
        "operations": {"tier": "debug", "weight": 2},
    },
    "window": {"warm_up": "2m"},
}


def written_parameters(settings: Settings, namespace: str, service: str):
    found = settings.service(namespace, service)
    return None if found is None else found.parameters()


async def save(
    settings: Settings, names: tuple[str, str], *changes: dict[str, object], by: str = "sue"
) -> None:
    async with await open_store(settings.store.address()) as store:
        desk = Tuning(store, lambda *one: written_parameters(settings, *one))
        for number, said in enumerate(changes):
            await desk.save(names, Change.model_validate(said), based_on=number, by=by, now=1e9 + number)


@pytest.fixture
def tuned(shop):
    """The recorded shop, both services of which were tuned."""
    settings = options.settings(shop)
    asyncio.run(save(settings, CHECKOUT, {"alpha": "1%"}, WIDER))
    asyncio.run(save(settings, ORDERS, FLOWS))
    return settings


def again(text: str) -> Settings:
    """The text as a settings file."""
    return parse(parsed(text), "exported")


def test_exported_settings_judge_as_the_tuned_ones(tuned):
    """Checks, flows, window and alpha: read back, every service is judged as it is now."""
    found = again(asyncio.run(exported(tuned)))

    for names, said in ((CHECKOUT, WIDER), (ORDERS, FLOWS)):
        wanted = Change.model_validate(said).applied(written_parameters(tuned, *names))
        assert written_parameters(found, *names) == wanted


def test_the_rest_of_the_settings_is_the_same(tuned):
    """Sources, store, addresses and limits are as they were."""
    found = again(asyncio.run(exported(tuned)))

    assert found.model_copy(update={"services": ()}) == tuned.model_copy(update={"services": ()})


def test_comments_say_what_was_tuned_by_whom_and_since_when(tuned):
    """Each value with the version that brought it."""
    text = asyncio.run(exported(tuned))

    assert (
        "services:\n"
        "# version 2 of what people tuned, by sue, 2001-09-09T01:46:41Z\n"
        "#   errors: tolerance 25 % → 50 % (since version 2)\n"
        "#   memory: largest increase 15 % → 30 % (since version 2)\n"
        "#   alpha 2 % → 1 % (since version 1)\n"
        "- name: checkout\n"
    ) in text


def test_one_service_is_exported_alone(tuned):
    """Its entry, to be put in place of the one in the file."""
    text = asyncio.run(exported(tuned, "shop/orders"))
    settings = yaml.safe_load(text)

    assert list(settings) == ["services"]
    assert [one["name"] for one in settings["services"]] == ["orders"]
    assert "operations: tier warn → debug (since version 1)" in text


def test_written_settings_are_exported_without_the_store(tuned, capsys, shop):
    """For whoever wants to know what the file alone says."""
    assert exit_code(["config", "export", "--no-tuned", "-c", str(shop)]) == 0

    printed = capsys.readouterr().out
    assert "# " not in printed
    assert written_parameters(again(printed), *CHECKOUT) == written_parameters(tuned, *CHECKOUT)


def test_to_look_makes_no_database(shop, capsys):
    """Where no store is there yet nobody has tuned."""
    assert exit_code(["config", "export", "--service", "shop/checkout", "-c", str(shop)]) == 0

    assert capsys.readouterr().out.startswith("services:\n- name: checkout\n")
    assert not list(Path(shop).parent.glob("*.db"))


def test_what_no_longer_fits_is_remarked(tuned, tmp_path):
    """The check that it names was taken out of the settings: they alone are exported, with the reason."""
    less = [
        one.model_copy(update={"checks": one.checks[1:]}) if one.name == "checkout" else one
        for one in tuned.services
    ]
    settings = tuned.model_copy(update={"services": tuple(less)})

    text = asyncio.run(exported(settings, "shop/checkout"))

    assert "not followed, there is no check 'errors'" in text
    assert written_parameters(again(text), *CHECKOUT) == written_parameters(settings, *CHECKOUT)


def test_names_of_people_stay_comments(shop):
    """A line break in what somebody is called begins no line of the file."""
    settings = options.settings(shop)
    asyncio.run(save(settings, CHECKOUT, WIDER, by="sue\nmode: off\u2028x"))

    assert again(asyncio.run(exported(settings))).mode == settings.mode


def test_no_secret_is_printed(tmp_path):
    """Files and variables that hold secrets are named, as in the settings, and not read."""
    secret = tmp_path / "password"
    secret.write_text("hunter2-of-the-database")
    source = {"name": "p", "kind": "prometheus", "url": "http://p:9090", "bearer_token_file": str(secret)}
    path = written(tmp_path, sources=[source], auth={"token_files": {"ci": str(secret)}})

    text = asyncio.run(exported(options.settings(path)))

    assert "hunter2" not in text
    assert text.count(str(secret)) == 2


def test_a_service_of_the_defaults_gets_an_entry_of_its_own(tmp_path):
    """What was tuned of it has no other place in the file."""
    settings = parse({"defaults": {"checks": [CHECK], "window": {"warm_up": "1m"}}}, "f")
    change = Change.model_validate({"checks": {"errors": {"tolerance": "50%"}}})

    found = merged(settings, {("web", "cart"): change})

    assert [one.name for one in found.services] == ["cart"]
    parameters = written_parameters(settings, "web", "cart")
    assert written_parameters(found, "web", "cart") == change.applied(parameters)


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("checkout", AskError, "write it like shop/checkout"),
        ("shop/cart", ConfigError, "is not in the settings"),
    ],
)
def test_a_service_that_is_not_there_cannot_be_exported(tuned, name, error, said):
    """Neither can one that is named by halves."""
    with pytest.raises(error, match=said):
        asyncio.run(exported(tuned, name))


@pytest.mark.parametrize("name", ["1e3", "85e10", "012", "off", "null", "22:00", "a: b"])
def test_texts_stay_texts(name):
    """A pod template's hash may look like a number."""
    settings = parse({"services": [{"name": "a", "source": "s"}], "sources": [SOURCE]}, "f")
    odd = settings.services[0].model_copy(update={"source": name})

    text = asyncio.run(exported(settings.model_copy(update={"services": (odd,)}), with_tuned=False))

    assert parsed(text)["services"][0]["source"] == name
