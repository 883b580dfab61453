"""Where a service that asks nobody for a token may listen."""

import ipaddress

from firedamp.errors import ConfigError


def loopback_only(host: str, *, required: bool, anybody_anywhere: bool = False) -> None:
    """
    Refuse to serve the network without tokens, unless somebody said so in as many words.

    Raises:
        ConfigError: auth is off and the address can be reached from elsewhere.
    """
    if required or anybody_anywhere or loopback_host(host):
        return
    raise ConfigError(
        f"auth.required is false and listen.host is {host!r}: anybody on the network could open gates. "
        "set auth.required: true, or listen.host: 127.0.0.1"
    )


def loopback_host(host: str) -> bool:
    """Whether only this machine can be meant."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
