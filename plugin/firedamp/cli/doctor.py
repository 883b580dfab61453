"""
`firedamp doctor SERVICE`: what comes back for every query of a service, and what to mend.

Plain and synchronous: it runs beside the service, on a person's machine, against the same source.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from firedamp.cli import options
from firedamp.cli.exits import Ended, Exit
from firedamp.cli.options import Shape

if TYPE_CHECKING:
    from rich.table import Table

    from firedamp.cli.examination import Asked, Examination
    from firedamp.cli.probes import Probe
    from firedamp.cli.symptoms import Symptom
    from firedamp.config import Service, Settings


def doctor(
    service: Annotated[str, typer.Argument(help="Service to examine.")],
    namespace: options.Namespace = "default",
    canary: options.Canary = "",
    baseline: options.Baseline = "",
    main: options.Main = "",
    config: options.Config = None,
    output: Annotated[Shape, typer.Option(help="Table or JSON.")] = Shape.TEXT,
) -> None:
    """
    Ask every query of a service for each cohort: what is there, what is missing, how to mend it.

    Exit code 0 when nothing is missing, 1 when something is, 4 when the source does not answer.
    """
    from firedamp.cli.examination import examine

    settings = options.settings(config)
    patient = options.service(settings, namespace, service)
    found = examine(patient, options.arms(canary, baseline, main), source_of(settings, patient), time.time())
    if output is Shape.JSON:
        typer.echo(as_json(patient, found))
    else:
        show(patient, found)
    raise Ended(Exit.PASS if found.healthy else Exit.FAIL)


def source_of(settings: "Settings", service: "Service") -> "Asked":
    """
    The service's source, to be asked synchronously.

    Raises:
        ConfigError: it has none, or one that is no Prometheus.
    """
    from firedamp.errors import ConfigError
    from firedamp.sources.prometheus import PrometheusSettings
    from firedamp.sources.sync import SyncPrometheus

    named = [one for one in settings.metrics if service.source in (None, one.name)]
    if not named:
        raise ConfigError(
            "there is no source in the settings; add sources: [{name: main, kind: prometheus, ...}]"
        )
    if not isinstance(named[0], PrometheusSettings):
        raise ConfigError(f"source {named[0].name!r} is no Prometheus; doctor can ask only those")
    return SyncPrometheus(named[0])


def as_json(service: "Service", found: "Examination") -> str:
    """The whole examination as one JSON object."""
    report = {
        "service": f"{service.namespace}/{service.name}",
        "healthy": found.healthy,
        "symptoms": [asdict(symptom) for symptom in found.symptoms],
        "queries": [asdict(probe) for probe in found.probes],
    }
    return json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)


def show(service: "Service", found: "Examination") -> None:
    """Print tables a person reads, on the terminal or into a file."""
    from rich.console import Console

    console = Console(width=None if _terminal() else 160)
    for check in dict.fromkeys(probe.check for probe in found.probes):
        console.print(_table(check, [probe for probe in found.probes if probe.check == check]))
    for line in remarks(found.symptoms):
        console.print(line, markup=False, highlight=False)
    closing = "nothing is missing" if found.healthy else "something is missing"
    console.print(f"{service.namespace}/{service.name}: {closing}", markup=False, highlight=False)


def _terminal() -> bool:
    import sys

    return sys.stdout.isatty()


def _table(check: str, probes: Sequence["Probe"]) -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table("cohort", title=check, title_justify="left")
    table.add_column("query, and the labels that came back", overflow="fold")
    for heading in ("series", "pods", "samples", "age", "scrape", "per min", "value", "ms"):
        table.add_column(heading, justify="right")
    for probe in probes:
        labels = f"\n[dim]{escape(', '.join(probe.labels))}[/dim]" if probe.labels else ""
        table.add_row(probe.arm, escape(probe.query) + labels, *numbers(probe))
    return table


def numbers(probe: "Probe") -> Iterator[str]:
    """A probe's row: what a person compares with their dashboards."""
    from firedamp import words
    from firedamp.units import spoken_duration

    yield str(probe.series)
    yield str(probe.pods)
    yield str(probe.samples)
    yield "" if probe.newest_age is None else spoken_duration(probe.newest_age)
    yield "" if probe.interval is None else spoken_duration(probe.interval)
    yield "" if probe.per_minute is None else words.significant(probe.per_minute, 3)
    yield "" if probe.value is None else words.significant(probe.value, 3)
    yield f"{1000 * probe.seconds:.0f}"


def remarks(symptoms: Sequence["Symptom"]) -> Iterator[str]:
    """One remark per fault; the checks that share it stand together."""
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for one in symptoms:
        key = (one.severity, str(one.arm or "all"), one.text, one.remedy)
        alike.setdefault(key, []).append(one.check)
    for (severity, arm, text, remedy), checks in sorted(alike.items()):
        about = " ".join(filter(None, (", ".join(dict.fromkeys(filter(None, checks))), arm)))
        mark = "✗" if severity == "missing" else "!"
        yield f"{mark} {about}: {text}\n    {remedy}"
