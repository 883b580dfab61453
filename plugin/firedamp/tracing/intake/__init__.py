"""
A memory of spans that were sent to us, bounded, in the form in which they are judged.

A reader drops what nobody will ask for (`Interest`) and hands over `Row`s; `Memory` keeps them by trace and
makes `Trace`s of them, those that `tracing.joined` would make of all the spans.
"""

from firedamp.tracing.intake.interest import Interest
from firedamp.tracing.intake.memory import Keeping, Memory
from firedamp.tracing.intake.rows import Resource, Resources, Row, Sort, row, sampled

__all__ = ["Interest", "Keeping", "Memory", "Resource", "Resources", "Row", "Sort", "row", "sampled"]
