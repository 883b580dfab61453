"""
How large a look is on disk, and how fast looks are written and read.

    python benchmarks/store.py [--json] [--looks 300] [--url postgresql://...]

A look is the costliest honest one: 20 checks on 4 + 4 pods, 4 of them histograms (`example_looks`).
Writing is what a replica does: one transaction per look, from several releases at once.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from firedamp.ports import Look
from firedamp.store import SqlStore, codec, open_store
from store.example_looks import realistic_look
from store.examples import KEY, a_release

RELEASES = 8


def sizes(looks: list[Look]) -> dict[str, float]:
    lengths = [len(codec.encode(look)) for look in looks]
    return {"bytes_per_look": sum(lengths) / len(lengths), "largest_look_bytes": max(lengths)}


def packing(looks: list[Look]) -> dict[str, float]:
    start = time.perf_counter()
    blobs = [codec.encode(look) for look in looks]
    packed = time.perf_counter()
    for blob in blobs:
        codec.decode(blob)
    unpacked = time.perf_counter()
    return {
        "encode_milliseconds": 1000 * (packed - start) / len(looks),
        "decode_milliseconds": 1000 * (unpacked - packed) / len(looks),
    }


async def traffic(url: str, looks: list[Look]) -> dict[str, float]:
    async with await open_store(url) as store:
        start = time.perf_counter()
        written = await asyncio.gather(*(one_release(store, n, looks) for n in range(RELEASES)))
        wrote = time.perf_counter()
        read = [await store.looks(release_id) for release_id in written]
        done = time.perf_counter()
    count = RELEASES * len(looks)
    assert sum(map(len, read)) == count
    return {
        "looks_written_per_second": count / (wrote - start),
        "looks_read_per_second": count / (done - wrote),
    }


async def one_release(store: SqlStore, number: int, looks: list[Look]) -> int:
    key = replace(KEY, revision=f"bench-{number}-{time.time_ns()}")
    release = await store.open(a_release(key=key))
    for look in looks:
        async with store.lock(key):
            await store.add_looks(replace(release, last_asked=look.evidence.block.end), [look])
    return release.id


def bytes_on_disk(folder: str, looks: int) -> dict[str, float]:
    files = sum(file.stat().st_size for file in Path(folder).iterdir())
    return {"disk_bytes_per_look": files / looks}


def measured(looks: list[Look], url: str | None) -> dict[str, float]:
    if url is not None:
        return asyncio.run(traffic(url, looks))
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(traffic(f"sqlite:///{folder}/firedamp.db", looks))
        return figures | bytes_on_disk(folder, RELEASES * len(looks))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--looks", type=int, default=100, help="per release")
    parser.add_argument("--url", help="a database to fill; default a temporary SQLite file")
    options = parser.parse_args()
    looks = [realistic_look(seed, index=seed) for seed in range(options.looks)]
    figures = sizes(looks) | packing(looks) | measured(looks, options.url)
    rounded = {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps(rounded) if options.json else "\n".join(f"{name}: {n:,}" for name, n in rounded.items()))


if __name__ == "__main__":
    main()
