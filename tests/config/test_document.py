"""YAML as people mean it, and variables as a tree."""

import re

import pytest

from firedamp.config import document
from firedamp.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("off", "off"),
        ("on", "on"),
        ("no", "no"),
        ("22:00", "22:00"),
        ("6:30", "6:30"),
        ("1:30:00", "1:30:00"),
        ("010", "010"),
        ("0", 0),
        ("-12", -12),
        ("1_000", "1_000"),
        ("0.05", 0.05),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("2.5E2", 250.0),
        (".inf", float("inf")),
        ("5m", "5m"),
        ("20%", "20%"),
        ("2026-12-20", "2026-12-20"),
        ("2026-12-20T00:00:00Z", "2026-12-20T00:00:00Z"),
        ("~", None),
        ("", None),
        ("null", None),
        ("'true'", "true"),
        ("[1, a]", [1, "a"]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
        ("{<<: {a: 1, b: 1}, b: 2}", {"a": 1, "b": 2}),
    ],
)
def test_words_are_words(text, value):
    """Only what YAML 1.2 calls a boolean or a number is one; modes and times of day stay text."""
    found = document.parsed(text)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "line 2, column 1: 'a' stands twice"),
        ("a: {b: 1, c: 2, b: 1}", "line 1, column 17: 'b' stands twice"),
        ("a: [", "line 1, column 5: expected the node content"),
        ("a: !!python/object:os.system 1", "line 1, column 4: could not determine a constructor"),
        ("a: \x00", "unacceptable character"),
    ],
)
def test_what_is_no_yaml_is_named_by_its_place(text, message):
    """The message says where to look."""
    with pytest.raises(ValueError, match=re.escape(message)):
        document.parsed(text)


def test_a_file_is_read(tmp_path):
    """A file's mapping is what it holds; an empty file sets nothing."""
    path = tmp_path / "firedamp.yaml"
    path.write_text("mode: off\n")
    empty = tmp_path / "empty.yaml"
    empty.write_text("# nothing yet\n")

    assert document.read(path) == {"mode": "off"}
    assert document.read(empty) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- a\n", "expected a mapping of settings at the top"),
        (b"a: [", "is no YAML: line 1, column 5"),
        (b"a: \xff", "is no YAML"),
        (b"#" * (4 * 1024 * 1024 + 1), "larger than 4194304 bytes"),
    ],
)
def test_what_is_no_file_of_settings_is_refused(tmp_path, content, message):
    """The message names the file and what is wrong with it."""
    path = tmp_path / "firedamp.yaml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=message) as caught:
        document.read(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_missing_file_is_named(tmp_path):
    """A path that leads nowhere is said, with the system's reason."""
    with pytest.raises(ConfigError, match=r"nowhere.yaml: cannot be read \(No such file or directory\)"):
        document.read(tmp_path / "nowhere.yaml")


def test_variables_make_a_tree():
    """Two underscores are a step down, and values are YAML."""
    named = {
        "FIREDAMP_MODE": "off",
        "FIREDAMP_STORE__URL": "sqlite:///x.db",
        "FIREDAMP_STORE__RETENTION": "90d",
        "FIREDAMP_LISTEN__PORT": "9000",
        "FIREDAMP_AUTH__REQUIRED": "false",
        "FIREDAMP_SOURCES": "[{kind: prometheus, name: main, url: 'http://p:9090'}]",
    }

    assert document.tree(named) == {
        "mode": "off",
        "store": {"url": "sqlite:///x.db", "retention": "90d"},
        "listen": {"port": 9000},
        "auth": {"required": False},
        "sources": [{"kind": "prometheus", "name": "main", "url": "http://p:9090"}],
    }


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "FIREDAMP_CONFIG",
        "FIREDAMP_TOKEN",
        "FIREDAMP_URL",
        "FIREDAMP_TEST_PROMETHEUS",
        "FIREDAMP_SERVICE_HOST",
        "FIREDAMP_SERVICE_PORT",
        "FIREDAMP_SERVICE_PORT_HTTP",
        "FIREDAMP_PORT",
        "FIREDAMP_PORT_8080_TCP",
        "FIREDAMP_PORT_8080_TCP_ADDR",
        "FIREDAMP_METRICS_SERVICE_HOST",
        "FIREDAMP_METRICS_PORT_9090_TCP_PROTO",
    ],
)
def test_some_variables_are_no_settings(name):
    """What the command line reads, and what Kubernetes tells of a service of our name, is left alone."""
    assert document.variables({name: "tcp://10.0.0.1:80"}) == {}


@pytest.mark.parametrize("name", ["FIREDAMP_LISTEN__PORT", "FIREDAMP_PUBLIC_URL", "FIREDAMP_STORE__URL"])
def test_settings_that_look_like_kubernetes_are_settings(name):
    """Two underscores are ours."""
    assert document.variables({name: "1"}) == {name: "1"}


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"FIREDAMP_MODE": "a: ["}, "FIREDAMP_MODE: line 1"),
        (
            {"FIREDAMP_STORE": "x", "FIREDAMP_STORE__URL": "y"},
            "FIREDAMP_STORE__URL: store is set to a value by another variable",
        ),
    ],
)
def test_variables_that_cannot_be_placed_are_named(named, message):
    """A variable's fault is told by its name."""
    with pytest.raises(ConfigError) as caught:
        document.tree(named)

    assert str(caught.value).startswith(message)
