"""Whether and where the Kubernetes API is asked."""

from pathlib import Path

import pytest

from firedamp.config import Settings
from firedamp.config.load import load, parse
from firedamp.errors import ConfigError
from firedamp.kubernetes import KubernetesSettings, Place

MOUNTED = Path("/var/run/secrets/kubernetes.io/serviceaccount")
POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def test_nothing_is_asked_without_being_told_to():
    """Both are off by default: most who run firedamp give it no rights in the cluster."""
    found = Settings().kubernetes

    assert (found.events, found.endings) == (False, False)


def test_a_pod_needs_the_switches_only():
    """Kubernetes tells a pod where the API is, and mounts what it takes to ask."""
    found = parse({"kubernetes": {"events": True, "endings": True}}, "test").kubernetes

    assert found.place(POD) == Place("https://10.96.0.1:443", MOUNTED / "token", MOUNTED / "ca.crt")


def test_the_environment_switches_it_on():
    """As the chart does it."""
    found = load(None, {"FIREDAMP_KUBERNETES__EVENTS": "true", **POD}).kubernetes

    assert (found.events, found.endings) == (True, False)


def test_an_address_of_version_6_is_put_in_brackets():
    """Clusters of IPv6 alone tell such a host."""
    place = KubernetesSettings().place({**POD, "KUBERNETES_SERVICE_HOST": "fd00::1"})

    assert place.url == "https://[fd00::1]:443"


def test_outside_a_pod_the_address_is_written():
    """With the files of a service account; through a proxy on loopback without any."""
    files = {"token_file": "/tmp/token", "ca_file": "/tmp/ca.crt"}
    written = parse({"kubernetes": {"url": "https://10.0.0.1:6443/", **files}}, "test").kubernetes
    proxied = parse({"kubernetes": {"url": "http://127.0.0.1:8001"}}, "test").kubernetes

    assert written.place({}) == Place("https://10.0.0.1:6443", Path("/tmp/token"), Path("/tmp/ca.crt"))
    assert proxied.place(POD) == Place("http://127.0.0.1:8001")


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:8080",
        "ftp://10.0.0.1",
        "https://",
        "10.0.0.1:6443",
        "https://me:secret@10.0.0.1",
        "https://10.0.0.1/?a=b",
    ],
)
def test_an_address_that_would_give_the_token_away_is_refused(url):
    """Without encryption only loopback will do."""
    with pytest.raises(ConfigError, match=r"kubernetes.url: (write it like|a token is sent along)"):
        parse({"kubernetes": {"url": url}}, "test")


def test_an_unknown_key_is_named():
    """A misspelling is told with the nearest right word."""
    with pytest.raises(ConfigError, match=r"kubernetes.event: unknown key; did you mean 'events'\?"):
        parse({"kubernetes": {"event": True}}, "test")


def test_no_number_is_taken_for_a_switch():
    """Only true and false are."""
    with pytest.raises(ConfigError, match=r"kubernetes.events"):
        parse({"kubernetes": {"events": 1}}, "test")


def test_nobody_knows_where_kubernetes_is():
    """Switched on outside a pod, firedamp says so at its start and what to set."""
    with pytest.raises(ConfigError, match=r"there is no KUBERNETES_SERVICE_HOST: .* set kubernetes.url"):
        KubernetesSettings(events=True).place({})


def test_a_service_names_what_rolls_it_out():
    """Where the Rollout or Canary has another name than the service, the settings say which."""
    services = [{"name": "checkout", "namespace": "shop", "released_by": "web"}, {"name": "cart"}]
    settings = parse({"services": services}, "test")

    assert settings.released_by("shop", "checkout") == "web"
    assert settings.released_by("default", "cart") is None
    assert settings.released_by("shop", "nobody") is None
