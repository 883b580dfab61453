"""
What the judge needs from the world: sources of samples and traces, a store, those who roll releases
out, and, for the contracts, itself.

The protocols are structural; adapters and the fakes in tests need no base class.
"""

from firedamp.model import Look, Release, Standing
from firedamp.ports.controllers import Herald, News, Rollers, Turn
from firedamp.ports.corrections import Override
from firedamp.ports.judging import Judging
from firedamp.ports.lists import Change, Wanted
from firedamp.ports.office import Ailment, Health, Keys, Office, SourceState, WorkState
from firedamp.ports.sources import Source, Span, TraceSource
from firedamp.ports.stores import LESSONS, Lesson, Session, Snapshot, Store, Token
from firedamp.ports.trails import Entry, Event, Gate, GatedHook, Sifted, Tally

__all__ = [
    "LESSONS",
    "Ailment",
    "Change",
    "Entry",
    "Event",
    "Gate",
    "GatedHook",
    "Health",
    "Herald",
    "Judging",
    "Keys",
    "Lesson",
    "Look",
    "News",
    "Office",
    "Override",
    "Release",
    "Rollers",
    "Session",
    "Sifted",
    "Snapshot",
    "Source",
    "SourceState",
    "Span",
    "Standing",
    "Store",
    "Tally",
    "Token",
    "TraceSource",
    "Turn",
    "Wanted",
    "WorkState",
]
