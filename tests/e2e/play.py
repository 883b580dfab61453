"""
One release on the stage, from the old version that runs quietly to what became of the new one.

    async with Play(stage, scenario.name, documents, house, per_second=60.0) as play:
        await play.begin()
        await play.release("v2", errors=0.1)
        await play.ended(End.ROLLED_BACK)

What happened is kept beside it: weights over time, and when the first request was spoilt.
"""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

import aiohttp

from e2e import examples
from e2e.api import VIRTUAL_SERVICE, Document
from e2e.course import Course, Weight
from e2e.examples import Faults
from e2e.load import Load
from e2e.pods import Pod
from e2e.releasing import Canary, End, Releasing, Rollout
from e2e.stage import Stage, until

#: So long may the old version take to come up, and a release to end.
SETTLED_SECONDS, ENDED_SECONDS = 120.0, 480.0
#: Pods remember themselves when the first request was spoilt.
_ASKED_SECONDS = 1.0
PUBLIC_URL = str(examples.settings()["public_url"])


@dataclass(frozen=True, slots=True)
class House:
    """
    One firedamp.

    Attributes:
        namespace: that its chart is installed in.
        tokens: by their keys in its Secret.
    """

    namespace: str
    tokens: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://firedamp.{self.namespace}.svc:8080"


class Play:
    """
    A service in a namespace of its own, with load on it, between enter and exit.

    Args:
        documents: what is installed of it.
        house: the firedamp that judges it.
        beside: documents of another service in the same namespace, which the first one calls.
        prometheus: the port of a Prometheus of its own, which the play starts; None where it has none.

    Attributes:
        course: what happened until now.
        load: what users got.
        releasing: the controller's object.
        other: the other service, where there is one; it has no users but the first.
    """

    def __init__(
        self,
        stage: Stage,
        namespace: str,
        documents: Sequence[Document],
        house: House,
        per_second: float,
        beside: Sequence[Document] = (),
        prometheus: int | None = None,
    ) -> None:
        self.stage = stage
        self.prometheus = prometheus
        self.namespace = namespace
        self.house = house
        self.course = Course()
        self.load = Load(f"http://gateway.{namespace}/orders", per_second=per_second, proxy=stage.envoy)
        self.other = Play(stage, namespace, beside, house, per_second) if beside else None
        self._documents = documents
        self._workload = examples.workload(documents)
        self._parts = AsyncExitStack()
        kind = Rollout if self._workload["kind"] == "Rollout" else Canary
        self.releasing: Releasing = kind(stage.api, namespace, self.service)

    @property
    def service(self) -> str:
        return str(self._workload["metadata"]["name"])

    async def __aenter__(self) -> Self:
        self._client = await self._parts.enter_async_context(aiohttp.ClientSession())
        if self.other:
            await self._parts.enter_async_context(self.other)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._parts.aclose()

    async def begin(self, faults: Faults, *, calm_seconds: float) -> None:
        """The old version, settled, with load on it for a while."""
        services = [self, *filter(None, [self.other])]
        port, names = examples.port(self._documents), [one.service for one in services]
        await self.stage.namespace(self.namespace)
        await self.stage.api.apply(examples.secret(self.namespace, self.house.tokens["token"]))
        around = examples.around(self.namespace, self.service, port, without=names)
        await self.stage.api.apply_all(around)
        for one in services:
            await one.placed(faults)
        about = [one["metadata"]["name"] for one in around if one["kind"] == "Deployment"]
        for one in services:
            await until(partial(one.is_settled, about), SETTLED_SECONDS)
            self.keep(one.watched())
        self.keep(self.load.run())
        await asyncio.sleep(calm_seconds)

    async def placed(self, faults: Faults) -> None:
        """Have the controller begin with the old version."""
        rest = [one for one in self._documents if one is not self._workload]
        await self.stage.api.apply_all([*rest, self._version("v1", faults)])

    async def release(self, image: str, faults: Faults) -> None:
        """The new version; from here on the controller decides."""
        self.course.begun = time.time()
        await self.stage.api.apply(self._version(image, faults))
        await self.begins_again()

    async def retried(self) -> None:
        """The version that was rolled back, once more; returns when the controller has begun with it."""
        await self.releasing.retry()
        await self.begins_again()

    async def begins_again(self) -> None:
        """Wait until the controller has noticed that it is to go on."""
        await until(self._goes_on, SETTLED_SECONDS)

    async def spoil(self, image: str, **faults: float) -> None:
        """Have the pods of a version change what is wrong with them while they run."""
        for pod in self.stage.kubelet.of(self.namespace, self.service, image):
            async with self._client.put(f"{_address(pod)}/faults", json=faults) as answer:
                answer.raise_for_status()

    async def reached(self, percent: int, seconds: float = ENDED_SECONDS) -> None:
        """
        Wait until the canary has so much traffic, or more.

        Raises:
            TimeoutError: it never had.
        """

        async def has() -> bool:
            return bool(self.course.weights and self.course.weights[-1].percent >= percent)

        await until(has, seconds)

    async def stays(self, seconds: float) -> None:
        """
        See that nobody decides for so long.

        Raises:
            AssertionError: somebody did.
        """
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            found = await self.releasing.end()
            assert found is None, f"{found}, and nothing was decided: {(await self.releasing.said())[-1:]}"
            await asyncio.sleep(1.0)

    async def over(self, seconds: float = ENDED_SECONDS) -> End:
        """
        How the release ended, once it has.

        Raises:
            TimeoutError: it did not end.
        """
        found: End = await until(self.releasing.end, seconds)
        # Weights and the last request come a moment after the word.
        await asyncio.sleep(1.0)
        self.course.end, said = found, await self.releasing.said()
        ours = [text for text in said if PUBLIC_URL in text and not text.startswith("the release ended")]
        self.course.sentence = (ours or said or [""])[-1]
        return found

    async def ended(self, wanted: End, seconds: float = ENDED_SECONDS) -> None:
        """
        Wait until the release has ended, in this way.

        Raises:
            AssertionError: it ended otherwise.
            TimeoutError: it did not end.
        """
        found = await self.over(seconds)
        assert found is wanted, f"{found}, expected {wanted}: {self.course.sentence}"

    async def recorded(self) -> Sequence[Mapping[str, Any]]:
        """The releases that firedamp knows of, the newest first."""
        found = await self.asked(f"releases?namespace={self.namespace}")
        return [one for one in found["releases"] if one["service"] == self.service]

    async def ends(self) -> Sequence[Mapping[str, Any]]:
        """The ends that firedamp was told of, as its audit trail has them."""
        found: Mapping[str, Any] = await self.asked(f"audit?namespace={self.namespace}&kind=outcome")
        listed: Sequence[Mapping[str, Any]] = found["events"]
        return listed

    async def asked(self, path: str) -> Any:
        """What firedamp's API answers."""
        headers = {"Authorization": f"Bearer {self.house.tokens['admin']}"}
        url = f"{self.house.url}/api/v1/{path}"
        async with self._client.get(url, headers=headers, proxy=self.stage.envoy) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def is_settled(self, around: Sequence[str]) -> bool:
        """Whether the old version serves, with these Deployments beside it."""
        ready = [await self.stage.is_ready(self.namespace, name) for name in around]
        return all(ready) and await self.releasing.is_settled()

    async def ordered(self, gate: str) -> None:
        """Open a gate of Flagger's as a person does, by the address that the examples tell."""
        url = f"{self.house.url}/flagger/v1/{self.house.tokens['flagger-path']}/{gate}"
        about = {"name": self.service, "namespace": self.namespace}
        async with self._client.post(url, json=about, proxy=self.stage.envoy) as answer:
            assert answer.status == 202, await answer.text()

    async def _goes_on(self) -> bool:
        return await self.releasing.end() is None

    def _version(self, image: str, faults: Faults) -> Document:
        calls = "" if self.service == "payments" else f"payments.{self.namespace}"
        return examples.released(self._workload, image, calls, faults)

    async def watched(self) -> None:
        """Weights and the first spoilt request, as they come."""
        course, asked = self.course, 0.0
        while True:
            percent = self._percent()
            if not course.weights or course.weights[-1].percent != percent:
                course.weights.append(Weight(time.time(), percent))
                course.zero = time.time() if percent == 0 and course.spoilt else None
            if percent and course.spoilt is None and time.monotonic() > asked + _ASKED_SECONDS:
                course.spoilt, asked = await self._first_spoilt(), time.monotonic()
            await asyncio.sleep(0.1)

    def _percent(self) -> int:
        """What the mesh sends to other pods than the stable ones."""
        found = self.stage.mesh.seen[VIRTUAL_SERVICE].get((self.namespace, self.service))
        if found is None:
            return 0
        ways = found["spec"]["http"][0]["route"]
        return sum(int(way.get("weight", 0)) for way in ways if _is_canary(way["destination"]))

    async def _first_spoilt(self) -> float | None:
        """By what the pods tell; one that died of it can tell no more."""
        pods = self.stage.kubelet.of(self.namespace, self.service)
        told = [pod.died or await self._spoilt(f"{_address(pod)}/faults") for pod in pods]
        return min((one for one in told if one), default=None)

    async def _spoilt(self, url: str) -> float | None:
        try:
            async with self._client.get(url) as answer:
                found: float | None = (await answer.json())["spoilt_at"]
                return found
        except aiohttp.ClientError:
            return None

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something go on until the play is over."""
        task = asyncio.create_task(work)

        async def ended() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._parts.push_async_callback(ended)


def _address(pod: Pod) -> str:
    return f"http://{pod.address}:{pod.port('http')}"


def _is_canary(destination: Mapping[str, str]) -> bool:
    # An experiment's pods are named after its templates.
    name = destination.get("subset") or destination.get("host", "").split(".")[0]
    return name == "canary" or name.endswith("-canary")
