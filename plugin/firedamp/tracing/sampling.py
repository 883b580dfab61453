"""
What a trace state tells of sampling.

Source: OpenTelemetry specification, tracestate-probability-sampling.md: `ot=th:` carries the rejection
threshold T of 56 bits, trailing zeros left out; a trace was kept with probability 1 - T / 2^56.
"""

import re

_THRESHOLD = re.compile(r"th:([0-9a-f]{1,14})(?=[;,]|$)")
_DIGITS = 14
_WHOLE = 16**_DIGITS
#: Nobody samples one in more than so many; a caller from outside may write anything.
_LEAST = 1e-5


def probability(state: str) -> float | None:
    """Chance with which a trace was kept, in [1e-5, 1]; None where its state does not tell."""
    own = next((part.strip()[3:] for part in state.split(",") if part.strip().startswith("ot=")), "")
    found = _THRESHOLD.search(own)
    if found is None:
        return None
    chance = (_WHOLE - int(found[1].ljust(_DIGITS, "0"), 16)) / _WHOLE
    return chance if chance >= _LEAST else None
