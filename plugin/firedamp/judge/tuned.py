"""
Services as people tuned them: the newest override on top of what the settings say.

A release is judged by what is in force when it begins; those that run keep what they began with. An override
that no longer fits the settings, since a check it names is gone, counts for nothing: the settings alone do,
and that is logged with every release and told by `misfits`.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from firedamp.decision import tuning
from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning import Change
from firedamp.errors import AskError, ConflictError, NotFoundError, UnsuitedError
from firedamp.judge.previews import USUAL, Preview, Previews
from firedamp.ports import Override, Store
from firedamp.telemetry import Work, working

_LOG = structlog.get_logger()
_MOST_CHARACTERS = 2000

#: How a service is judged by the settings alone; None for one that they do not know.
Written = Callable[[str, str], Parameters | None]


@dataclass(frozen=True, slots=True)
class Tuned:
    """
    How a service is judged now.

    Attributes:
        written: by the settings alone.
        parameters: in force.
        override: the newest one; None where nobody ever tuned.
        misfit: why it is not followed; empty where it is.
    """

    written: Parameters
    parameters: Parameters
    override: Override | None = None
    misfit: str = ""

    @property
    def version(self) -> int:
        """Of the override; 0 before the first one."""
        return self.override.version if self.override else 0

    @property
    def change(self) -> Change:
        """What is other than in the settings, as far as it can be tuned."""
        return tuning.between(self.written, self.parameters)

    def difference(self, change: Change) -> tuple[str, ...]:
        """
        What a change of the settings makes other than it is now, in words.

        Raises:
            UnsuitedError: the change does not fit the settings.
        """
        return tuning.difference(self.parameters, change.applied(self.written))


@dataclass(frozen=True, slots=True)
class Misfit:
    """An override that is not followed, and why."""

    override: Override
    why: str

    def __str__(self) -> str:
        one = self.override
        return (
            f"version {one.version} of {one.namespace}/{one.service}'s tuned settings is not followed, the "
            f"settings alone are: {self.why}"
        )


def tuned(written: Parameters, override: Override | None) -> Tuned:
    """The settings of a service with an override on top."""
    try:
        change = body(override)
        return Tuned(written, change.applied(written), override)
    except ValueError:
        return Tuned(written, written, override, "another version of firedamp wrote it")
    except AskError as error:
        return Tuned(written, written, override, str(error))


def body(override: Override | None) -> Change:
    """
    The change that an override makes; an empty one where there is none.

    Raises:
        ValueError: another version wrote what this one cannot read.
    """
    return tuning.from_json(override.body) if override and override.body else Change()


async def in_force(store: Store, namespace: str, service: str, written: Parameters) -> Tuned:
    """How a release that begins now is judged."""
    found = tuned(written, await store.override(namespace, service))
    if found.misfit and found.override is not None:
        _LOG.warning("override_misfit", service=f"{namespace}/{service}", error=found.misfit)
    return found


async def misfits(store: Store, written: Written, services: Iterable[tuple[str, str]]) -> list[Misfit]:
    """The overrides of these services (namespace, name) that are not followed, for who looks after it all."""
    found = []
    for namespace, service in services:
        parameters, override = written(namespace, service), await store.override(namespace, service)
        if parameters is not None and override is not None and (why := tuned(parameters, override).misfit):
            found.append(Misfit(override, why))
    return found


@dataclass(frozen=True, slots=True)
class History:
    """A service as it is judged now, and every version of what people tuned of it, newest first."""

    now: Tuned
    versions: Sequence[Override]

    def since(self, holds: Callable[[Parameters], bool]) -> Override | None:
        """The first of the versions, without a gap to the newest, with which this holds."""
        found = None
        for one in self.versions:
            past = tuned(self.now.written, one)
            if past.misfit or not holds(past.parameters):
                break
            found = one
        return found


def history(written: Parameters, versions: Sequence[Override]) -> History:
    """The versions of a service on top of its settings; there may be none."""
    return History(tuned(written, versions[0] if versions else None), versions)


class Tuning:
    """What people do with the parameters of services; all of them share one maker of previews."""

    def __init__(self, store: Store, written: Written, previews: Previews | None = None) -> None:
        self._store = store
        self._written = written
        self._previews = previews or Previews(store)

    async def now(self, namespace: str, service: str) -> Tuned:
        """
        How a service is judged now.

        Raises:
            NotFoundError: the settings do not know it.
        """
        return tuned(self._set_up(namespace, service), await self._store.override(namespace, service))

    async def versions(self, namespace: str, service: str) -> History:
        """
        How a service is judged now, with every version of what people tuned.

        Raises:
            NotFoundError: the settings do not know it.
        """
        return history(self._set_up(namespace, service), await self._store.overrides(namespace, service))

    def _set_up(self, namespace: str, service: str) -> Parameters:
        written = self._written(namespace, service)
        if written is None:
            raise NotFoundError(
                f"{namespace}/{service} is not set up: only what the settings name can be tuned; "
                "see /api/v1/services"
            )
        return written

    async def preview(
        self,
        known: Tuned,
        names: tuple[str, str],
        change: Change,
        releases: int = USUAL,
        *,
        moment: float = math.inf,
    ) -> Preview:
        """
        What a change of the settings would have made of the newest releases, beside what is in force.

        Raises:
            UnsuitedError: the change does not fit the settings.
        """
        step = tuning.between(known.parameters, change.applied(known.written))
        with working(Work.PREVIEW):
            return await self._previews.made(*names, known.parameters, step, releases, moment=moment)

    async def misfits(self, services: Iterable[tuple[str, str]]) -> list[Misfit]:
        """As the function of this name."""
        return await misfits(self._store, self._written, services)

    async def save(
        self,
        names: tuple[str, str],
        change: Change,
        *,
        based_on: int,
        by: str,
        note: str = "",
        now: float,
    ) -> Tuned:
        """
        Put a change of a service's settings into force for the releases that begin from now on.

        Args:
            names: namespace and service.
            change: all that is to be other than in the settings; an empty one goes back to them.
            based_on: version that the change was made from; 0 before the first one.
            by: who saves.
            note: why.
            now: Unix time.

        Raises:
            AskError: the change does not fit the settings, or changes nothing.
            ConflictError: somebody saved another version meanwhile; the message says what it changed.
        """
        known = await self.now(*names)
        wanted = change.applied(known.written)
        if based_on != known.version:
            raise await self._conflict(known, wanted, based_on)
        own = tuning.between(known.written, wanted)
        override = Override(
            *names,
            version=known.version + 1,
            by=by,
            at=now,
            note=_noted(_difference(known, wanted), note),
            body="" if own.is_empty else tuning.to_json(own),
        )
        try:
            await self._store.tune(override)
        except ConflictError as error:
            raise await self._conflict(await self.now(*names), wanted, based_on) from error
        return Tuned(known.written, wanted, override)

    async def _conflict(self, known: Tuned, wanted: Parameters, based_on: int) -> ConflictError:
        """What somebody else saved since, and what yours would still change."""
        newest = known.override
        if newest is None:
            return ConflictError(f"there is no version {based_on}: nothing was tuned yet; base it on 0")
        at = f"{datetime.fromtimestamp(newest.at, UTC):%Y-%m-%d %H:%M} UTC"
        yours = "; ".join(tuning.difference(known.parameters, wanted)) or "nothing"
        return ConflictError(
            f"{newest.by} saved version {newest.version} at {at} ({newest.note}), yours is based on version "
            f"{based_on} and would change of it: {yours}; look at theirs and save again on top of it"
        )


def _difference(known: Tuned, wanted: Parameters) -> tuple[str, ...]:
    found = tuning.difference(known.parameters, wanted)
    if found:
        return found
    if known.misfit:
        return (f"version {known.version}, which did not fit the settings any more, is taken back",)
    raise UnsuitedError("nothing would change: this is in force already; change a value, or leave it")


def _noted(difference: tuple[str, ...], note: str) -> str:
    text = "; ".join(difference)
    short = text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"
    return f"{short} ({note})" if note else short
