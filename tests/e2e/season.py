"""
All scenarios of a run, some side by side on one stage, and what came of each.

The stage has an event loop of its own in a thread, so that scenarios go on while pytest waits for one.
"""

import asyncio
import json
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from e2e import ends, examples
from e2e.play import PUBLIC_URL, Course, Play
from e2e.scenarios import Scenario
from e2e.stage import Programs, Stage

#: So many are played at a time: each has some ten processes and its own load.
SIDE_BY_SIDE = 3


@dataclass(frozen=True, slots=True)
class Report:
    """
    One scenario.

    Attributes:
        fault: why it is not as it should be; empty where it is.
        seconds: it took, without waiting for others.
        seconds_to_zero: from the first spoilt request to no traffic for the canary.
    """

    scenario: str
    fault: str
    seconds: float
    seconds_to_zero: float | None
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
        """Stop what still runs, and write down what came of it."""
        leave = self._leave.result()
        self._loop.call_soon_threadsafe(leave.set)
        self._thread.join()
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
            async with Stage(self._programs, self._folder) as stage:
                tokens = await self._installed(stage)
                self.up_seconds = round(time.monotonic() - begun, 1)
                await self._played(stage, tokens, leave)
        except BaseException as error:  # noqa: BLE001 - told to the tests that wait
            for outcome in self._outcomes.values():
                if not outcome.done():
                    outcome.set_exception(error)

    async def _installed(self, stage: Stage) -> Mapping[str, str]:
        """Firedamp and what its users have to install, once; the chart's tokens."""
        for namespace in (*self._outcomes, examples.ARGO_NAMESPACE):
            await stage.namespace(namespace)
        tokens = await stage.install(self._values(stage))
        await stage.api.apply_all(examples.templates(tokens["token"]))
        given = await stage.execute("token", "add", ends.ARGO, "--role", "gatekeeper")
        await stage.api.apply_all(examples.notifications(given.strip()))
        return tokens

    async def _played(self, stage: Stage, tokens: Mapping[str, str], leave: asyncio.Event) -> None:
        room = asyncio.Semaphore(SIDE_BY_SIDE)
        plays = [asyncio.create_task(self._one(one, stage, tokens, room)) for one in self._scenarios]
        await leave.wait()
        for play in plays:
            play.cancel()
        await asyncio.gather(*plays, return_exceptions=True)

    async def _one(
        self, scenario: Scenario, stage: Stage, tokens: Mapping[str, str], room: asyncio.Semaphore
    ) -> None:
        async with room:
            begun, documents = time.monotonic(), scenario.documents(tokens["flagger-path"])
            play = Play(stage, scenario.name, documents, tokens["admin"], scenario.per_second)
            fault: BaseException | None = None
            try:
                async with play:
                    await scenario.play(play)
            except BaseException as error:  # noqa: BLE001 - told to the test that waits
                fault = error
            seconds = round(time.monotonic() - begun, 1)
            self.reports[scenario.name] = _report(scenario, play.course, seconds, fault)
            await stage.clear(scenario.name)
        outcome = self._outcomes[scenario.name]
        outcome.set_exception(fault) if fault else outcome.set_result(None)

    def _values(self, stage: Stage) -> Mapping[str, Any]:
        """Of the chart: rights in the scenarios' namespaces only."""
        asked = {"events": True, "endings": True, "namespaces": list(self._outcomes)}
        return {"config": self._settings(stage), "kubernetes": asked}

    def _settings(self, stage: Stage) -> Mapping[str, Any]:
        return {
            "public_url": PUBLIC_URL,
            "sources": [
                {"name": "prometheus", "kind": "prometheus", "url": stage.prometheus.url},
                {"name": "jaeger", "kind": "jaeger", "url": stage.jaeger.url},
            ],
            "services": [one.service() for one in self._scenarios],
        }


def _report(scenario: Scenario, course: Course, seconds: float, fault: BaseException | None) -> Report:
    said = "" if fault is None else f"{type(fault).__name__}: {fault}"
    return Report(scenario.name, said, seconds, course.seconds_to_zero, course.steps, course.sentence)
