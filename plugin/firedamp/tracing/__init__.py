"""
End-to-end traces: from spans to flows, cohort by cohort.

Whatever a backend's dialect, its source hands over `Span`s; here they are joined into `Trace`s, which know
what became of a request at its root and which pods of the service under release it met first.
"""

from firedamp.tracing.joining import joined
from firedamp.tracing.sampling import probability
from firedamp.tracing.spans import KEPT, AnySpan, Attributes, Kind, Span
from firedamp.tracing.traces import Call, Root, Sought, Trace, Traces, Visit

__all__ = [
    "KEPT",
    "AnySpan",
    "Attributes",
    "Call",
    "Kind",
    "Root",
    "Sought",
    "Span",
    "Trace",
    "Traces",
    "Visit",
    "joined",
    "probability",
]
