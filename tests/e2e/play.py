"""
One release on the stage, from the old version that runs quietly to what became of the new one.

    async with Play(stage, scenario.name, documents, token) as play:
        await play.begin()
        await play.release("v2", errors=0.1)
        await play.ended(End.ROLLED_BACK)

What happened is kept beside it: weights over time, and when the first request was spoilt.
"""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp

from e2e import examples
from e2e.api import VIRTUAL_SERVICE, Document
from e2e.examples import Faults
from e2e.load import Load
from e2e.releasing import Canary, End, Releasing, Rollout
from e2e.stage import Stage, until

#: So long may the old version take to come up, and a release to end.
SETTLED_SECONDS, ENDED_SECONDS = 120.0, 300.0
PUBLIC_URL = str(examples.settings()["public_url"])
FIREDAMP = "http://firedamp.firedamp.svc:8080"


@dataclass(frozen=True, slots=True)
class Weight:
    """The canary's share of traffic in percent, from a Unix time on."""

    at: float
    percent: int


@dataclass(slots=True)
class Course:
    """
    What happened, in Unix times.

    Attributes:
        begun: when the new version was applied.
        weights: each change of the canary's share.
        spoilt: the first request that a fault spoilt.
        zero: when the canary had no traffic any more.
        end: how it ended.
        sentence: what a person reads of it last.
    """

    begun: float = 0.0
    weights: list[Weight] = field(default_factory=list)
    spoilt: float | None = None
    zero: float | None = None
    end: End | None = None
    sentence: str = ""

    @property
    def seconds_to_zero(self) -> float | None:
        """From the first request that was spoilt to no traffic."""
        return None if self.spoilt is None or self.zero is None else round(self.zero - self.spoilt, 1)

    @property
    def steps(self) -> tuple[int, ...]:
        """The canary's shares one after the other, from its first traffic on."""
        begun = [weight.percent for weight in self.weights if weight.at >= self.begun]
        return tuple(percent for at, percent in enumerate(begun) if percent or at)


class Play:
    """
    A service in a namespace of its own, with load on it, between enter and exit.

    Attributes:
        course: what happened until now.
        load: what users got.
        releasing: the controller's object.
    """

    def __init__(
        self, stage: Stage, namespace: str, documents: Sequence[Document], token: str, per_second: float
    ) -> None:
        self.stage = stage
        self.namespace = namespace
        self.course = Course()
        self.load = Load(f"http://gateway.{namespace}/orders", per_second=per_second, proxy=stage.envoy)
        self._documents = documents
        self._workload = examples.workload(documents)
        self._token = token
        self._parts = AsyncExitStack()
        kind = Rollout if self._workload["kind"] == "Rollout" else Canary
        self.releasing: Releasing = kind(stage.api, namespace, self.service)

    @property
    def service(self) -> str:
        return str(self._workload["metadata"]["name"])

    async def __aenter__(self) -> Self:
        self._client = await self._parts.enter_async_context(aiohttp.ClientSession())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._parts.aclose()

    async def begin(self, faults: Faults, *, calm_seconds: float) -> None:
        """The old version, settled, with load on it for a while."""
        port = examples.port(self._documents)
        await self.stage.namespace(self.namespace)
        await self.stage.api.apply(examples.secret(self.namespace, self._token))
        await self.stage.api.apply_all(examples.around(self.namespace, self.service, port))
        rest = [one for one in self._documents if one is not self._workload]
        await self.stage.api.apply_all([*rest, self._version("v1", faults)])
        await until(self._is_settled, SETTLED_SECONDS)
        self._keep(self.load.run())
        self._keep(self._watched())
        await asyncio.sleep(calm_seconds)

    async def release(self, image: str, faults: Faults) -> None:
        """The new version; from here on the controller decides."""
        self.course.begun = time.time()
        await self.stage.api.apply(self._version(image, faults))

    async def ended(self, wanted: End, seconds: float = ENDED_SECONDS) -> None:
        """
        Wait until the release has ended, in this way.

        Raises:
            AssertionError: it ended otherwise.
            TimeoutError: it did not end.
        """
        found = await until(self.releasing.end, seconds)
        # Weights and the last request come a moment after the word.
        await asyncio.sleep(1.0)
        self.course.end, said = found, await self.releasing.said()
        ours = [text for text in said if PUBLIC_URL in text]
        self.course.sentence = (ours or said or [""])[-1]
        assert found is wanted, f"{found}, expected {wanted}: {self.course.sentence}"

    async def recorded(self) -> Sequence[Mapping[str, Any]]:
        """The releases that firedamp knows of, the newest first."""
        found: Mapping[str, Any] = await self.asked(f"releases?namespace={self.namespace}")
        listed: Sequence[Mapping[str, Any]] = found["releases"]
        return listed

    async def ends(self) -> Sequence[Mapping[str, Any]]:
        """The ends that firedamp was told of, as its audit trail has them."""
        found: Mapping[str, Any] = await self.asked(f"audit?namespace={self.namespace}&kind=outcome")
        listed: Sequence[Mapping[str, Any]] = found["events"]
        return listed

    async def asked(self, path: str) -> Any:
        """What firedamp's API answers."""
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{FIREDAMP}/api/v1/{path}"
        async with self._client.get(url, headers=headers, proxy=self.stage.envoy) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def _is_settled(self) -> bool:
        around = [await self.stage.is_ready(self.namespace, name) for name in ("gateway", "payments")]
        return all(around) and await self.releasing.is_settled()

    def _version(self, image: str, faults: Faults) -> Document:
        return examples.released(self._workload, image, f"payments.{self.namespace}", faults)

    async def _watched(self) -> None:
        """Weights and the first spoilt request, as they come."""
        course = self.course
        while True:
            percent = self._percent()
            if not course.weights or course.weights[-1].percent != percent:
                course.weights.append(Weight(time.time(), percent))
            if percent == 0 and course.spoilt and not course.zero:
                course.zero = time.time()
            elif percent and course.spoilt is None:
                course.spoilt = await self._first_spoilt()
            await asyncio.sleep(0.1)

    def _percent(self) -> int:
        """What the mesh sends to other pods than the stable ones."""
        found = self.stage.mesh.seen[VIRTUAL_SERVICE].get((self.namespace, self.service))
        if found is None:
            return 0
        ways = found["spec"]["http"][0]["route"]
        return sum(int(way.get("weight", 0)) for way in ways if _is_canary(way["destination"]))

    async def _first_spoilt(self) -> float | None:
        pods = [
            pod for pod in self.stage.kubelet.pods.values() if pod.namespace == self.namespace and pod.ready
        ]
        told = [
            await self._spoilt(f"http://{pod.address}:{pod.port('http')}/faults")
            for pod in pods
            if pod.container["name"] == self.service
        ]
        return min((one for one in told if one), default=None)

    async def _spoilt(self, url: str) -> float | None:
        try:
            async with self._client.get(url) as answer:
                found: float | None = (await answer.json())["spoilt_at"]
                return found
        except aiohttp.ClientError:
            return None

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)

        async def ended() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._parts.push_async_callback(ended)


def _is_canary(destination: Mapping[str, str]) -> bool:
    # An experiment's pods are named after its templates.
    name = destination.get("subset") or destination.get("host", "").split(".")[0]
    return name == "canary" or name.endswith("-canary")
