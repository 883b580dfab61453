"""
The same releases judged by what the controllers have themselves, to compare with.

Queries, thresholds and ways of asking are those of their documentation: Argo Rollouts' first example of
background analysis (docs/features/analysis.md, 1.10.1), Flagger's two metrics (how-it-works.md, 1.44.0). Only
the side that reports requests is the destination's here, which is the one that exists. `OFTEN` asks as often
as firedamp is asked; `DOCUMENTED` as the documentation does.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from e2e import examples
from e2e.api import Document

_QUERY = """
sum(irate(
  istio_requests_total{{reporter="destination",destination_service=~"{{{{args.service-name}}}}",response_code!~"5.*"}}[{range}]
)) /
sum(irate(
  istio_requests_total{{reporter="destination",destination_service=~"{{{{args.service-name}}}}"}}[{range}]
))
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """
    How often is asked, and how long each weight lasts.

    Attributes:
        asked: between two measurements of Argo's.
        looked: how far back each of them looks.
        pause: at each of Argo's weights.
        interval: of Flagger's steps and metrics.
        weights: Flagger's step and its last one.
    """

    asked: str
    looked: str
    pause: str
    interval: str
    weights: tuple[int, int]


OFTEN = Pace(asked="10s", looked="1m", pause="20s", interval="10s", weights=(20, 60))
DOCUMENTED = Pace(asked="5m", looked="5m", pause="10m", interval="1m", weights=(5, 50))


def rollout(documents: Sequence[Document], pace: Pace) -> list[Document]:
    """The same Rollout, judged by the success rate of the whole service as the documentation has it."""
    made = deepcopy(list(documents))
    released = examples.workload(made)
    about = released["metadata"]
    name = f"{about['name']}.{about['namespace']}.svc.cluster.local"
    canary = released["spec"]["strategy"]["canary"]
    canary["analysis"] = {
        "templates": [{"templateName": "success-rate"}],
        "startingStep": 2,
        "args": [{"name": "service-name", "value": name}],
    }
    weights = [[{"setWeight": weight}, {"pause": {"duration": pace.pause}}] for weight in (20, 40, 60, 80)]
    canary["steps"] = [step for both in weights for step in both]
    return [_template(about["namespace"], pace), *made]


def canary(documents: Sequence[Document], pace: Pace) -> list[Document]:
    """The same Canary, judged by Flagger's own metrics."""
    made = deepcopy(list(documents))
    for one in made:
        if one["kind"] == "Canary":
            step, most = pace.weights
            limits = {"request-success-rate": {"min": 99}, "request-duration": {"max": 500}}
            one["spec"]["analysis"] = {
                "interval": pace.interval,
                "threshold": 10,
                "maxWeight": most,
                "stepWeight": step,
                "metrics": [_metric(name, limit, pace) for name, limit in limits.items()],
            }
    return made


def _metric(name: str, limit: Mapping[str, int], pace: Pace) -> dict[str, Any]:
    return {"name": name, "thresholdRange": limit, "interval": pace.interval}


def _template(namespace: str, pace: Pace) -> Document:
    metric = {
        "name": "success-rate",
        "interval": pace.asked,
        "successCondition": "result[0] >= 0.95",
        "failureLimit": 3,
        "provider": {
            "prometheus": {"address": examples.PROMETHEUS, "query": _QUERY.format(range=pace.looked)}
        },
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "success-rate", "namespace": namespace},
        "spec": {"args": [{"name": "service-name"}], "metrics": [metric]},
    }
