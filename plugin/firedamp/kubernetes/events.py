"""
News as events on the Rollout or Canary, where `kubectl describe` shows them.

They are events of core/v1, not of events.k8s.io/v1: both are one store and one list to whoever reads, but
only the older one lets a count and a sentence of it be written again (kubernetes, pkg/apis/core/validation/
events.go), and it is what Argo Rollouts and Flagger write beside ours. The name of an event is made of what
it tells, so that another replica, or this one after a restart, finds it there and counts it up.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from firedamp import telemetry, words
from firedamp.errors import ClusterError
from firedamp.kubernetes.api import Api
from firedamp.kubernetes.finding import Finder, Kind, named
from firedamp.kubernetes.objects import State
from firedamp.model import Mode
from firedamp.ports import News, Turn

_REASONS = {
    Turn.FAILED: "VerdictFail",
    Turn.PASSED: "VerdictPass",
    Turn.UNDECIDED: "VerdictUndecided",
    Turn.ENDED: "ReleaseEnded",
}
_SPOKEN = {
    Turn.FAILED: "fail: {}",
    Turn.PASSED: "pass: {}",
    Turn.UNDECIDED: "inconclusive: {}",
    Turn.ENDED: "the release ended: {}",
}
#: What a verdict is worth while nobody follows it: a hold keeps no fail from rolling back.
_ASIDE = {
    (Mode.SHADOW, Turn.FAILED): "shadow mode, nothing is stopped; ",
    (Mode.SHADOW, Turn.PASSED): "shadow mode, nothing waits for this; ",
    (Mode.SHADOW, Turn.UNDECIDED): "shadow mode, nothing waits for this; ",
    (Mode.HOLD, Turn.PASSED): "the service is held; ",
    (Mode.HOLD, Turn.UNDECIDED): "the service is held; ",
}
_ALARMING = frozenset({Turn.FAILED, Turn.UNDECIDED})
#: A name has 253 characters; a dot and the digest take 17 of them.
_LONGEST_NAME, _DIGEST = 236, 16


class _Written(msgspec.Struct, frozen=True):
    """What an event says of itself after it was changed."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class Events:
    """
    Writes them; implements `ports.Herald`.

    Attributes:
        permalink: where a person reads on about a release, by its id.
    """

    api: Api
    finder: Finder
    permalink: Callable[[int], str]

    async def tell(self, news: News) -> None:
        """Write an event, or count it up where it was written within the hour. Raises ClusterError."""
        try:
            kind, state = await self.finder.of(news.release)
            event = self._event(news, kind, state)
            path = f"/api/v1/namespaces/{named(news.release.key.namespace)}/events"
            new = await self.api.create(path, event)
            if not new:
                await self._counted(f"{path}/{event['metadata']['name']}", event)
        except ClusterError:
            telemetry.CLUSTER_EVENTS.labels("failed").inc()
            raise
        telemetry.CLUSTER_EVENTS.labels("written" if new else "counted").inc()

    async def _counted(self, path: str, event: dict[str, Any]) -> None:
        """Say it anew, and count it: the answer tells the count, so nobody needs the right to read events."""
        said = {key: event[key] for key in ("message", "lastTimestamp", "type")}
        body = await self.api.patch(path, said)
        if body is None:
            return  # it expired in this instant; it was told, and long ago
        try:
            count = msgspec.json.decode(body, type=_Written).count
        except msgspec.MsgspecError as error:
            raise ClusterError(f"Kubernetes: an event that cannot be read: {error}") from error
        await self.api.patch(path, {"count": count + 1})

    def _event(self, news: News, kind: Kind, state: State) -> dict[str, Any]:
        release, told = news.release, _told(news.at)
        place = {"namespace": release.key.namespace, "name": state.metadata.name}
        sentence = _ASIDE.get((news.mode, news.turn), "") + _SPOKEN[news.turn].format(news.sentence)
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {**place, "name": _name(news, state)},
            "involvedObject": {
                **place,
                "apiVersion": kind.version,
                "kind": kind.name,
                "uid": state.metadata.uid,
            },
            "reason": _REASONS[news.turn],
            "message": words.linked(sentence, self.permalink(release.id)),
            "type": "Warning" if _is_alarming(news) else "Normal",
            "source": {"component": "firedamp"},
            "reportingComponent": "firedamp",
            "firstTimestamp": told,
            "lastTimestamp": told,
            "count": 1,
        }


def _is_alarming(news: News) -> bool:
    return news.turn in _ALARMING or (news.turn is Turn.ENDED and news.sentence == "rolled-back")


def _name(news: News, state: State) -> str:
    """One for each turn of each attempt; the start tells attempts apart where a store begins anew."""
    release = news.release
    told = f"{state.metadata.uid} {release.key} {release.started} {news.turn}"
    digest = hashlib.sha256(told.encode()).hexdigest()[:_DIGEST]
    return f"{state.metadata.name[:_LONGEST_NAME].rstrip('-.')}.{digest}"


def _told(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
