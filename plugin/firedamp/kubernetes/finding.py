"""
Which Rollout or Canary a release is rolled out by.

A caller names a service, and that is mostly the object's own name: Flagger sends the Canary's, and the
shipped templates of Argo pass the Rollout's. Else it is the object of that namespace whose workload or
Service has the name, or the one that the settings name.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from firedamp.errors import ClusterError
from firedamp.kubernetes.api import Api
from firedamp.kubernetes.objects import Canaries, Canary, Rollout, Rollouts, State
from firedamp.model import Controller, Release

#: Namespace and service -> name of the object, where the settings give one.
Names = Callable[[str, str], str | None]

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
#: So many objects a page, and so many pages: a Rollout with its history takes some ten kilobytes.
_PAGE, _PAGES = 100, 50
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of objects that roll releases out.

    Attributes:
        version: group and version of the API.
        plural: as its address has it.
        one, many: how an object, and a page of them, is read.
    """

    name: str
    version: str
    plural: str
    one: type[State]
    many: type[Rollouts | Canaries]

    def path(self, namespace: str) -> str:
        """
        Where its objects of a namespace are.

        Raises:
            ClusterError: the name is none that a namespace can have.
        """
        return f"/apis/{self.version}/namespaces/{named(namespace)}/{self.plural}"


KINDS: Mapping[Controller, Kind] = {
    Controller.ARGO: Kind("Rollout", "argoproj.io/v1alpha1", "rollouts", Rollout, Rollouts),
    Controller.FLAGGER: Kind("Canary", "flagger.app/v1beta1", "canaries", Canary, Canaries),
}


def named(name: str) -> str:
    """
    A name as it may stand in an address.

    Raises:
        ClusterError: Kubernetes has no such names.
    """
    if not _NAME.fullmatch(name):
        raise ClusterError(f"{name[:60]!r} is no name that Kubernetes gives")
    return name


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds the objects of releases, and reads how those ended; implements `ports.Rollers`."""

    api: Api
    names: Names

    async def of(self, release: Release) -> tuple[Kind, State]:
        """
        The object that rolls a release out.

        Raises:
            ClusterError: there is none, or nobody can tell which one.
        """
        kind, key = KINDS[release.controller], release.key
        given = self.names(key.namespace, key.service)
        body = await self.api.get(f"{kind.path(key.namespace)}/{named(given or key.service)}")
        if body is not None:
            return kind, _read(body, kind.one)
        # By its own name it is not there; a name that was given is the only one that counts.
        return kind, self._among([] if given else await self._all(kind, key.namespace), release)

    async def endings(self, releases: Sequence[Release]) -> Mapping[int, str]:
        """How these of one controller and namespace ended, by id; takes one list. Raises ClusterError."""
        first = releases[0]
        states = await self._all(KINDS[first.controller], first.key.namespace)
        return {one.id: outcome for one in releases if (outcome := self._ended(states, one))}

    def _ended(self, states: Sequence[State], release: Release) -> str | None:
        try:
            return self._among(states, release).ended(release)
        except ClusterError:
            return None  # nobody can tell; what nobody asks about any more ends by its age

    def _among(self, states: Sequence[State], release: Release) -> State:
        key = release.key
        given = self.names(key.namespace, key.service)
        found = [one for one in states if one.metadata.name == (given or key.service)]
        found = found or [one for one in states if not given and one.serves(key.service)]
        if len(found) == 1:
            return found[0]
        raise ClusterError(_untold(KINDS[release.controller], release, found))

    async def _all(self, kind: Kind, namespace: str) -> list[State]:
        """Every object of a kind in a namespace; none where the kind is not installed."""
        found: list[State] = []
        after: dict[str, str] = {}
        for _ in range(_PAGES):
            body = await self.api.get(kind.path(namespace), {"limit": str(_PAGE), **after})
            if body is None:
                return found
            page = _read(body, kind.many)
            found += page.items
            if not page.metadata.after:
                return found
            after = {"continue": page.metadata.after}
        raise ClusterError(f"Kubernetes: more than {_PAGE * _PAGES} {kind.plural} in {namespace}")


def _untold(kind: Kind, release: Release, found: Iterable[State]) -> str:
    seen = " and ".join(sorted(one.metadata.name for one in found)) or "nothing"
    return (
        f"which {kind.name} rolls out {release.key.namespace}/{release.key.service} cannot be told: {seen} "
        "goes by that name; set released_by of the service"
    )


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise ClusterError(f"Kubernetes: an answer that cannot be read: {error}") from error
