"""A warning ruled on in a browser, as Flagger then meets it: real judge, real hooks."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from browsing import Site, Visitor, serving_at
from contracts.dialects import Clock
from contracts.test_ruled_hooks import BODIES, ORDERS, Orders, WorkloadSource
from firedamp.judge import Judge
from judge.shop import SICK
from service import PATH

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@dataclass
class Flagger:
    """What asks while a canary is under way."""

    site: Site
    clock: Clock

    def hook(self, name: str, **more: str) -> int:
        """The status that a hook gets."""
        body = json.dumps({**BODIES["rollout"], "namespace": "shop", **more}).encode()
        headers = {"Content-Type": "application/json"}
        try:
            with urlopen(
                Request(f"{self.site.url}/flagger/v1/{PATH}/{name}", body, headers), timeout=30
            ) as answer:
                return answer.status
        except HTTPError as error:
            return error.code

    def goes_on(self, seconds: float) -> None:
        """Time passes, and it asks."""
        for _ in range(round(seconds / 30)):
            self.clock.now += 30.0
            self.hook("rollout")


@contextmanager
def warned(browser, folder, *checks: str) -> Iterator[tuple]:
    """A page of a release whose warnings have failed for twelve minutes, and Flagger."""
    clock = Clock(time.time())
    source = WorkloadSource(since=clock.now - 3600, others=dict.fromkeys(checks, SICK))

    def judging(store):
        return Judge(Orders(ORDERS), {"main": source}, store)

    with serving_at(folder, judging=judging, clock=clock) as site:
        flagger, visitor = Flagger(site, clock), Visitor(browser, site)
        flagger.goes_on(720)
        page = visitor.page()
        page.get_by_role("link", name="orders").click()
        yield page, flagger
        visitor.close()
        assert visitor.seen == []


def ruled(page, button: str) -> None:
    """The word is said on the page, with a note, and stands there."""
    warning = page.locator("article#check-retries")
    warning.get_by_label("Why").fill("customers complain")
    warning.get_by_role("button", name=button).click()
    page.locator(".ruled", has_text="customers complain").wait_for()


def test_ruling_a_warning_real_opens_the_rollback_gate(browser, tmp_path):
    """Until then nothing is rolled back; then Flagger is told to, and the page says by whom."""
    with warned(browser, tmp_path, "retries") as (page, flagger):
        before = flagger.hook("rollback"), flagger.hook("rollout")
        ruled(page, "Rule it real")
        after = flagger.hook("rollback"), flagger.hook("rollout")
        page.reload()

        assert (before, after) == ((403, 200), (200, 403))
        assert page.locator(".verdict .mark").inner_text().split() == ["✗", "fail"]
        assert "ruled real by root: retries" in page.locator(".verdict .sentence").inner_text()


def test_ruling_one_of_two_warnings_a_false_alarm_lets_the_release_go_on(browser, tmp_path):
    """Together they withhold the promotion; what is left of them does not."""
    with warned(browser, tmp_path, "retries", "refusals") as (page, flagger):
        before = flagger.hook("confirm-promotion", phase="Progressing")
        ruled(page, "Rule it a false alarm")
        after = flagger.hook("confirm-promotion", phase="Progressing")

        assert (before, after) == (403, 200)
        assert flagger.hook("rollback") == 403
