"""The list of releases, put into words."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from firedamp.model import Release
from firedamp.ui.pages.releases import Listing, Row
from firedamp.ui.pages.shell import Shell
from firedamp.ui.wording.marks import MARKS, state
from firedamp.ui.wording.times import instant


def listing(
    shell: Shell, releases: Sequence[Release], asked: Mapping[str, str], *, more: bool, now: float, url: str
) -> Listing:
    """A page of the list; `asked` are the filters in force."""
    filters = {name: text for name, text in asked.items() if text and name != "before"}
    following = {**filters, "before": str(releases[-1].id)} if more and releases else {}
    return Listing(
        shell=shell,
        rows=tuple(_row(release, now) for release in releases),
        namespace=asked.get("namespace", ""),
        service=asked.get("service", ""),
        next=f"/?{urlencode(following)}" if following else "",
        url=url,
    )


def twin(asked: Mapping[str, str]) -> str:
    """Where the list is as JSON."""
    filters = {name: text for name, text in asked.items() if text and name != "before"}
    return "/api/v1/releases" + (f"?{urlencode(filters)}" if filters else "")


def _row(release: Release, now: float) -> Row:
    key = release.key
    return Row(
        link=f"/releases/{release.id}",
        mark=MARKS[release.verdict],
        sentence=release.sentence,
        service=f"{key.namespace}/{key.service}",
        revision=key.revision,
        attempt=key.attempt,
        state=state(release),
        started=instant(release.started, now),
    )
