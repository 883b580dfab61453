"""The words of the field, as closed lists."""

from collections.abc import Iterable
from enum import StrEnum


class Arm(StrEnum):
    """A group of pods. Canary is compared with baseline where there is one, else with main."""

    BASELINE = "baseline"  # old version, started together with the canary
    MAIN = "main"  # old version, the rest of production
    CANARY = "canary"  # new version


class Question(StrEnum):
    """What a caller wants to know; the same evidence answers all three."""

    GUARD = "guard"  # may the release go on as it is?
    ADVANCE = "advance"  # may the canary get more traffic?
    PROMOTE = "promote"  # may the canary replace the rest?


class Outcome(StrEnum):
    """A three-valued answer. Inconclusive always says what is missing."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Tier(StrEnum):
    """What a failing check does: critical rolls back, warn asks a person, debug only records."""

    CRITICAL = "critical"
    WARN = "warn"
    DEBUG = "debug"


class Mode(StrEnum):
    """How much firedamp's word counts for a service; where several are in force the later one holds."""

    JUDGE = "judge"
    HOLD = "hold"  # advance and promote stay undecided; fail still fails
    SHADOW = "shadow"  # judged and recorded, never blocks
    OFF = "off"  # stands aside

    @classmethod
    def holding(cls, modes: Iterable["Mode"]) -> "Mode":
        """The one that holds of several in force."""
        return max(modes, key=list(cls).index)


class Controller(StrEnum):
    """Who moves the traffic and asks."""

    ARGO = "argo"
    FLAGGER = "flagger"
    CI = "ci"
    API = "api"


class Resort(StrEnum):
    """What a policy makes of "cannot tell"."""

    HOLD = "hold"
    FAIL = "fail"
    PASS = "pass"  # noqa: S105 - a policy, not a password


class Situation(StrEnum):
    """Why a release stays undecided for good; each has its own policy per service."""

    WINDOW_OVER = "window_over"
    NO_TRAFFIC = "no_traffic"
    NO_DATA = "no_data"
    SOURCE_DOWN = "source_down"


class TroubleKind(StrEnum):
    """What can be wrong with the data of a check in one block."""

    SOURCE_DOWN = "source_down"
    REFUSED = "refused"
    PARTIAL = "partial"  # the source warned that its answer is not whole
    NO_SERIES = "no_series"
    GAP = "gap"  # fewer samples than the scrape interval promises
    RESET = "reset"
    TOO_LARGE = "too_large"
    NO_POD_LABEL = "no_pod_label"
    UNTOLD = "untold"  # nobody tells what would be judged, of neither version
