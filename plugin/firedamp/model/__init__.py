"""
The values that travel through firedamp: questions come down, findings and verdicts go up.

Everything here is frozen and knows nothing of HTTP, SQL or Prometheus. Instants are Unix
seconds (float, UTC); shares are fractions in [0, 1]; baseline stands before canary everywhere.
"""

from firedamp.model.evidence import Block, Evidence, Row, Slice, Trouble
from firedamp.model.findings import Finding
from firedamp.model.questions import Ask, Verdict
from firedamp.model.releases import EXPERIMENT, Look, Release, ReleaseKey, Standing
from firedamp.model.rulings import Judged, Label, Ruled, Ruling
from firedamp.model.terms import (
    Arm,
    Controller,
    Mode,
    Outcome,
    Question,
    Resort,
    Situation,
    Tier,
    TroubleKind,
)

__all__ = [
    "EXPERIMENT",
    "Arm",
    "Ask",
    "Block",
    "Controller",
    "Evidence",
    "Finding",
    "Judged",
    "Label",
    "Look",
    "Mode",
    "Outcome",
    "Question",
    "Release",
    "ReleaseKey",
    "Resort",
    "Row",
    "Ruled",
    "Ruling",
    "Situation",
    "Slice",
    "Standing",
    "Tier",
    "Trouble",
    "TroubleKind",
    "Verdict",
]
