"""
A recording as a source, for demonstrations, tests and the judging of past releases: of metrics, of traces
where it holds some, or of both.

`recording` reads and writes files, with `lines` as what stands in them; `source` answers questions.
"""

from firedamp.sources.replay.lines import Recorded
from firedamp.sources.replay.recording import Recording, begun_at, read_recording, write_recording
from firedamp.sources.replay.settings import ReplaySettings
from firedamp.sources.replay.source import ReplaySource

__all__ = [
    "Recorded",
    "Recording",
    "ReplaySettings",
    "ReplaySource",
    "begun_at",
    "read_recording",
    "write_recording",
]
