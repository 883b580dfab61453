"""Who may ask."""

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from multidict import CIMultiDict

from fakes import MemoryStore
from firedamp.access import (
    ANYBODY,
    SEAL_SECONDS,
    Keyring,
    Proxies,
    Sessions,
    cross_site,
    digest,
    first_token,
    form_cookie,
    loopback_only,
    may,
    new_secret,
    permitted,
    read_file,
    seal,
    session_cookie,
    unsealed,
)
from firedamp.errors import AskError, ConfigError, ForbiddenError, StoreError
from firedamp.ports import Token
from firedamp.telemetry import UNTRUSTED_IDENTITIES

HERE = frozenset({"firedamp.example:8080"})
SECRET = "a-secret-of-many-characters"  # the words are the test's own


def token(**changes: object) -> Token:
    given = {"name": "ci", "digest": digest(SECRET), "role": "gatekeeper", **changes}
    return Token(**given)


async def keyring(*tokens: Token, **options: object) -> tuple[Keyring, MemoryStore]:
    store = MemoryStore()
    for one in tokens:
        await store.add_token(one)
    ring = Keyring(store, **options)
    await ring.start()
    return ring, store


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_secret_finds_its_token():
    """The right secret is known by its digest."""
    ring, _ = await keyring(token(), token(name="other", digest=digest("something-else-entirely")))

    assert (await ring.bearer(SECRET)).name == "ci"


@pytest.mark.parametrize("secret", ["", SECRET[:-1], SECRET + " ", digest(SECRET), "\udc80", "x" * 100_000])
async def test_any_other_secret_finds_nothing(secret):
    """Neither a near miss nor the digest itself opens anything."""
    ring, _ = await keyring(token())

    assert await ring.bearer(secret) is None


async def test_a_revoked_token_is_none():
    """Revoking ends a token."""
    ring, _ = await keyring(token(revoked=1.0))

    assert await ring.bearer(SECRET) is None


async def test_revoking_takes_effect_within_seconds():
    """A replica that has the token in its memory reads the store again soon."""
    clock = Clock()
    ring, store = await keyring(token(), clock=clock, fresh_seconds=10)
    await store.revoke_token("ci", 1.0)
    at_once = await ring.bearer(SECRET)
    clock.now = 10.0

    assert at_once is not None
    assert await ring.bearer(SECRET) is None


async def test_tokens_outlive_a_store_that_is_down():
    """Controllers are not locked out by our own trouble."""
    clock = Clock()
    ring, store = await keyring(token(), clock=clock)
    store.trouble = "disk full"
    clock.now = 60.0

    assert await ring.bearer(SECRET) is not None


async def test_without_ever_having_read_the_tokens_nobody_is_let_in():
    """An unreadable store at start is an error, not an open door."""
    store = MemoryStore()
    store.trouble = "disk full"

    with pytest.raises(StoreError):
        await Keyring(store).bearer(SECRET)


async def test_a_path_secret_is_no_bearer_token():
    """Everybody who can read a Canary can read its path secret, so it opens its paths only."""
    ring, _ = await keyring(token(path=True))

    assert await ring.bearer(SECRET) is None
    assert (await ring.path(SECRET)).name == "ci"


async def test_a_bearer_token_is_no_path_secret():
    """Paths end up in logs of proxies; a bearer token does not belong there."""
    ring, _ = await keyring(token())

    assert await ring.path(SECRET) is None


@pytest.mark.parametrize(("namespace", "good"), [("shop", True), ("web", False), (None, True)])
async def test_a_path_secret_is_good_for_its_namespaces(namespace, good):
    """A secret of one team says nothing about another team's canaries."""
    ring, _ = await keyring(token(path=True, namespaces=("shop",)))

    assert (await ring.path(SECRET, namespace) is not None) is good


@pytest.mark.parametrize(
    ("role", "needed", "good"),
    [
        ("asker", "asker", True),
        ("asker", "gatekeeper", False),
        ("gatekeeper", "asker", True),
        ("gatekeeper", "admin", False),
        ("gatekeeper", "ruler", True),
        ("gatekeeper", "tuner", False),
        ("viewer", "viewer", True),
        ("viewer", "asker", False),
        ("viewer", "ruler", False),
        ("ruler", "viewer", True),
        ("ruler", "asker", False),
        ("ruler", "gatekeeper", False),
        ("ruler", "tuner", False),
        ("tuner", "ruler", True),
        ("tuner", "admin", False),
        ("admin", "gatekeeper", True),
        ("admin", "tuner", True),
        ("nonsense", "viewer", False),
        ("nonsense", "asker", False),
    ],
)
def test_roles_include_the_lesser_ones(role, needed, good):
    """People's roles and programs' are branches of one lattice; a role that nobody knows may nothing."""
    assert may(token(role=role), needed) is good


def test_a_low_role_is_told_which_one_it_needs():
    """The refusal names the remedy."""
    with pytest.raises(ForbiddenError, match="needs a token with role 'gatekeeper'"):
        permitted(token(role="asker"), "gatekeeper")


def test_a_refusal_names_every_role_that_would_do():
    """Whoever hands out tokens can choose the least of them."""
    with pytest.raises(ForbiddenError, match=r"'ruler' \(tuner or gatekeeper or admin will do\): use one"):
        permitted(token(role="viewer"), "ruler")


def test_a_foreign_namespace_is_refused_by_name():
    """The refusal says what the token is bound to."""
    with pytest.raises(ForbiddenError, match="bound to shop"):
        permitted(token(namespaces=("shop",)), "asker", "web")


def test_anybody_may_everything():
    """Where no token is asked for, nothing is closed."""
    permitted(ANYBODY, "admin", "shop")


def test_secrets_differ_and_fit_in_a_path():
    """192 random bits in letters that no URL escapes."""
    one, other = new_secret(), new_secret()

    assert one != other
    assert len(one) >= 35
    assert one.replace("_", "").replace("-", "").isalnum()


# ── the first start ──────────────────────────────────────────────────────────────────────────────────


async def test_the_first_start_makes_a_token_that_may_everything():
    """It works at once, and the store keeps its digest only."""
    store = MemoryStore()
    secret = await first_token(store, 5.0)
    kept = repr(await store.tokens())

    assert (await Keyring(store).bearer(secret)).role == "admin"
    assert secret not in kept


async def test_the_second_start_makes_none():
    """The token is printed once and never again."""
    store = MemoryStore()
    await first_token(store, 5.0)

    assert await first_token(store, 6.0) is None


class Racing(MemoryStore):
    """Another replica adds its token just after we looked."""

    async def tokens(self):
        return []


async def test_two_replicas_that_start_together_print_one_token():
    """The second one finds the first one's token in its way and keeps still."""
    store = Racing()
    await first_token(store, 5.0)

    assert await first_token(store, 5.0) is None


# ── files ────────────────────────────────────────────────────────────────────────────────────────────


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "token"
    path.write_text(text)
    return path


def test_a_file_with_a_bare_secret_is_an_asker(tmp_path):
    """The least that is useful is the default."""
    found = read_file("argo", written(tmp_path, f"{SECRET}\n"))

    assert found == Token(name="argo", digest=digest(SECRET), role="asker")


def test_words_after_the_secret_say_what_it_is_good_for(tmp_path):
    """Role, namespaces and path stand in the file beside the secret."""
    found = read_file("flagger", written(tmp_path, f"{SECRET} role=gatekeeper namespaces=shop,web path"))

    assert (found.role, found.namespaces, found.path) == ("gatekeeper", ("shop", "web"), True)


@pytest.mark.parametrize("role", ["viewer", "ruler", "tuner"])
def test_a_path_secret_is_no_persons(tmp_path, role):
    """Only programs send a secret in a path, so none has a role of people."""
    with pytest.raises(ConfigError, match="a role of people"):
        read_file("flagger", written(tmp_path, f"{SECRET} role={role} path"))


@pytest.mark.parametrize("text", ["", "short", f"{SECRET} role=king", f"{SECRET} {SECRET}", "x" * 5000])
def test_an_unusable_file_is_named_and_its_secret_is_not(tmp_path, text):
    """The message says which file and what to do, and never repeats what is in it."""
    path = written(tmp_path, text)

    with pytest.raises(ConfigError, match=r"auth\.token_files\.argo") as caught:
        read_file("argo", path)

    assert SECRET not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    """A secret that is not mounted is found at start."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_file("argo", tmp_path / "nothing")


async def test_a_rotated_file_is_taken_up_without_a_restart(tmp_path):
    """Kubernetes swaps the content of a mounted secret; the next look at the file finds it."""
    clock = Clock()
    path = written(tmp_path, SECRET)
    ring, _ = await keyring(files={"argo": str(path)}, clock=clock, fresh_seconds=10)
    path.write_text("another-secret-altogether")
    clock.now = 11.0

    assert await ring.bearer("another-secret-altogether") is not None
    assert await ring.bearer(SECRET) is None


async def test_a_file_that_breaks_later_keeps_its_last_token(tmp_path):
    """A half-written secret does not lock anybody out."""
    clock = Clock()
    path = written(tmp_path, SECRET)
    ring, _ = await keyring(files={"argo": str(path)}, clock=clock)
    path.write_text("")
    clock.now = 60.0

    assert await ring.bearer(SECRET) is not None


# ── sessions ─────────────────────────────────────────────────────────────────────────────────────────


async def sessions(*tokens: Token) -> tuple[Sessions, MemoryStore, Clock]:
    clock = Clock()
    ring, store = await keyring(*tokens, clock=clock)
    return Sessions(store, ring), store, clock


async def test_a_session_is_as_good_as_the_token_that_logged_in():
    """It has its name, its role and its namespaces."""
    known, _, _ = await sessions(token(role="ruler", namespaces=("shop",)))

    found = await known.token(await known.begin(token(), 100.0), 101.0)

    assert (found.name, found.role, found.namespaces) == ("ci", "ruler", ("shop",))


async def test_a_session_ends_after_twelve_hours():
    """A forgotten browser forgets."""
    known, _, _ = await sessions(token())

    assert await known.token(await known.begin(token(), 0.0), 12 * 3600.0) is None


async def test_a_revoked_token_ends_its_sessions():
    """There is no second place to revoke."""
    known, store, clock = await sessions(token())
    secret = await known.begin(token(), 100.0)
    await store.revoke_token("ci", 101.0)
    clock.now = 60.0

    assert await known.token(secret, 102.0) is None


async def test_a_session_can_be_left():
    """Its secret is good for nothing afterwards, wherever it was copied to."""
    known, _, _ = await sessions(token())
    secret = await known.begin(token(), 100.0)

    await known.end(secret)

    assert await known.token(secret, 101.0) is None


async def test_a_reader_of_the_store_can_forge_no_session():
    """What is kept is a digest, and a digest opens nothing."""
    known, store, _ = await sessions(token())
    secret = await known.begin(token(), 100.0)

    [kept] = await store.sessions([digest(secret)])

    assert secret not in repr(kept)
    assert await known.token(kept.digest, 101.0) is None


@pytest.mark.parametrize("forged", ["", "..", "fds_made-up", "x" * 5000, "\u00ff", SECRET, digest(SECRET)])
async def test_a_forged_cookie_is_nobody(forged):
    """Neither nonsense nor the token itself is a session, and none of it raises."""
    known, _, _ = await sessions(token())

    assert await known.token(forged, 0.0) is None


def test_a_cookie_over_tls_is_this_hosts_alone():
    """A neighbour on another name, port or path cannot plant one."""
    assert session_cookie(secure=True) == "__Host-firedamp_session"
    assert form_cookie(secure=True).startswith("__Host-")
    assert session_cookie(secure=False) == "firedamp_session"


# ── seals ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_seal_holds_in_the_session_it_was_made_for():
    """As long as somebody may think about a form."""
    made = seal("fds_one", 1000.0)

    assert unsealed("fds_one", made, 1000.0) is None
    assert unsealed("fds_one", made, 1000.0 + SEAL_SECONDS - 1) is None


def test_no_two_seals_are_the_same():
    """The length of packed answers must tell nothing of a seal that comes again."""
    assert len({seal("fds_one", 1000.0) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("secret", "given", "now", "says"),
    [
        ("fds_one", "", 1000.0, "no seal"),
        ("fds_two", seal("fds_one", 1000.0), 1000.0, "another session"),
        ("fds_one", seal("fds_one", 1000.0).replace("1000", "9999"), 1000.0, "another session"),
        ("fds_one", seal("fds_one", 1000.0) + "0", 1000.0, "another session"),
        ("fds_one", "1000", 1000.0, "another session"),
        ("fds_one", "\udc80.\udc80", 1000.0, "another session"),
        ("fds_one", "." * 5000, 1000.0, "another session"),
        ("fds_one", seal("fds_one", 1000.0), 1000.0 + SEAL_SECONDS, "4.0 hours, 4 is the most"),
    ],
    ids=[
        "none",
        "another's",
        "older",
        "longer",
        "cut",
        "no text",
        "too long",
        "too old",
    ],  # seals are made by chance
)
def test_a_seal_that_does_not_hold_says_why(secret, given, now, says):
    """Missing, another session's, mended by hand, or too old; and that nothing was changed."""
    fault = unsealed(secret, given, now)

    assert says in fault
    assert "nothing was changed" in fault


# ── people behind a proxy ────────────────────────────────────────────────────────────────────────────


PROXY = Proxies(
    addresses=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
    user_header="X-Forwarded-User",
    groups_header="X-Forwarded-Groups",
    roles={"viewer": ("*",), "ruler": ("oncall",), "admin": ("platform", "sre")},
)


def sent_by(user: str = "alex@shop.example", groups: str = "") -> CIMultiDict[str]:
    return CIMultiDict({"x-forwarded-user": user, "X-Forwarded-Groups": groups})


@pytest.mark.parametrize("remote", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7"])
async def test_a_trusted_proxy_says_who_it_is(remote):
    """By IPv4, by IPv6, and by IPv4 as a socket for both writes it."""
    found = PROXY.person(remote, sent_by(groups="developers, oncall"))

    assert (found.name, found.role, found.namespaces) == ("alex@shop.example", "ruler", ())


@pytest.mark.parametrize("remote", ["192.0.2.1", "11.0.0.1", "::1", None, "", "10.0.0.1, 192.0.2.1"])
async def test_anybody_elses_word_is_ignored_and_counted(remote):
    """Whoever reaches us past the proxy can write what he likes."""
    before = UNTRUSTED_IDENTITIES._value.get()

    assert PROXY.person(remote, sent_by(groups="platform")) is None
    assert UNTRUSTED_IDENTITIES._value.get() == before + 1


async def test_a_person_has_the_strongest_role_of_their_groups():
    """The order of the groups says nothing."""
    assert PROXY.person("10.0.0.1", sent_by(groups="sre,oncall")).role == "admin"
    assert PROXY.person("10.0.0.1", sent_by(groups="oncall,sre")).role == "admin"
    assert PROXY.person("10.0.0.1", sent_by()).role == "viewer"


async def test_a_person_without_a_group_is_told_which_one_it_takes():
    """And whom to ask for it."""
    strict = replace(PROXY, roles={"viewer": ("developers",), "admin": ("platform",)})

    with pytest.raises(ForbiddenError, match=r"one of developers, platform: ask"):
        strict.person("10.0.0.1", sent_by(groups="guests"))


@pytest.mark.parametrize("user", ["", "a,b", " alex", "alex\x7f", "x" * 129, "a\udc80", "a\u202eb"])
async def test_a_name_that_is_none_is_refused(user):
    """Two names in one, unprintable ones, ones without end: the proxy is not set up as it should be."""
    with pytest.raises(AskError, match="X-Forwarded-User has"):
        PROXY.person("10.0.0.1", sent_by(user))


@pytest.mark.parametrize("header", ["X-Forwarded-User", "x-forwarded-groups"])
async def test_a_header_that_came_twice_is_refused(header):
    """The second one is a caller's, whom the proxy let through."""
    headers = sent_by(groups="oncall")
    headers.add(header, "platform")

    with pytest.raises(AskError, match="came 2 times"):
        PROXY.person("10.0.0.1", headers)


@pytest.mark.parametrize("groups", ["x" * 9000, "on\ncall"])
async def test_groups_have_their_limits(groups):
    """A list without end is no list of groups."""
    with pytest.raises(AskError, match="X-Forwarded-Groups has"):
        PROXY.person("10.0.0.1", sent_by(groups=groups))


# ── browsers ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "headers", "refused"),
    [
        ("GET", {"Sec-Fetch-Site": "cross-site"}, False),
        ("POST", {}, False),
        ("POST", {"Sec-Fetch-Site": "same-origin"}, False),
        ("POST", {"Sec-Fetch-Site": "none"}, False),
        ("POST", {"Sec-Fetch-Site": "same-site"}, True),
        ("PUT", {"Sec-Fetch-Site": "cross-site"}, True),
        ("DELETE", {"Origin": "http://evil.example"}, True),
        ("POST", {"Origin": "http://firedamp.example:8080"}, False),
        ("POST", {"Origin": "null"}, True),
        ("POST", {"Origin": "http://["}, True),
    ],
)
def test_requests_that_another_site_makes_a_browser_send_are_refused(method, headers, refused):
    """Reading is free; changing needs our own page, or a program."""
    assert (cross_site(method, headers, HERE) is not None) is refused


# ── listening ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_without_tokens_loopback_is_served(host):
    """A person's own machine needs no ceremony."""
    loopback_only(host, required=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "firedamp.example", ""])
def test_without_tokens_the_network_is_refused_with_the_remedy(host):
    """An open door is opened in as many words or not at all."""
    with pytest.raises(ConfigError, match=r"auth\.required: true"):
        loopback_only(host, required=False)


def test_an_open_door_can_be_asked_for():
    """Behind a mesh that authenticates, somebody may say so."""
    loopback_only("0.0.0.0", required=False, anybody_anywhere=True)


def test_with_tokens_any_address_is_served():
    """A token is what the network needs."""
    loopback_only("0.0.0.0", required=True)
