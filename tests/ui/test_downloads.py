"""A release's looks as a file for spreadsheets."""

import csv
import io
from dataclasses import replace

from firedamp.model import Arm, Finding, Outcome, ReleaseKey, Tier
from service import ASKER, Service
from store.examples import KEY, a_look, a_release


async def table(service: Service, *looks) -> list[dict[str, str]]:
    release = await service.store.open(a_release(KEY))
    await service.store.add_looks(release, looks)
    reply = await service.ask("GET", f"/releases/{release.id}.csv")
    assert reply.status == 200
    return list(csv.DictReader(io.StringIO(reply.text)))


async def test_every_check_at_every_look_is_a_line(service):
    """Oldest first, numbers to the last digit."""
    rows = await table(service, *(a_look(at) for at in range(120)))

    assert len(rows) == 120
    assert [row["look"] for row in rows[:3]] == ["0", "1", "2"]
    assert (rows[5]["check"], rows[5]["outcome"], rows[5]["p_value"]) == (
        "errors",
        "inconclusive",
        repr(1 / 3),
    )
    assert rows[5]["verdict"] == "inconclusive"


async def test_what_is_not_known_is_empty(service):
    """Neither nan nor inf stands in a cell."""
    finding = Finding(
        "errors", "proportion", Tier.WARN, Outcome.PASS, "errors: x", Arm.MAIN, interval=(0.5, float("inf"))
    )

    [row] = await table(service, replace(a_look(0), findings=(replace(finding, p_value=float("nan")),)))

    assert (row["effect_low"], row["effect_high"], row["p_value"], row["alpha"]) == ("0.5", "", "", "")


async def test_no_text_becomes_a_formula(service):
    """A spreadsheet would run it: an apostrophe stands before it."""
    hostile = '=HYPERLINK("https://evil.example","x")'
    looks = [
        replace(a_look(0), findings=(replace(a_look(0).findings[0], check=f"@{hostile}", sentence=hostile),))
    ]

    [row] = await table(service, *looks)

    assert row["sentence"] == f"'{hostile}"
    assert row["check"].startswith("'@")


async def test_the_file_has_a_plain_name(service):
    """The service's name is a caller's, and the disk the reader's."""
    release = await service.store.open(a_release(replace(KEY, service='a"/../b\r\nX: y')))

    reply = await service.ask("GET", f"/releases/{release.id}.csv")

    name = f"a-----b--X--y-{release.id}.csv"
    assert reply.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert reply.headers["Content-Type"].startswith("text/csv")


async def test_another_teams_file_is_not_given(service):
    """As its page is not shown."""
    release = await service.store.open(a_release(ReleaseKey("pay", "ledger", "a", 1)))

    reply = await service.ask("GET", f"/releases/{release.id}.csv", ASKER)

    assert reply.status == 404
