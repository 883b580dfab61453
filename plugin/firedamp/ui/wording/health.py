"""How firedamp is doing, in words."""

from collections.abc import Iterator, Mapping

from firedamp import words
from firedamp.ports import Ailment, SourceState, WorkState
from firedamp.ports import Health as Found
from firedamp.ui.pages.health import Health, SourceRow, WorkRow, Wrong
from firedamp.ui.pages.shell import Mark, Shell
from firedamp.ui.wording.times import lasting

_WELL, _AILING, _ILL = (
    Mark("pass", "✓", "well"),
    Mark("warn", "!", "look here"),
    Mark("fail", "✗", "in trouble"),
)
_ANSWERS, _SILENT, _UNASKED = (
    Mark("pass", "✓", "answers"),
    Mark("fail", "✗", "silent"),
    Mark("open", "…", "not asked yet"),
)
_DONE, _FAILED, _IDLE = (
    Mark("pass", "✓", "done"),
    Mark("warn", "!", "failed"),
    Mark("open", "…", "nothing to do yet"),
)
_WORK: Mapping[str, str] = {
    "learning": "Learning noise from the past",
    "snapshot": "Snapshots of running releases",
    "flows": "Looking for flows",
    "preview": "Previews of tuned settings",
    "prune": "Forgetting old releases",
    "kubernetes_events": "Events on Rollouts and Canaries",
    "endings": "Closing releases whose end nobody reported",
}
_INTAKE: Mapping[str, str] = {
    "traces": "Traces remembered right now",
    "spans": "Spans remembered right now",
    "taken": "Spans taken since the start",
    "nameless": "Spans refused for broken ids",
    "elsewhen": "Roots refused for wrong clocks",
    "forgotten": "Traces that made room for newer ones",
    "cut": "Spans that their trace had no room for",
}


def page(shell: Shell, found: Found) -> Health:
    """The whole page."""
    grave = any(one.grave for one in found.wrong)
    return Health(
        shell=shell,
        mark=_ILL if grave else _AILING if found.wrong else _WELL,
        sentence=_sentence(found),
        wrong=tuple(_wrong(one) for one in found.wrong),
        sources=tuple(_source(one) for one in found.sources),
        work=tuple(_work(one) for one in found.work),
        facts=tuple(_facts(found)),
        intake=tuple((_INTAKE.get(name, name), words.count(number)) for name, number in found.intake),
    )


def _sentence(found: Found) -> str:
    if not found.wrong:
        return "Nothing is wrong that this replica knows of."
    return f"{words.plural(len(found.wrong), 'thing')} to look at."


def _wrong(one: Ailment) -> Wrong:
    return Wrong(_ILL if one.grave else _AILING, one.what, one.remedy)


def _source(one: SourceState) -> SourceRow:
    mark = _UNASKED if one.good is None else _ANSWERS if one.good else _SILENT
    return SourceRow(one.name, one.kind, mark, _ago(one.answered), _ago(one.failed, one.why))


def _work(one: WorkState) -> WorkRow:
    mark = _IDLE if one.good is None else _DONE if one.good else _FAILED
    return WorkRow(_WORK.get(one.name, one.name), mark, _ago(one.done), _ago(one.failed, one.why))


def _ago(seconds: float | None, why: str = "") -> str:
    if seconds is None:
        return "never"
    return f"{lasting(seconds)} ago" + (f" ({why})" if why else "")


def _facts(found: Found) -> Iterator[tuple[str, str]]:
    yield "Version", f"firedamp {found.version}"
    yield "This replica", f"up for {lasting(found.up_seconds)}"
    yield "Store", f"{found.store}: {found.trouble or 'answers, schema as needed'}"
    if found.running is not None and found.snapshots is not None:
        yield "Releases under judgement", words.count(found.running)
        yield "Snapshots", f"{words.count(found.snapshots)}: a restart goes on from there"
    yield "Questions being answered", words.count(found.open_questions)
    yield "Questions put off", words.count(found.put_off)
    yield "Exceptions nobody had foreseen", words.count(found.surprises)
