"""
A server in a process of its own, with the real judge, a made-up shop and a clock that runs quickly.

Run as a program: `judging.py FOLDER PORT BEGAN SPEED`. BEGAN is the Unix time at which the release begins;
from then on the server's clock runs SPEED times as fast, also for one that takes the place of another.
"""

import asyncio
import sys
import time
from pathlib import Path

from firedamp.config import Settings
from firedamp.judge import Judge
from firedamp.server import create_app, serving
from firedamp.store import open_store
from judge.shop import PARAMETERS, ShopBook, ShopSource
from service import TOKENS


async def serve(folder: Path, port: int, began: float, speed: float) -> None:
    """Until it is killed."""

    def clock() -> float:
        return began + speed * (time.time() - began)

    settings = Settings.model_validate({"listen": {"port": port}, "log": {"level": "error"}})
    source = ShopSource(since=began - 3600, canary_since=began)
    async with await open_store(f"sqlite:///{folder}/firedamp.db") as store:
        for token in TOKENS if not await store.tokens() else ():
            await store.add_token(token)
        judge = Judge(ShopBook(PARAMETERS), {"main": source}, store)
        async with serving(create_app(settings, store, judge, clock=clock), settings.limits, port=port):
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
