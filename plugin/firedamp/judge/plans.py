"""
What a release's checks need to know: every query once, by check, cohort and role.

Two checks that share a counter share its query, and so do looks: what counting remembers of a query is
kept under the query itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from firedamp.checks import Check
from firedamp.cohorts import Matchers, comparison_arm
from firedamp.decision.parameters import Parameters, Tracing
from firedamp.judge import unlabelled
from firedamp.judge.unlabelled import Unlabelled
from firedamp.model import Arm, Release
from firedamp.queries import Counted, Need, Traced, filled
from firedamp.tracing import Sought
from firedamp.tracing.arms import Cohorts


@dataclass(frozen=True, slots=True)
class Query:
    """One thing to fetch: a need of one cohort, and the label that tells its pods apart."""

    need: Need
    cohort: Matchers
    pod_label: str


@dataclass(frozen=True, slots=True)
class Flows:
    """
    What a release asks of traces.

    Attributes:
        wanted: by check name.
        sought: whose traces.
        cohorts: how they are told apart.
        settle_seconds: how long a trace may grow before it is counted.
    """

    wanted: Mapping[str, Traced]
    sought: Sought
    cohorts: Cohorts
    settle_seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """
    All queries of a release.

    Attributes:
        against: the comparison arm; None where there is none.
        wanted: check name -> arm -> role -> query.
        unlabelled: check name -> requests without a version label, of checks that could have some.
        flows: what is asked of traces; None where nothing is.
    """

    against: Arm | None
    wanted: Mapping[str, Mapping[Arm, Mapping[str, Query]]]
    unlabelled: Mapping[str, Unlabelled] = field(default_factory=dict)
    flows: Flows | None = None

    @property
    def queries(self) -> tuple[Query, ...]:
        """Every distinct query once, in a stable order; the comparison arm's before the canary's."""
        each = (query for arms in self.wanted.values() for roles in arms.values() for query in roles.values())
        return tuple(dict.fromkeys(each))

    @property
    def counted(self) -> tuple[Query, ...]:
        """The queries whose counting remembers."""
        return tuple(query for query in self.queries if isinstance(query.need, Counted))

    def companions(self, query: Query) -> tuple[Query, ...]:
        """Other counters of the same check and cohort: they show when a pod was scraped."""
        found = (
            other
            for arms in self.wanted.values()
            for roles in arms.values()
            if query in roles.values()
            for other in roles.values()
            if other != query and isinstance(other.need, Counted)
        )
        return tuple(dict.fromkeys(found))

    def sibling(self, query: Query) -> Query | None:
        """The same need of the comparison arm, for a query of the canary."""
        for arms in self.wanted.values():
            other = arms.get(self.against, {}) if self.against else {}
            for role, mine in arms.get(Arm.CANARY, {}).items():
                if mine == query and role in other:
                    return other[role]
        return None


def plan(parameters: Parameters, release: Release) -> Plan:
    """Work out what every check of a release needs."""
    key, cohorts = release.key, parameters.cohorts
    own = cohorts.select(key.namespace, key.service, release.arms)
    by_pod = cohorts.select(key.namespace, key.service, release.arms, by_pod=True)
    against = comparison_arm(own)

    def queries(check: Check) -> dict[Arm, dict[str, Query]]:
        selected, label = (by_pod, "pod") if check.by_pod() else (own, cohorts.pod_label)
        arms = [Arm.CANARY] if against is None or not check.compares else [against, Arm.CANARY]
        needs = check.needs()
        return {
            arm: {role: Query(filled(need, key.names), selected[arm], label) for role, need in needs.items()}
            for arm in arms
            if arm in selected
        }

    stray = {check.name: unlabelled.wanted(check, parameters, release, own) for check in parameters.checks}
    return Plan(
        against,
        {check.name: queries(check) for check in parameters.checks},
        {name: one for name, one in stray.items() if one is not None},
        _flows(parameters, release, Cohorts(release.arms, own, by_pod, key.service)),
    )


def _flows(parameters: Parameters, release: Release, cohorts: Cohorts) -> Flows | None:
    wanted = {check.name: one for check in parameters.checks if (one := check.traced()) is not None}
    if not wanted:
        return None
    tracing = parameters.traces or Tracing()
    services = tracing.reported(release.key.service)
    roots = dict.fromkeys(one.root for one in wanted.values() if one.root is not None)
    return Flows(wanted, Sought(services, tuple(roots), release.key.namespace), cohorts, tracing.settle)
