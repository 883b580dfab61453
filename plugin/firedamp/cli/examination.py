"""
Asks a source every query of one service, for each cohort, and finds out why some bring nothing.

An empty cohort is followed up: is the metric there at all, which of the cohort's labels is the culprit,
and which values does it have instead.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from firedamp import cohorts as cohort_rules
from firedamp.checks import Check
from firedamp.cli import probes, symptoms
from firedamp.cli.probes import Probe
from firedamp.cli.symptoms import Symptom
from firedamp.cohorts import ArmMatchers, Matchers
from firedamp.config import Service
from firedamp.errors import SourceRefusedError
from firedamp.model import Arm
from firedamp.queries import Counted, Level, Matcher, Need, Op, Selector, filled, named, promql, quoted

#: Raw samples are asked for over this time, and no wider than this many series over ten minutes.
_RANGE_SECONDS = 600.0
_MANY_SERIES = 2000
_VALUES_SHOWN = 8
#: Stands for $cohort where every cohort is meant: no series has this label, so all match.
_EVERYONE = (Matcher("firedamp_none", Op.EQUAL, ""),)


class Answer(Protocol):
    """What a source answered: `data.result`, its warnings, and how long it took."""

    @property
    def result(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def warnings(self) -> Sequence[str]: ...
    @property
    def seconds(self) -> float: ...


class Asked(Protocol):
    """A synchronous metric source."""

    def query(self, promql: str, at: float) -> Answer:
        """Evaluate an instant query. Raises SourceError."""
        ...


@dataclass(frozen=True, slots=True)
class Examination:
    """All probes of a service, and all that is wrong."""

    probes: tuple[Probe, ...]
    symptoms: tuple[Symptom, ...]

    @property
    def healthy(self) -> bool:
        """Nothing is missing; something may be suspicious."""
        return all(symptom.severity != "missing" for symptom in self.symptoms)


def examine(service: Service, arms: Mapping[str, str], source: Asked, at: float) -> Examination:
    """
    Ask everything; `at` is the Unix time of every query.

    Raises:
        SourceDownError: the source does not answer.
    """
    patient = _Patient(service, arms, source, at)
    found = [patient.check(check) for check in service.checks]
    general = tuple(patient.general())
    return Examination(
        probes=tuple(probe for one in found for probe in one.probes),
        symptoms=general + tuple(symptom for one in found for symptom in one.symptoms),
    )


@dataclass(frozen=True, slots=True)
class _Patient:
    service: Service
    arms: Mapping[str, str]
    source: Asked
    at: float

    @property
    def names(self) -> Mapping[str, str]:
        return {"service": self.service.name, "namespace": self.service.namespace}

    def general(self) -> Iterator[Symptom]:
        """What is wrong with the service whatever the source says."""
        if not self.service.checks:
            yield _missing("", None, "the service has no checks", "add checks to its settings")
        problem = cohort_rules.problem(self.service.cohorts, self.arms)
        if problem:
            yield _missing("", None, problem, "name the cohorts with --canary, --main and --baseline")
        if cohort_rules.comparison_arm(self.service.cohorts.select("", "", self.arms)) is None:
            yield _missing("", None, "nothing to compare the canary with", "name --main or --baseline")

    def check(self, check: Check) -> Examination:
        selected = self.service.cohorts.select(
            self.service.namespace, self.service.name, self.arms, by_pod=check.by_pod()
        )
        asked = [
            self.probe(check, role, filled(need, self.names), arm, matchers)
            for role, need in check.needs().items()
            for arm, matchers in selected.items()
        ]
        found = tuple(probe for one in asked for probe in one.probes)
        told = tuple(symptom for one in asked for symptom in one.symptoms)
        return Examination(found, (*told, *symptoms.unlike(found), *self.unlabelled(check, selected, found)))

    def unlabelled(self, check: Check, selected: ArmMatchers, found: Sequence[Probe]) -> Iterator[Symptom]:
        """Requests that carry none of the labels that tell the cohorts apart, where there are too many."""
        counter = check.traffic()
        if counter is None or check.by_pod():
            return
        counter = named(counter, self.names)
        stray = cohort_rules.unlabelled(self.service.cohorts, self.service.name, selected, counter)
        if stray is None:
            return
        text = f"sum(increase({counter.where(*stray).promql()}[{round(_RANGE_SECONDS)}s]))"
        try:
            per_minute = 60 * self._number(text) / _RANGE_SECONDS
        except SourceRefusedError as error:
            yield _missing(check.name, None, f"the source refused: {error}", "mend the query")
            return
        yield from symptoms.unlabelled(found, per_minute, cohort_rules.told_apart_by(selected))

    def probe(self, check: Check, role: str, need: Need, arm: Arm, matchers: Matchers) -> Examination:
        blank = Probe(check.name, role, arm, promql(need, matchers))
        try:
            probe = self._filled(blank, need)
        except SourceRefusedError as error:
            told = _missing(check.name, arm, f"the source refused: {error}", "mend the query")
            return Examination((blank,), (told,))
        if probe.series:
            look, pod = self.service.window.look, self.service.cohorts.pod_label
            return Examination((probe,), tuple(symptoms.of(probe, look_seconds=look, pod_label=pod)))
        return Examination((probe,), tuple(self.absence(probe, need, matchers)))

    def _filled(self, blank: Probe, need: Need) -> Probe:
        text = blank.query
        if isinstance(need, Counted):
            text = f"{text}[{round(self._range_seconds(text))}s]"
        answer = self.source.query(text, self.at)
        elements = list(answer.result)
        probe = probes.described(blank, elements, pod_label=self.service.cohorts.pod_label, at=self.at)
        counted = isinstance(need, Counted)
        return replace(
            probe,
            # An expression's value carries the time of asking, not of its samples.
            newest_age=probe.newest_age if counted else None,
            per_minute=probes.per_minute(elements) if counted else None,
            value=None if counted else probes.middle(elements),
            warnings=tuple(answer.warnings),
            seconds=answer.seconds,
        )

    def _range_seconds(self, selector: str) -> float:
        counted = self._number(f"count({selector})")
        return (
            _RANGE_SECONDS if counted <= _MANY_SERIES else min(_RANGE_SECONDS, 4 * self.service.window.look)
        )

    def _number(self, text: str) -> float:
        elements = self.source.query(text, self.at).result
        return float(elements[0]["value"][1]) if elements else 0.0

    def absence(self, probe: Probe, need: Need, matchers: Matchers) -> Iterator[Symptom]:
        """Why a cohort brought nothing."""
        anywhere = self._number(f"count({promql(need, _EVERYONE)})") > 0
        if isinstance(need, Counted) and probe.role == "events" and self._quiet(need, matchers, anywhere):
            return  # a service without errors has no series of errors
        if anywhere:
            yield from self._cohort_empty(probe, need, matchers)
        else:
            yield self._metric_unknown(probe, need)

    def _quiet(self, need: Counted, matchers: Matchers, anywhere: bool) -> bool:
        """Such events may simply not have happened; that the cohort is missing shows with the totals."""
        bare = Counted(Selector(need.selector.metric))
        if anywhere and not self._number(f"count({promql(bare, matchers)})"):
            return False
        return all(any(self._values(bare, one)) for one in need.selector.matchers) and bool(
            self._number(f"count({promql(bare, _EVERYONE)})")
        )

    def _cohort_empty(self, probe: Probe, need: Need, matchers: Matchers) -> Iterator[Symptom]:
        for matcher in matchers:
            seen = self._values(need, matcher)
            if not any(matcher.accepts(value) for value in seen):
                yield _missing(probe.check, probe.arm, *_wrong_label(probe, matcher, seen))
                return
        text = f"no series has all of {', '.join(one.promql() for one in matchers)}"
        yield _missing(probe.check, probe.arm, text, "see whether these labels stand on the same series")

    def _values(self, need: Need, matcher: Matcher) -> list[str]:
        elements = self.source.query(
            f"group by ({matcher.label}) ({promql(need, _EVERYONE)})", self.at
        ).result
        return sorted(str(one["metric"].get(matcher.label, "")) for one in elements)

    def _metric_unknown(self, probe: Probe, need: Need) -> Symptom:
        if isinstance(need, Level):
            text = f"{need.expression.text} brings nothing for any pod"
            return _missing(probe.check, probe.arm, text, "try the expression in the source's own page")
        name = need.selector.metric
        if self._number(f"count({name})"):
            text = f"{name} exists, but not as {need.selector.promql()}"
            return _missing(probe.check, probe.arm, text, self._label_remedy(need.selector))
        text, remedy = f"no metric {name}", self._name_remedy(need)
        return _missing(probe.check, probe.arm, text, remedy)

    def _label_remedy(self, selector: Selector) -> str:
        seen = {one.label: self._values(Counted(Selector(selector.metric)), one) for one in selector.matchers}
        return "seen: " + "; ".join(f"{label} = {_listed(values)}" for label, values in seen.items())

    def _name_remedy(self, need: Counted) -> str:
        name = need.selector.metric
        if need.keep_le and (other := self._other_shape(name.removesuffix("_bucket"))):
            return other
        close = difflib.get_close_matches(name, self._names_like(name), n=3, cutoff=0.5)
        return f"did you mean {' or '.join(close)}?" if close else "see whether the service exposes it"

    def _other_shape(self, family: str) -> str | None:
        """A latency metric that is there, but not as a classic histogram."""
        if self._number(f'count({family}{{quantile!=""}})'):
            return f"{family} is a summary, whose quantiles cannot be joined over pods; expose a histogram"
        if self._number(f"count({family})"):
            return f"{family} is a native histogram or a gauge; scrape classic buckets too"
        return None

    def _names_like(self, name: str) -> list[str]:
        longest = sorted(filter(None, name.split("_")), key=len)[-2:]
        pattern = quoted(f".*({'|'.join(map(re.escape, longest))}).*")
        try:
            answer = self.source.query(f"group by (__name__) ({{__name__=~{pattern}}})", self.at)
        except SourceRefusedError:
            return []  # too many names: nothing to propose
        return [str(one["metric"].get("__name__", "")) for one in answer.result]


def _missing(check: str, arm: Arm | None, text: str, remedy: str) -> Symptom:
    return Symptom("missing", check, arm, text, remedy)


def _wrong_label(probe: Probe, matcher: Matcher, seen: Sequence[str]) -> tuple[str, str]:
    if not any(seen):
        text = f"no series carries a label {matcher.label}"
        return text, f"add {matcher.label} when scraping (relabel_configs), or name another label in cohorts"
    text = f"no series has {matcher.promql()}"
    close = difflib.get_close_matches(matcher.value, seen, n=1, cutoff=0.4)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    return text, f"values of {matcher.label} seen: {_listed(seen)}{meant}"


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(value or "(none)" for value in values[:_VALUES_SHOWN])
    return shown + (f" and {len(values) - _VALUES_SHOWN} more" if len(values) > _VALUES_SHOWN else "")
