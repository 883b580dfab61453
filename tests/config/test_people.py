"""Settings about people: a proxy that signs them in, and read-only mode."""

from typing import Any

import pytest

from firedamp.config.load import parse
from firedamp.errors import ConfigError

PROXY = {"addresses": ["10.0.0.0/8", "fd00::/8"], "roles": {"viewer": ["*"], "ruler": ["on call"]}}


def read(**auth: Any) -> Any:
    return parse({"auth": auth}, "firedamp.yaml").auth


def test_a_proxy_is_read_with_the_usual_headers():
    """Addresses and groups are what has to be said."""
    found = read(proxy=PROXY).proxy

    assert [str(one) for one in found.addresses] == ["10.0.0.0/8", "fd00::/8"]
    assert (found.user_header, found.groups_header) == ("X-Forwarded-User", "X-Forwarded-Groups")
    assert found.roles == {"viewer": ("*",), "ruler": ("on call",)}


def test_by_default_no_header_is_believed_and_people_may_change_things():
    """Whoever wants either says so."""
    found = parse({}, "firedamp.yaml")

    assert found.auth.proxy is None
    assert found.read_only is False


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"addresses": []}, "auth.proxy.addresses"),
        ({"addresses": ["0.0.0.0/0"]}, "is every address there is"),
        ({"addresses": ["::/0"]}, "is every address there is"),
        ({"addresses": ["10.0.0.1/8"]}, "auth.proxy.addresses.0"),
        ({"addresses": ["proxy.example"]}, "auth.proxy.addresses.0"),
        ({"roles": {}}, "auth.proxy.roles"),
        ({"roles": {"asker": ["ci"]}}, "auth.proxy.roles"),
        ({"roles": {"viewer": ["a,b"]}}, "auth.proxy.roles.viewer.0"),
        ({"roles": {"viewer": [""]}}, "auth.proxy.roles.viewer.0"),
        ({"user_header": "X Forwarded"}, "auth.proxy.user_header"),
        ({"user_header": "x-forwarded-groups"}, "name two headers"),
        ({"secret": "x"}, "auth.proxy.secret: unknown key"),
    ],
)
def test_a_proxy_that_would_let_in_the_wrong_ones_is_refused(changes, says):
    """By its place in the file."""
    with pytest.raises(ConfigError) as caught:
        read(proxy={**PROXY, **changes})

    assert says in str(caught.value)


def test_a_proxy_without_tokens_is_a_contradiction():
    """Either somebody asks who it is, or nobody does."""
    with pytest.raises(ConfigError, match="set required: true"):
        read(required=False, proxy=PROXY)
