"""
Kills a judge over and over while it looks, and checks the store after each time.

Run as a program: `crash_driver.py FOLDER KILLS SEED`. Children are forked from a process that has
everything imported, so that a kill hits a look and not an import. Prints one JSON object.
"""

import asyncio
import json
import os
import random
import select
import signal
import sqlite3
import sys
import time
from pathlib import Path

from firedamp.decision.parameters import Parameters
from firedamp.judge import Judge
from firedamp.store import open_store
from judge.shop import ASK, ERRORS, ShopBook, ShopSource

BOOK = ShopBook(Parameters.model_validate({"checks": [ERRORS]}))
LONGEST_LIFE_SECONDS = 0.7
#: Acknowledged when the store is open, before any block.
READY = -2


async def judge(database: Path, last_block: int, acknowledge) -> str:
    """Go on from where the store stands, look by look; the last answer."""
    store = await open_store(f"sqlite:///{database}")
    acknowledge(READY)
    try:
        judging = Judge(BOOK, {"main": ShopSource(errors={"stable": 0.1, "canary": 0.12})}, store)
        known = await store.latest("shop", "checkout", "canary")
        look = await store.last_look(known.id) if known else None
        block = look.evidence.block.index if look else -1
        while True:
            verdict = await judging.answer(ASK, max(0.0, (block + 1) * 30.0 + 5.0))
            acknowledge(-1 if verdict.block is None else verdict.block)
            if block >= last_block:
                return repr(verdict)
            block += 1
    finally:
        await store.close()


def live_and_die(database: Path, rng: random.Random) -> int:
    """Fork a judge, kill it at a random moment; the last block it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        asyncio.run(judge(database, 10**9, lambda block: os.write(writing, f"{block}\n".encode())))
        os._exit(0)
    os.close(writing)
    # Opening a database takes longer than a look; most lives are counted from there on.
    select.select([reading], [], [], 5.0 if rng.random() < 0.8 else 0.0)
    time.sleep(rng.uniform(0.0, LONGEST_LIFE_SECONDS))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        acknowledged = [int(line) for line in pipe.read().split()]
    return max(acknowledged, default=READY)


def faults(database: Path, acknowledged: int) -> list[str]:
    """What is wrong with the store after a kill."""
    if not database.exists() or acknowledged == READY:
        return []
    with sqlite3.connect(database) as connection:
        found = [] if connection.execute("PRAGMA quick_check").fetchone() == ("ok",) else ["damaged database"]
        if connection.execute("SELECT count(*) FROM releases").fetchone() != (1,):
            found.append("lost or doubled release")
        blocks = [row[0] for row in connection.execute("SELECT block FROM looks ORDER BY block")]
        snapshots = [row[0] for row in connection.execute("SELECT block FROM snapshots")]
    if blocks != list(range(len(blocks))):
        found.append(f"torn looks: {blocks}")
    if len(blocks) <= acknowledged:
        found.append(f"lost look: block {acknowledged} was answered, the store ends at {len(blocks) - 1}")
    if len(snapshots) > 1 or max(snapshots, default=-1) >= len(blocks):
        found.append(f"snapshots {snapshots} of {len(blocks)} looks")
    return found


async def snapshots(database: Path) -> list[int]:
    """Blocks of the snapshot that the next judge goes on from."""
    store = await open_store(f"sqlite:///{database}")
    try:
        kept = await store.snapshot(1)
        return [kept.block] if kept else []
    finally:
        await store.close()


async def looks(database: Path) -> list[str]:
    store = await open_store(f"sqlite:///{database}")
    try:
        return [repr(look) for look in await store.looks(1)]
    finally:
        await store.close()


def main(folder: Path, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    killed, calm, wrong, inside = folder / "killed.db", folder / "calm.db", [], 0
    for _ in range(kills):
        acknowledged = live_and_die(killed, rng)
        inside += acknowledged >= 0
        wrong += faults(killed, acknowledged)
    last, kept = len(asyncio.run(looks(killed))), asyncio.run(snapshots(killed))
    answers = [asyncio.run(judge(database, last, lambda _block: None)) for database in (killed, calm)]
    same = asyncio.run(looks(killed)) == asyncio.run(looks(calm))
    print(
        json.dumps(
            {
                "kills": kills,
                "kills_after_an_answer": inside,
                "looks": last,
                "snapshots": kept,
                "faults": wrong,
                "same_looks": same,
                "same_verdict": answers[0] == answers[1],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
