"""
Which services there are, and what their newest releases say: for people and programs alike.

Services need not be configured to be there: one that asked for a verdict is known by its releases.
"""

from collections.abc import Iterable, Mapping, Sequence

from firedamp.model import Finding, Release
from firedamp.ports import Store, Wanted

#: So many services are told of at once, each with so many of its newest releases.
MOST_SERVICES, MOST_RELEASES = 60, 20
#: So far back goes the record of a check; each release costs the reading of a look.
MOST_RECORDED = 40
_SEEN = 100

#: Namespace and service.
Name = tuple[str, str]


async def known(store: Store, configured: Iterable[Name], namespaces: Sequence[str | None]) -> list[Name]:
    """Those configured, then those that only the newest releases tell of; None stands for all namespaces."""
    within = tuple(one for one in namespaces if one is not None)
    newest = await store.listed(Wanted(within), limit=_SEEN)
    seen = sorted((one.key.namespace, one.key.service) for one in newest)
    return list(dict.fromkeys([*configured, *seen]))


async def newest(store: Store, name: Name, most: int = MOST_RELEASES) -> Sequence[Release]:
    """The newest releases of a service, newest first."""
    return (await store.newest([name], limit=most))[name]


async def last_said(store: Store, releases: Sequence[Release], check: str) -> Mapping[int, Finding]:
    """What a check said at the last look of each release in which it did."""
    looks = await store.last_looks([release.id for release in releases])
    said = ((id_, one) for id_, look in looks.items() for one in look.findings if one.check == check)
    return dict(said)
