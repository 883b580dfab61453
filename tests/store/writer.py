"""
A program that is killed while it writes: `python writer.py URL RELEASE` forks a writer per line read.

Everything is imported once; a fork is there in a few milliseconds. A writer prints its process id,
then after each batch the number of looks written so far; the parent prints "dead" when it is.
"""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from firedamp.store import SqlStore
from store.examples import a_look

BATCH = 3


async def write_for_ever(url: str, release_id: int) -> None:
    async with SqlStore(url) as store:
        release = await store.release(release_id)
        assert release is not None
        while True:
            release = replace(release, step=release.step + BATCH)
            await store.add_looks(release, [a_look(release.step - BATCH + n) for n in range(BATCH)])
            say(str(release.step))


def say(word: str) -> None:
    """In one piece, past all buffers that would die with us."""
    os.write(1, f"{word}\n".encode())


def main(url: str, release_id: int) -> None:
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            say(str(os.getpid()))
            asyncio.run(write_for_ever(url, release_id))
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
