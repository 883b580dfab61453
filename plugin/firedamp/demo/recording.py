"""
The recorded shop as it is shipped: one compact file, made by `shop` with its seed.

    python -m firedamp.demo.recording      writes it again
"""

from pathlib import Path

from firedamp.demo.shop import shop
from firedamp.sources.replay import Recording, begun_at, read_recording, write_recording

PATH = Path(__file__).with_name("shop.jsonl.gz")


def begun(at: float) -> Recording:
    """The recording, moved so that it begins at a Unix time."""
    return begun_at(read_recording(PATH), at)


if __name__ == "__main__":
    write_recording(PATH, shop())
