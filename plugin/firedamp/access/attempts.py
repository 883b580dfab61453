"""
How often somebody may try to log in: some attempts at once, then one every few seconds, for each address.

A right token costs nothing, so that people behind one address do not use up each other's attempts. Only so
many addresses are remembered; whoever has more than that to try from gains nothing, for the tokens that we
make have 192 random bits.

Source: the generic cell rate algorithm, ITU-T I.371, 6.2.3.2 (one instant per address is all that is kept).
"""

from collections import OrderedDict
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
#: Whoever has one address of IPv6 has this many bits of it to choose from.
_OWN_BITS = 64


class Attempts:
    """
    Counts attempts by address.

    Args:
        at_once: so many may come one after the other.
        every_seconds: after that, one may come in this time.
        most: so many addresses are remembered.
    """

    def __init__(self, *, at_once: int = 10, every_seconds: float = 6.0, most: int = 4096) -> None:
        self._every = every_seconds
        self._slack = (at_once - 1) * every_seconds
        self._most = most
        #: When all attempts of an address are there again; the address that tried last stands last.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Take an attempt; or, where there is none left, the seconds until there is one."""
        full_at = max(self._full_at.get(address, now), now)
        if (wait := full_at - now - self._slack) > 0:
            return wait
        self._full_at[address] = full_at + self._every
        self._full_at.move_to_end(address)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return 0.0

    def give_back(self, address: str) -> None:
        """The last attempt was a good one."""
        if address in self._full_at:
            self._full_at[address] -= self._every


def caller(remote: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """
    The address from which somebody asks, for whom attempts are counted.

    Args:
        remote: where the connection comes from.
        forwarded: values of X-Forwarded-For, as they came; each proxy adds to the right whom it saw.
        trusted: proxies that are believed; what others write there is not read.
    """
    found = parsed(remote or "")
    told = [parsed(one.strip()) for text in forwarded for one in text.split(",")]
    while told and found is not None and any(found in network for network in trusted):
        before = told.pop()
        if before is None:
            break
        found = before
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, _OWN_BITS), strict=False))
    return str(found)


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address as it was written, an IPv4 one that came as IPv6 told as what it is; None for none."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
