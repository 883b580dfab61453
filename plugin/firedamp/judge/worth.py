"""What a service's verdicts and checks were worth, by the labels that people gave its releases."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from firedamp.decision import worth
from firedamp.decision.worth import Worth
from firedamp.model import Judged, Outcome
from firedamp.ports import Store

#: So many labels tell of verdicts, the last ones.
MOST = 200
#: So many of them tell of checks: each costs the reading of a look.
_LOOKS = 20


@dataclass(frozen=True, slots=True)
class Record:
    """
    What labels tell of a service.

    Attributes:
        verdicts: firedamp's own.
        checks: of each check that judged a labelled release; only the last labels tell of them.
    """

    verdicts: Worth = field(default_factory=Worth)
    checks: Mapping[str, Worth] = field(default_factory=dict)


async def record(store: Store, namespace: str, service: str) -> Record:
    """
    What people's labels tell of a service's verdicts and of its checks.

    A check failed a release where it failed at its last look; one that was still waiting did not.
    """
    labels = await store.judged(namespace, service, limit=MOST)
    cases: dict[str, list[tuple[bool, Judged]]] = defaultdict(list)
    looks = await store.last_looks([label.release_id for label in labels[:_LOOKS]])
    for label in labels[:_LOOKS]:
        look = looks.get(label.release_id)
        for finding in look.findings if look else ():
            cases[finding.check].append((finding.outcome is Outcome.FAIL, label.word))
    return Record(
        verdicts=worth.of_verdicts(label.word for label in labels),
        checks={check: worth.of_check(each) for check, each in cases.items()},
    )
