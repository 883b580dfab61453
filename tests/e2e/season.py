"""
All scenarios of a run, some side by side on one stage, and what came of each.

The stage has an event loop of its own in a thread, so that scenarios go on while pytest waits for one.
"""

import asyncio
import json
import shutil
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from e2e import examples
from e2e.course import Course
from e2e.houses import Houses, Kind
from e2e.installed import SOURCE
from e2e.play import PUBLIC_URL, House, Play
from e2e.scenarios import Scenario
from e2e.stage import Programs, Stage
from real.program import free_ports

#: So many are played at a time: each has some ten processes and its own load.
SIDE_BY_SIDE = 3
#: So many more of those that only take long.
AT_LEISURE = 8


@dataclass(frozen=True, slots=True)
class Report:
    """
    One scenario.

    Attributes:
        fault: why it is not as it should be; empty where it is.
        seconds: it took, without waiting for others.
        end: what became of it; empty where nobody ended it.
        seconds_to_zero: from the first spoilt request to no traffic for the canary.
        requests, failed: of users, and how many of them got no success.
    """

    scenario: str
    fault: str
    seconds: float
    end: str
    seconds_to_zero: float | None
    requests: int
    failed: int
    steps: tuple[int, ...]
    sentence: str


class Season:
    """
    The stage with its scenarios, between `open` and `close`.

    Attributes:
        reports: of those that are over, by name.
        up_seconds: until the stage stood.
    """

    def __init__(self, programs: Programs, folder: Path, scenarios: Sequence[Scenario]) -> None:
        self._programs = programs
        self._folder = folder
        self._scenarios = scenarios
        asked = [one.name for one in scenarios if one.own_prometheus]
        self._ports = dict(zip(asked, free_ports(len(asked)), strict=True))
        self._outcomes: dict[str, Future[None]] = {one.name: Future() for one in scenarios}
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._leave: Future[asyncio.Event] = Future()
        self.reports: dict[str, Report] = {}
        self.up_seconds = 0.0

    def open(self) -> None:
        """Begin with all of them; returns at once."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._thread.start()

    def outcome(self, scenario: Scenario) -> None:
        """
        Wait for one.

        Raises:
            whatever made it fail.
        """
        self._outcomes[scenario.name].result()

    def close(self) -> None:
        """Stop what still runs."""
        leave = self._leave.result()
        self._loop.call_soon_threadsafe(leave.set)
        self._thread.join()

    def _write(self) -> None:
        """What came of it until now."""
        found = {
            "stage_seconds": self.up_seconds,
            "scenarios": [asdict(one) for one in self.reports.values()],
        }
        (self._folder.parent / "e2e.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

    async def _run(self) -> None:
        leave, self._loop = asyncio.Event(), asyncio.get_running_loop()
        self._leave.set_result(leave)
        begun = time.monotonic()
        try:
            async with Stage(self._programs, self._folder) as stage, Houses(stage) as houses:
                shared = [one for one in self._scenarios if one.firedamp is Kind.SHARED]
                house = await houses.installed("firedamp", self._settings(stage, shared), Kind.SHARED)
                self.up_seconds = round(time.monotonic() - begun, 1)
                await self._played(stage, houses, house, leave)
        except BaseException as error:  # noqa: BLE001 - told to the tests that wait
            for outcome in self._outcomes.values():
                if not outcome.done():
                    outcome.set_exception(error)

    async def _played(self, stage: Stage, houses: Houses, shared: House, leave: asyncio.Event) -> None:
        room, leisure = asyncio.Semaphore(SIDE_BY_SIDE), asyncio.Semaphore(AT_LEISURE)

        async def judging(scenario: Scenario) -> House:
            if scenario.firedamp is Kind.SHARED:
                return shared
            settings = self._settings(stage, [scenario])
            return await houses.installed(scenario.house, settings, scenario.firedamp)

        plays = [
            asyncio.create_task(self._one(one, stage, judging, leisure if one.at_leisure else room))
            for one in self._scenarios
        ]
        await leave.wait()
        for play in plays:
            play.cancel()
        await asyncio.gather(*plays, return_exceptions=True)

    async def _one(
        self,
        scenario: Scenario,
        stage: Stage,
        judging: Callable[[Scenario], Awaitable[House]],
        room: asyncio.Semaphore,
    ) -> None:
        async with room:
            begun, fault = time.monotonic(), None
            play: Play | None = None
            try:
                async with self._play(scenario, stage, await judging(scenario)) as play:
                    await scenario.play(play)
            except BaseException as error:  # noqa: BLE001 - told to the test that waits
                fault = error
            seconds = round(time.monotonic() - begun, 1)
            self.reports[scenario.name] = _report(scenario, play, seconds, fault)
            self._write()
            await stage.clear(scenario.name)
        outcome = self._outcomes[scenario.name]
        outcome.set_exception(fault) if fault else outcome.set_result(None)

    def _play(self, scenario: Scenario, stage: Stage, house: House) -> Play:
        secret = house.tokens["flagger-path"]
        documents = examples.renamed(scenario.documents(secret), examples.PROMETHEUS, stage.prometheus.url)
        return Play(
            stage,
            scenario.name,
            documents,
            house,
            scenario.per_second,
            beside=scenario.beside(secret),
            prometheus=self._ports.get(scenario.name),
        )

    def _settings(self, stage: Stage, scenarios: Sequence[Scenario]) -> Mapping[str, Any]:
        """Those of a firedamp that judges these."""
        own = [
            {"name": one.name, "kind": SOURCE, "url": f"http://127.0.0.1:{self._ports[one.name]}"}
            for one in scenarios
            if one.own_prometheus
        ]
        return {
            "public_url": PUBLIC_URL,
            "sources": [
                {"name": SOURCE, "kind": SOURCE, "url": stage.prometheus.url},
                {"name": "jaeger", "kind": "jaeger", "url": stage.jaeger.url},
                *own,
            ],
            "services": [service for one in scenarios for service in one.services()],
        }


def _report(scenario: Scenario, play: Play | None, seconds: float, fault: BaseException | None) -> Report:
    course, answers = (play.course, play.load.answers) if play else (Course(), Counter[int]())
    return Report(
        scenario.name,
        fault="" if fault is None else f"{type(fault).__name__}: {fault}",
        seconds=seconds,
        end=course.end or "",
        seconds_to_zero=course.seconds_to_zero,
        requests=answers.total(),
        failed=answers.total() - answers[200],
        steps=course.steps,
        sentence=course.sentence,
    )
