"""
What the shop released in the days before the story: a dozen canaries of every fate, for the pages to show.

Only what the versions did and what people said stands here. What firedamp found it finds itself, when
`looking_back` has it judge the metrics that `earlier` makes of this.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from firedamp.demo import story
from firedamp.demo.story import Deployment
from firedamp.model import Controller, Judged, Ruled

#: Minutes for which the old version was recorded before a canary came.
BEFORE_MINUTES = 5


@dataclass(frozen=True, slots=True)
class Version:
    """
    How the pods of a version behave.

    Attributes:
        errors: share of its requests that fail.
        slowness: factor on its latency.
        memory: factor on what it holds in memory.
        leak: mebibytes that a pod loses in a minute.
        unread: share of its orders that the warehouse cannot read.
        worst: share of failing requests of its first pod, where that is another one.
    """

    errors: float = story.ERRORS
    slowness: float = 1.0
    memory: float = 1.0
    leak: float = 0.0
    unread: float = story.UNREAD
    worst: float | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a person made of a warning, as soon as there was one after so many minutes."""

    minute: float
    check: str
    word: Ruled
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A person's hold for the service, from a minute of the release on."""

    minute: float
    lasts_minutes: float
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said afterwards of the verdict."""

    word: Judged
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Episode:
    """
    One release of the days before.

    Attributes:
        hours: how long before the end of the story its canary came.
        minutes: how long its controller asks at most.
        steps: (minutes after its start, canary's share of traffic), ascending.
        unseen: minutes between which the canary's first pod was not scraped.
        end: what its controller reports where no verdict ends it; "" where it still runs.
    """

    of: Deployment
    revision: str
    controller: Controller
    hours: float
    canary: Version = Version()
    main: Version = Version()
    minutes: float = 12.0
    steps: tuple[tuple[float, float], ...] = ((0.0, 0.2), (3.0, 0.5))
    pods: int = 2
    unseen: tuple[float, float] | None = None
    ruling: Ruling | None = None
    hold: Hold | None = None
    end: str = ""
    label: Label | None = None


_LONG = "recommendations-for-returning-customers-of-the-european-storefront"


def _cart(stable: str) -> Deployment:
    return Deployment("cart", stable, traffic=150.0)


def _search(stable: str) -> Deployment:
    return Deployment("search", stable, traffic=200.0)


def _payments(stable: str) -> Deployment:
    return Deployment("payments", f"primary-{stable}", namespace="pay", traffic=160.0)


_CHECKOUT = Deployment("checkout", "66cd8f7b59")
EPISODES = (
    Episode(
        _cart("59d8c6bb7f"),
        "6b7d9c5f48",
        Controller.ARGO,
        hours=77.6,
        label=Label(Judged.TRUE_NEGATIVE, "anna", ""),
    ),
    Episode(
        _payments("7f6d5c9b84"),
        "5c9f8d7b66",
        Controller.FLAGGER,
        hours=74.2,
        canary=Version(errors=0.034),
        label=Label(Judged.TRUE_POSITIVE, "jonas", "card numbers with spaces were refused"),
    ),
    Episode(
        _search("b6f7d8c9"),
        "d5c4b7f8",
        Controller.ARGO,
        hours=53.1,
        canary=Version(slowness=1.6),
        label=Label(Judged.TRUE_POSITIVE, "mei", "the new ranking reads every shard twice"),
    ),
    Episode(
        _cart("6b7d9c5f48"),
        "74c8f9d6b5",
        Controller.ARGO,
        hours=50.4,
        canary=Version(memory=1.6),
        ruling=Ruling(4, "memory", Ruled.FALSE_ALARM, "anna", "its cache is half as large again on purpose"),
        label=Label(Judged.TRUE_NEGATIVE, "anna", ""),
    ),
    Episode(
        Deployment("newsletter", "v113", traffic=1.2),
        "v114",
        Controller.CI,
        hours=46.9,
        canary=Version(errors=0.012),
    ),
    Episode(
        _CHECKOUT,
        "69b5f7d8cc",
        Controller.ARGO,
        hours=29.3,
        canary=Version(worst=0.16),
        minutes=9.0,
        pods=3,
        end="aborted: the node of one pod had a broken disk",
        label=Label(Judged.TRUE_NEGATIVE, "mei", "same image passed on other nodes an hour later"),
    ),
    Episode(
        _CHECKOUT,
        story.STABLE,
        Controller.ARGO,
        hours=27.8,
        minutes=20.0,
        label=Label(Judged.FALSE_NEGATIVE, "jonas", "refunds failed from noon on; no check counts them"),
    ),
    Episode(
        _payments("7f6d5c9b84"),
        "8b6c7d9f54",
        Controller.FLAGGER,
        hours=25.5,
        main=Version(errors=0.31),
        canary=Version(errors=0.30),
        end="aborted: the bank was down",
    ),
    Episode(
        _search("b6f7d8c9"),
        "f9d7c8b5",
        Controller.ARGO,
        hours=22.2,
        unseen=(2.0, 5.5),
        label=Label(Judged.TRUE_NEGATIVE, "mei", ""),
    ),
    Episode(
        Deployment(_LONG, "2026.47.0", traffic=150.0),
        "2026.47.1-rc.3_feature-show-what-others-bought-without-asking-the-warehouse-twice_5f0c9d7e41ab",
        Controller.CI,
        hours=20.6,
    ),
    Episode(
        _search("f9d7c8b5"),
        "c8b9f5d7",
        Controller.ARGO,
        hours=6.3,
        canary=Version(errors=0.022),
        label=Label(Judged.FALSE_POSITIVE, "mei", "a crawler with a broken cookie was pinned to the canary"),
    ),
    Episode(
        _cart("74c8f9d6b5"),
        "86d9b7c5f4",
        Controller.ARGO,
        hours=5.2,
        canary=Version(memory=1.3, leak=14.0),
        ruling=Ruling(5, "memory", Ruled.REAL, "anna", "it grows by 14 MiB a minute and never gives back"),
        label=Label(Judged.TRUE_POSITIVE, "anna", ""),
    ),
    Episode(
        Deployment("orders", "59c8d7b6f4"),
        "7b8c6f9d5c",
        Controller.ARGO,
        hours=3.4,
        canary=Version(errors=0.002, slowness=0.85, unread=0.2),
        label=Label(Judged.TRUE_POSITIVE, "jonas", "a new field that the warehouse does not know"),
    ),
    Episode(
        _payments("7f6d5c9b84"),
        "9d8f6b7c54",
        Controller.FLAGGER,
        hours=0.25,
        minutes=15.0,
        hold=Hold(6, 240, "jonas", "the sale runs until noon; nothing new before"),
    ),
)


def services() -> Iterator[dict[str, Any]]:
    """Settings of the services that the story itself has not."""
    yield _service("cart", checks=[story.ERRORS_CHECK, story.LATENCY_CHECK, story.MEMORY_CHECK, _LEAK])
    yield _service(
        "payments",
        namespace="pay",
        cohorts={"preset": "flagger"},
        checks=[story.ERRORS_CHECK, story.LATENCY_CHECK, story.RESTARTS_CHECK],
    )
    yield _service("search", checks=[story.ERRORS_CHECK, story.LATENCY_CHECK])
    yield _service("newsletter", policy={"window_over": "pass"}, checks=[story.ERRORS_CHECK])
    yield _service(_LONG, checks=[story.ERRORS_CHECK, story.LATENCY_CHECK])


def _service(name: str, **more: object) -> dict[str, Any]:
    window = story.WINDOW | {"promote_after": "8m", "decide_by": "11m"}
    usual = {"namespace": story.NAMESPACE, "cohorts": {"preset": "argo"}, "window": window}
    return {"name": name, **usual, **more}


_LEAK = {
    "name": "leak",
    "kind": "trend",
    "query": "container_memory_working_set_bytes{$cohort}",
    "unit": "bytes",
    "over": "30m",
    # Caches fill in the first minutes.
    "tolerance": "100%",
}
