"""
What a probe's numbers mean: what is missing or suspicious, and how to mend it.

Pure. "Missing" keeps a check from being judged; "suspicious" makes its verdict weaker or slower.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from firedamp import words
from firedamp.cli.probes import Probe
from firedamp.decision.unlabelled import MOST_SHARE
from firedamp.model import Arm
from firedamp.units import spoken_duration

#: What requests are counted by; a count of zero there means no traffic.
_TRAFFIC = ("total", "buckets")
#: Fewer buckets than this tell a 20 % slower canary from a good one only by luck.
_FEW_BOUNDS = 8


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that is wrong, in words, with its remedy."""

    severity: Literal["missing", "suspicious"]
    check: str
    arm: Arm | None
    text: str
    remedy: str


def of(probe: Probe, *, look_seconds: float, pod_label: str) -> Iterator[Symptom]:
    """What is suspicious about a probe that brought something."""
    yield from _source(probe)
    yield from _pods(probe, pod_label)
    yield from _times(probe, look_seconds)
    yield from _histogram(probe)
    yield from _traffic(probe)


def _suspicious(probe: Probe, text: str, remedy: str) -> Symptom:
    return Symptom("suspicious", probe.check, probe.arm, text, remedy)


def _source(probe: Probe) -> Iterator[Symptom]:
    for warning in probe.warnings:
        yield _suspicious(
            probe,
            f"the source warns: {warning}",
            "its answer may be partial, which is never judged; mend the source first",
        )


def _pods(probe: Probe, pod_label: str) -> Iterator[Symptom]:
    if probe.podless:
        yield _suspicious(
            probe,
            f"{words.count(probe.podless)} of {words.count(probe.series)} series carry no {pod_label} label",
            f"keep the label {pod_label} when scraping, or name the right one as cohorts.pod_label",
        )
    elif probe.pods == 1:
        yield _suspicious(
            probe,
            "one pod: its own quirks cannot be told from the version's",
            "run at least two pods of it, or expect wider limits",
        )


def _times(probe: Probe, look_seconds: float) -> Iterator[Symptom]:
    if probe.newest_age is not None and probe.newest_age > 2 * look_seconds:
        yield _suspicious(
            probe,
            f"newest sample is {spoken_duration(probe.newest_age)} old",
            "see whether the targets are still scraped (Status > Targets)",
        )
    if probe.interval is not None and 2 * probe.interval > look_seconds:
        yield _suspicious(
            probe,
            f"scraped every {spoken_duration(probe.interval)}, a look takes {spoken_duration(look_seconds)}",
            f"set window.look to {round(2 * probe.interval)}s or more, or scrape more often",
        )
    elif probe.gap is not None and probe.gap > look_seconds:
        yield _suspicious(
            probe,
            f"a gap of {spoken_duration(probe.gap)} between two samples, longer than a look",
            "look for scrape timeouts (up == 0, scrape_duration_seconds) and restarts",
        )


def _histogram(probe: Probe) -> Iterator[Symptom]:
    if probe.bounds and "+Inf" not in probe.bounds:
        yield _suspicious(probe, 'buckets without le="+Inf"', "keep all buckets when relabelling")
    elif probe.bounds and len(probe.bounds) < _FEW_BOUNDS:
        yield _suspicious(
            probe,
            f"only {len(probe.bounds)} buckets (le {', '.join(probe.bounds)})",
            "add bounds around the usual and the tolerated latency",
        )


def _traffic(probe: Probe) -> Iterator[Symptom]:
    if probe.role in _TRAFFIC and probe.per_minute == 0:
        yield _suspicious(
            probe,
            "nothing was counted in this time",
            "send it traffic; without any the release is judged by the policy no_traffic",
        )


def unlabelled(probes: Sequence[Probe], per_minute: float, labels: Sequence[str]) -> Iterator[Symptom]:
    """
    Requests of one check that no cohort has.

    Args:
        probes: of all cohorts.
        per_minute: requests that carry none of the labels.
        labels: that tell the cohorts apart.
    """
    others = sum(probe.per_minute or 0.0 for probe in probes if probe.role in _TRAFFIC)
    share = per_minute / (per_minute + others) if per_minute else 0.0
    if share > MOST_SHARE:
        yield Symptom(
            "missing",
            probes[0].check,
            None,
            f"{words.percent(share)} of the requests carry no label {' or '.join(labels)}",
            f"add it when scraping (relabel_configs): at most {words.percent(MOST_SHARE)} may be without",
        )


def unlike(probes: Sequence[Probe]) -> Iterator[Symptom]:
    """What only shows when the arms of one query stand side by side."""
    for probe in probes:
        others = {label for other in probes if other.role == probe.role for label in other.labels}
        lacking = sorted(others - set(probe.labels))
        if probe.series and lacking:
            yield _suspicious(
                probe,
                f"lacks labels that the other arm has: {', '.join(lacking)}",
                "both versions should expose the same labels, else their series are not alike",
            )
