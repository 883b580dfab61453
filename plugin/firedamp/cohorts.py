"""
Which pods are baseline, main and canary, as matchers.

A preset knows how a controller names its pods; the caller brings only values (a pod-template hash, a
version), which are escaped whole, so that a hostile value can match nothing but itself.

    preset            canary                     baseline                  main
    argo              hash `Latest`              –                         hash `Stable`
    argo-experiment   hash of canary template    hash of baseline template hash `Stable`
    flagger           workload `<name>`          –                         workload `<name>-primary`
    istio, labels     as written                 as written, optional      as written

Metrics that carry no such label (kube-state-metrics, cAdvisor) are told apart by the pod's name.

A request may carry none of the labels that tell the cohorts apart, and is then in none of them. Whose it is
has to be known before it can be held against a service: many have the same metrics in the same namespace.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from firedamp.model import Arm
from firedamp.queries import Matcher, Op, Selector, literal, matchers

Matchers = tuple[Matcher, ...]
ArmMatchers = Mapping[Arm, Matchers]
PLACEHOLDERS = ("canary", "baseline", "main")
_PLACEHOLDER = re.compile(r"\$(canary|baseline|main)\b")

# Template hashes and what ReplicaSets append are written in these, the former of five to ten.
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
# Pods of an experiment: <rollout>-<hash>-<revision>-<step>-<template>-<5>, with a number before the template
# where the Rollout is tried once more (Argo Rollouts, rollout/experiment.go:254).
_EXPERIMENT = "(-[0-9]+){2,3}"
# ReplicaSets append "-<hash>-<5>", DaemonSets and StatefulSets "-<5>" or "-<ordinal>".
_REPLICA_POD = "-[0-9a-z]+-[0-9a-z]+"
_DAEMON_POD = "-[0-9a-z]+"


class _Cohorts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: Label that tells pods apart in the service's own metrics.
    pod_label: str = "pod"
    #: Label of the namespace; null where the metrics have none.
    namespace_label: str | None = "namespace"

    def _within(self, namespace: str, *own: Matcher, by_pod: bool) -> Matchers:
        # kube-state-metrics and cAdvisor call it namespace, whatever the service's own metrics do.
        label = "namespace" if by_pod else self.namespace_label
        return own if label is None else (Matcher(label, Op.EQUAL, namespace), *own)


class ArgoCohorts(_Cohorts):
    """Argo Rollouts: by pod-template hash, as a label or inside the pod's name."""

    preset: Literal["argo", "argo-experiment"] = "argo"
    by: Literal["label", "pod"] = "label"
    #: Label that carries the pod-template hash.
    label: str = "rollouts_pod_template_hash"
    #: Name of the Rollout where it differs from the service.
    workload: str | None = None
    #: Names of the experiment's templates, to tell its pods apart by name.
    canary_template: str = "canary"
    baseline_template: str = "baseline"

    def select(
        self, namespace: str, service: str, arms: Mapping[str, str], *, by_pod: bool = False
    ) -> ArmMatchers:
        found = {}
        for arm in _named(arms):
            if by_pod or self.by == "pod":
                own = Matcher("pod" if by_pod else self.pod_label, Op.MATCH, self._pod(service, arm, arms))
            else:
                own = Matcher(self.label, Op.EQUAL, arms[arm])
            found[arm] = self._within(namespace, own, by_pod=by_pod)
        return found

    def _pod(self, service: str, arm: Arm, arms: Mapping[str, str]) -> str:
        rollout = literal(self.workload or service)
        if arms.get(Arm.BASELINE) and arm is not Arm.MAIN:
            template = self.canary_template if arm is Arm.CANARY else self.baseline_template
            return f"{rollout}-[0-9a-z]+{_EXPERIMENT}-{literal(template)}-[0-9a-z]+"
        return f"{rollout}-{literal(arms[arm])}-[0-9a-z]+"

    def pods(self, service: str) -> Matchers:
        """All pods of the Rollout, whatever their version."""
        experiment = f"{_EXPERIMENT}-({literal(self.canary_template)}|{literal(self.baseline_template)})"
        name = f"{literal(self.workload or service)}-{_SAFE}{{5,10}}({experiment})?-{_SAFE}{{5}}"
        return (Matcher(self.pod_label, Op.MATCH, name),)


class FlaggerCohorts(_Cohorts):
    """Flagger: the canary is `<name>`, the old version `<name>-primary`."""

    preset: Literal["flagger"] = "flagger"
    by: Literal["pod", "workload"] = "pod"
    #: Label that carries the workload's name where `by` is workload.
    label: str = "destination_workload"
    kind: Literal["Deployment", "DaemonSet"] = "Deployment"
    #: Name of the target where it differs from the service.
    workload: str | None = None

    def select(
        self, namespace: str, service: str, arms: Mapping[str, str], *, by_pod: bool = False
    ) -> ArmMatchers:
        name = self.workload or service
        if self.by == "workload" and not by_pod:
            canary: Matchers = (Matcher(self.label, Op.EQUAL, name),)
            main: Matchers = (Matcher(self.label, Op.EQUAL, f"{name}-primary"),)
        else:
            canary, main = self._by_pod(name, "pod" if by_pod else self.pod_label)
        written = {Arm.CANARY: canary, Arm.MAIN: main}
        return {arm: self._within(namespace, *own, by_pod=by_pod) for arm, own in written.items()}

    def _by_pod(self, name: str, label: str) -> tuple[Matchers, Matchers]:
        tail = _REPLICA_POD if self.kind == "Deployment" else _DAEMON_POD
        primary = Matcher(label, Op.MATCH, f"{literal(name)}-primary{tail}")
        # `x-primary-abcde`, a pod of the primary DaemonSet, also looks like a pod of Deployment x.
        shadow = Matcher(label, Op.NOT_MATCH, f"{literal(name)}-primary-.*")
        return (Matcher(label, Op.MATCH, f"{literal(name)}{tail}"), shadow), (primary,)


class LabelCohorts(_Cohorts):
    """Istio workloads and revisions, version labels, anything else: matchers as written."""

    preset: Literal["istio", "labels"] = "labels"
    #: Matchers, for example version="$canary"; $canary, $baseline, $main stand for the caller's value.
    canary: str
    main: str | None = None
    baseline: str | None = None
    #: The same for metrics that know pods only, for example pod=~"checkout-$canary-.*".
    canary_pods: str | None = None
    main_pods: str | None = None
    baseline_pods: str | None = None

    @field_validator("canary", "main", "baseline", "canary_pods", "main_pods", "baseline_pods")
    @classmethod
    def _readable(cls, text: str | None) -> str | None:
        if text is not None and not matchers(text):
            raise ValueError('needs at least one matcher, like version="$canary"')
        return text

    @model_validator(mode="before")
    @classmethod
    def _as_istio_calls_it(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("preset") == "istio":
            return {"namespace_label": "destination_workload_namespace", **data}
        return data

    @model_validator(mode="after")
    def _comparable(self) -> "LabelCohorts":
        if self.main is None and self.baseline is None:
            raise ValueError("needs matchers for main or baseline to compare the canary with")
        return self

    def select(
        self, namespace: str, service: str, arms: Mapping[str, str], *, by_pod: bool = False
    ) -> ArmMatchers:
        del service  # written by hand
        found = {}
        for arm, (written, pods) in self._written().items():
            told_by_pod = by_pod and pods is not None
            known = pods if told_by_pod else written
            if known is not None:
                own = (_filled(one, arms) for one in matchers(known))
                found[arm] = self._within(namespace, *own, by_pod=told_by_pod)
        return found

    def _written(self) -> Mapping[Arm, tuple[str | None, str | None]]:
        return {
            Arm.BASELINE: (self.baseline, self.baseline_pods),
            Arm.MAIN: (self.main, self.main_pods),
            Arm.CANARY: (self.canary, self.canary_pods),
        }


Cohorts = Annotated[ArgoCohorts | FlaggerCohorts | LabelCohorts, Field(discriminator="preset")]


def comparison_arm(selected: ArmMatchers) -> Arm | None:
    """Canary is compared with baseline where there is one, else with main; None without either."""
    return next((arm for arm in (Arm.BASELINE, Arm.MAIN) if arm in selected), None)


def told_apart_by(selected: ArmMatchers) -> tuple[str, ...]:
    """Labels whose matchers are not the same in all cohorts."""
    arms = list(selected.values())
    own = (one.label for arm in arms for one in arm if not all(one in other for other in arms))
    return tuple(dict.fromkeys(own))


def labels(cohorts: Cohorts) -> tuple[str, ...]:
    """Labels by which cohorts are told apart, whatever their values."""
    return told_apart_by(cohorts.select("", "", {name: name for name in PLACEHOLDERS}))


def unlabelled(cohorts: Cohorts, service: str, selected: ArmMatchers, counter: Selector) -> Matchers | None:
    """
    Matchers of a service's requests that carry none of the labels by which the cohorts are told apart.

    None where there are none, or nothing says that they are this service's: cohorts are told apart by pod,
    or one of them takes requests without the label; or neither the counter nor what all cohorts have in
    common names the service, and how its pods are named is not known.

    Args:
        cohorts: as configured.
        service: its name, as controllers call it.
        selected: matchers of its cohorts.
        counter: of requests.
    """
    own, arms = told_apart_by(selected), list(selected.values())
    if not own or not {cohorts.pod_label, "pod"}.isdisjoint(own):
        return None
    shared = tuple(one for one in arms[0] if all(one in other for other in arms))
    common = (*counter.matchers, *shared)
    if any(_allows_none(arm, own) for arm in arms) or not _allows_none(common, own):
        return None
    whose = () if _is_named(cohorts, service, common) else _pods(cohorts, service)
    return None if whose is None else (*shared, *whose, *map(_none, own))


def _none(label: str) -> Matcher:
    # Istio never leaves a label of its own out.
    own = label.startswith("destination_")
    return Matcher(label, Op.MATCH, "|unknown") if own else Matcher(label, Op.EQUAL, "")


def _allows_none(matchers: Matchers, own: tuple[str, ...]) -> bool:
    """Whether series without any of these labels are meant too."""
    try:
        return all(one.accepts("") for one in matchers if one.label in own)
    except re.error:
        return True  # RE2 knows more than Python


def _is_named(cohorts: Cohorts, service: str, matchers: Matchers) -> bool:
    known = (service, None if isinstance(cohorts, LabelCohorts) else cohorts.workload)
    names = "|".join(re.escape(written) for one in known if one for written in (one, literal(one)))
    alone = re.compile(rf"(?<![0-9a-zA-Z-])({names})(?![0-9a-zA-Z-])")
    # A namespace may be called like one of its services, and a path like any of them.
    return any(
        alone.search(one.value) is not None
        for one in matchers
        if one.op in (Op.EQUAL, Op.MATCH)
        and one.label not in ("namespace", cohorts.namespace_label)
        and not one.value.startswith("/")
    )


def _pods(cohorts: Cohorts, service: str) -> Matchers | None:
    return cohorts.pods(service) if isinstance(cohorts, ArgoCohorts) else None


def problem(cohorts: Cohorts, arms: Mapping[str, str]) -> str | None:
    """Say why these values cannot tell the cohorts apart; None when they can."""
    needed = _needed(cohorts, arms)
    missing = [name for name in needed if not arms.get(name)]
    if missing:
        return f"{' and '.join(missing)} empty: pass the cohort's name with the question"
    values = [arms[name] for name in PLACEHOLDERS if arms.get(name)]
    if len(set(values)) < len(values):
        return f"the cohorts have the same value {values[0]!r}: comparing a version with itself says nothing"
    return None


def _needed(cohorts: Cohorts, arms: Mapping[str, str]) -> list[str]:
    match cohorts:
        case ArgoCohorts():
            experiment = cohorts.preset == "argo-experiment" or arms.get("baseline")
            return ["canary", "baseline" if experiment else "main"]
        case FlaggerCohorts():
            return []
        case LabelCohorts():
            written = " ".join(filter(None, (cohorts.canary, cohorts.baseline, cohorts.main)))
            return [name for name in PLACEHOLDERS if f"${name}" in written]


def _named(arms: Mapping[str, str]) -> list[Arm]:
    return [arm for arm in Arm if arms.get(arm)]


def _filled(matcher: Matcher, arms: Mapping[str, str]) -> Matcher:
    write = literal if matcher.op in (Op.MATCH, Op.NOT_MATCH) else str
    return replace(matcher, value=_PLACEHOLDER.sub(lambda hit: write(arms.get(hit[1], "")), matcher.value))
