"""Attempts to log in: some at once, then slowly; by address, and each address alone."""

from ipaddress import ip_network

import pytest

from firedamp.access import Attempts, caller
from service import ADMIN, Service, running

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def tried(attempts: Attempts, count: int, address: str = "a", now: float = 100.0) -> list[float]:
    return [attempts.wait(address, now) for _ in range(count)]


def test_some_attempts_come_at_once_and_then_one_every_few_seconds():
    """What is told is how long to wait; waiting so long is enough, and buys one attempt."""
    attempts = Attempts(at_once=3, every_seconds=6.0)

    assert tried(attempts, 5) == [0.0, 0.0, 0.0, 6.0, 6.0]
    assert tried(attempts, 2, now=104.0) == [2.0, 2.0]
    assert tried(attempts, 2, now=106.0) == [0.0, 6.0]


def test_all_attempts_come_back_with_time():
    """No more of them than at the beginning."""
    attempts = Attempts(at_once=2, every_seconds=6.0)
    tried(attempts, 2)

    assert tried(attempts, 3, now=1000.0) == [0.0, 0.0, 6.0]


def test_one_address_uses_up_its_own_attempts_alone():
    """Whoever guesses locks nobody else out."""
    attempts = Attempts(at_once=1)
    tried(attempts, 50, "evil")

    assert attempts.wait("good", 100.0) == 0.0


def test_a_good_attempt_costs_nothing():
    """People behind one address log in as often as they like."""
    attempts = Attempts(at_once=2)
    for _ in range(20):
        assert attempts.wait("office", 100.0) == 0.0
        attempts.give_back("office")


def test_only_so_many_addresses_are_remembered():
    """The one that tried longest ago is forgotten; a million of them need no more memory than a few."""
    attempts = Attempts(at_once=1, most=100)
    for number in range(1_000):
        attempts.wait(str(number), 100.0)

    attempts.give_back("somebody who was forgotten")

    assert attempts.wait("900", 100.0) > 0
    assert attempts.wait("899", 100.0) == 0.0


@pytest.mark.parametrize(
    ("remote", "forwarded", "found"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        ("10.1.1.1", [], "10.1.1.1"),
        ("10.1.1.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1", ["203.0.113.9", "198.51.100.1,10.2.2.2"], "198.51.100.1"),
        ("10.1.1.1", ["198.51.100.1, nonsense"], "10.1.1.1"),
        ("10.1.1.1", ["10.3.3.3"], "10.3.3.3"),
        ("::ffff:10.1.1.1", ["198.51.100.1"], "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("fd00::1", ["2001:db8:1:2:ffff::1"], "2001:db8:1:2::/64"),
        (None, ["198.51.100.1"], "None"),
    ],
)
def test_a_caller_is_whom_the_last_trusted_proxy_saw(remote, forwarded, found):
    """What callers write themselves stands further left, and is not read; of IPv6 the network counts."""
    assert caller(remote, forwarded, PROXIES) == found


async def enter(service: Service, token: str, address: str = "198.51.100.1"):
    return await service.ask(
        "POST", "/login", None, data={"token": token}, headers={"X-Forwarded-For": address}
    )


async def test_whoever_guesses_tokens_waits_and_nobody_else_does():
    """A page that says for how long, with Retry-After for machines; behind a trusted proxy by address."""
    async with running({"auth": {"forwarded_by": ["127.0.0.0/8"]}}) as service:
        guesses = [await enter(service, f"fd_guess-{number}") for number in range(12)]
        late = await enter(service, ADMIN)
        other = await enter(service, ADMIN, "198.51.100.2")

    assert [one.status for one in guesses] == [403] * 10 + [429] * 2
    assert 1 <= int(guesses[-1].headers["Retry-After"]) <= 6
    assert f"wait {guesses[-1].headers['Retry-After']} s" in guesses[-1].text
    assert "Set-Cookie" not in late.headers
    assert (late.status, other.status) == (429, 303)


async def test_an_address_that_nobody_trusts_writes_its_own_header_in_vain():
    """Another name with each guess gains nothing."""
    async with running() as service:
        guesses = [await enter(service, "fd_guess", f"198.51.100.{number}") for number in range(11)]

    assert guesses[-1].status == 429


async def test_people_of_one_office_log_in_as_often_as_they_like():
    """Right tokens are not counted."""
    async with running() as service:
        replies = [await enter(service, ADMIN) for _ in range(15)]

    assert {one.status for one in replies} == {303}
