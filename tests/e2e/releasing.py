"""How a controller is asked about its release: is it at rest, how did it end, what do people read there."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from e2e.api import ANALYSIS_RUN, CANARY, EVENT, ROLLOUT, Api, Document, Kind


class End(StrEnum):
    """What became of a release, as far as it went."""

    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Releasing(ABC):
    """One Rollout or Canary, by its name."""

    kind: ClassVar[Kind]
    api: Api
    namespace: str
    name: str

    @abstractmethod
    async def is_settled(self) -> bool:
        """Whether one version alone serves, and nothing is going on."""

    @abstractmethod
    async def end(self) -> End | None:
        """How the release ended that was begun last; None while it goes on."""

    @abstractmethod
    async def said(self) -> Sequence[str]:
        """What `kubectl describe` shows of firedamp's answers, in their order."""

    async def events(self, source: str) -> Sequence[Document]:
        """Those below the object in `kubectl describe` that come from there, the last one last."""
        found = await self.api.get(self.kind, self.name, self.namespace)
        about = {name: found["metadata"][name] for name in ("name", "namespace", "uid")}
        fields = {f"involvedObject.{name}": value for name, value in about.items()}
        fields["involvedObject.kind"] = self.kind.name
        events = await self.api.list(EVENT, self.namespace, fields)
        mine = [one for one in events if one["source"].get("component") == source]
        return sorted(mine, key=lambda one: one["lastTimestamp"] or "")

    @abstractmethod
    async def given_up(self) -> Sequence[str]:
        """Questions that got no answer in time, as the controller tells of them."""

    @abstractmethod
    async def retry(self) -> None:
        """Have the version that was rolled back released once more, as a person would."""


class Rollout(Releasing):
    """Of Argo Rollouts."""

    __slots__ = ()
    kind = ROLLOUT

    async def is_settled(self) -> bool:
        status = await self._status()
        return bool(status.get("phase") == "Healthy" and status.get("stableRS"))

    async def end(self) -> End | None:
        status = await self._status()
        if status.get("abort"):
            return End.ROLLED_BACK
        reasons = {condition.get("reason") for condition in status.get("pauseConditions", ())}
        if reasons & {"InconclusiveAnalysisRun", "InconclusiveExperiment"}:
            return End.PAUSED
        is_new = status.get("phase") == "Healthy" and status["stableRS"] == status["currentPodHash"]
        return End.PROMOTED if is_new else None

    async def said(self) -> Sequence[str]:
        runs = await self.api.list(ANALYSIS_RUN, self.namespace)
        found = [
            (one["finishedAt"], one.get("value", ""))
            for run in runs
            for metric in run.get("status", {}).get("metricResults", ())
            for one in metric.get("measurements", ())
            if "finishedAt" in one
        ]
        return [value.strip('"') for _, value in sorted(found)]

    async def given_up(self) -> Sequence[str]:
        runs = await self.api.list(ANALYSIS_RUN, self.namespace)
        return [
            one.get("message", "")
            for run in runs
            for metric in run.get("status", {}).get("metricResults", ())
            for one in metric.get("measurements", ())
            if one["phase"] == "Error"
        ]

    async def retry(self) -> None:
        await self.api.merge(await self._found(), {"status": {"abort": False}}, "status")

    async def _found(self) -> Document:
        return await self.api.get(ROLLOUT, self.name, self.namespace)

    async def _status(self) -> Document:
        found = await self._found()
        if str(found["metadata"]["generation"]) != found.get("status", {}).get("observedGeneration"):
            return {}
        status: Document = found["status"]
        return status


class Canary(Releasing):
    """Of Flagger."""

    __slots__ = ()
    kind = CANARY

    async def is_settled(self) -> bool:
        return await self.phase() in ("Initialized", "Succeeded", "Failed")

    async def end(self) -> End | None:
        return {"Succeeded": End.PROMOTED, "Failed": End.ROLLED_BACK}.get(await self.phase())

    async def said(self) -> Sequence[str]:
        # Flagger has the sentence of a hook that refused, firedamp's own event that of every verdict.
        found = [*await self.events("flagger"), *await self.events("firedamp")]
        return [one["message"] for one in found if one["reason"] != "ReleaseEnded"]

    async def given_up(self) -> Sequence[str]:
        return [text for text in await self.said() if "context deadline exceeded" in text]

    async def retry(self) -> None:
        # It compares what is applied with what it saw last, and begins where that is another one.
        await self.api.merge(await self._found(), {"status": {"lastAppliedSpec": ""}}, "status")

    async def _found(self) -> Document:
        return await self.api.get(CANARY, self.name, self.namespace)

    async def phase(self) -> str:
        """As it stands in its status."""
        found = await self._found()
        return str(found.get("status", {}).get("phase", ""))
