"""
Plays in which something else breaks than the release: what judges it, or what that reads.

None of it may roll a healthy release back, and none may keep it from being decided once it is over.
"""

import asyncio
import signal

from e2e import seeing
from e2e.play import Play
from e2e.plays import begun, promoted
from real.scraping import ScrapingPrometheus

AWAY_SECONDS = 30.0


async def silence(play: Play) -> None:
    """Its Prometheus is gone for a while: nobody decides meanwhile, and the release is decided afterwards."""
    assert play.prometheus is not None
    data = play.stage.folder / play.namespace / "prometheus"
    data.mkdir(parents=True)
    play.keep(seeing.told(play.stage.kubelet, play.namespace, data / "pods.json"))
    configuration = seeing.reading(data / "pods.json", play.stage.exposed)
    async with ScrapingPrometheus(configuration, port=play.prometheus, data=data / "series"):
        await begun(play, {}, {})
        await play.reached(20)
        await asyncio.sleep(10.0)
    await play.stays(AWAY_SECONDS)
    async with ScrapingPrometheus(configuration, port=play.prometheus, data=data / "series"):
        await promoted(play)


async def killed(play: Play) -> None:
    """Firedamp is killed half way and comes back: the verdict is as ever, and no question has given up."""
    await begun(play, {}, {})
    await play.reached(20)
    await asyncio.sleep(10.0)
    [pod] = play.stage.kubelet.of(play.house.namespace, "firedamp")
    assert pod.process is not None
    pod.process.send_signal(signal.SIGKILL)

    await promoted(play)
    assert pod.restarts == 1


async def delayed(play: Play) -> None:
    """One of two firedamps waits 12 s for each answer of Prometheus: callers get theirs in time."""
    await begun(play, {}, {})

    await promoted(play)
    assert await play.releasing.given_up() == []
