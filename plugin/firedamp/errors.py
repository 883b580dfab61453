"""
Every error that firedamp raises on purpose, drawn as a tree.

    FiredampError
    ├── ConfigError            the settings are wrong; the message names path, value and remedy
    ├── AskError               a question that cannot be understood (contracts answer 4xx)
    │   ├── ForbiddenError     the caller may not ask this
    │   ├── NotFoundError      the thing named does not exist
    │   └── UnsuitedError      understood, and what it is about does not allow it
    ├── SourceError            a metric source did not give an answer (the verdict is undecided)
    │   ├── SourceDownError    unreachable, timed out or overloaded; asking again may help
    │   └── SourceRefusedError it understood us and said no; asking again will not help
    ├── StoreError             our own memory failed
    │   └── ConflictError      somebody else wrote first; read again and use what is there
    └── ClusterError           the Kubernetes API did not do what was asked (no verdict knows of it)
        └── ClusterDownError   unreachable, slow or overloaded; asking again may help

Expected trouble (thin data, silence, ties) is never an error but a finding with a reason.
"""


class FiredampError(Exception):
    """Root of the tree: catch this at the outermost edge only."""


class ConfigError(FiredampError):
    """The settings are wrong."""


class AskError(FiredampError):
    """The question cannot be understood; the message has value, limit and remedy."""


class ForbiddenError(AskError):
    """The caller is not allowed to ask this."""


class NotFoundError(AskError):
    """What the caller names does not exist."""


class UnsuitedError(AskError):
    """What is asked for does not go with what is there: a ruling on a check that does not fail."""


class SourceError(FiredampError):
    """A metric source gave no usable answer."""


class SourceDownError(SourceError):
    """Unreachable, slow or overloaded: asking again may help."""


class SourceRefusedError(SourceError):
    """Understood and refused (bad query, no permission, answer too large): mend it first."""


class StoreError(FiredampError):
    """The store failed."""


class ConflictError(StoreError):
    """Another writer was first; read again and use what is there."""


class ClusterError(FiredampError):
    """The Kubernetes API did not do what was asked."""


class ClusterDownError(ClusterError):
    """Unreachable, slow or overloaded: asking again may help."""
