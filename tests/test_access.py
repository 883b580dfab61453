"""Who may ask."""

from pathlib import Path

import pytest

from fakes import MemoryStore
from firedamp.access import (
    ANYBODY,
    Keyring,
    Sessions,
    cross_site,
    digest,
    first_token,
    loopback_only,
    may,
    new_secret,
    permitted,
    read_file,
)
from firedamp.errors import ConfigError, ForbiddenError, StoreError
from firedamp.ports import Token

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
        ("admin", "gatekeeper", True),
        ("nonsense", "asker", False),
    ],
)
def test_roles_include_the_lesser_ones(role, needed, good):
    """Asker, gatekeeper, admin; a role that nobody knows may nothing."""
    assert may(token(role=role), needed) is good


def test_a_low_role_is_told_which_one_it_needs():
    """The refusal names the remedy."""
    with pytest.raises(ForbiddenError, match="needs a token with role 'gatekeeper'"):
        permitted(token(role="asker"), "gatekeeper")


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
    return Sessions(ring), store, clock


async def test_a_session_reads_as_the_token_that_logged_in():
    """It keeps the namespaces and loses the right to change anything."""
    known, _, _ = await sessions(token(namespaces=("shop",)))

    found = await known.token(known.cookie(token(), 100.0), 101.0)

    assert (found.name, found.role, found.namespaces) == ("ci", "asker", ("shop",))


async def test_a_session_ends_after_twelve_hours():
    """A forgotten browser forgets."""
    known, _, _ = await sessions(token())

    assert await known.token(known.cookie(token(), 0.0), 12 * 3600.0) is None


async def test_a_revoked_token_ends_its_sessions():
    """There is no second place to revoke."""
    known, store, clock = await sessions(token())
    cookie = known.cookie(token(), 100.0)
    await store.revoke_token("ci", 101.0)
    clock.now = 60.0

    assert await known.token(cookie, 102.0) is None


@pytest.mark.parametrize(
    "forged",
    ["", "..", "a.b.c", "Y2k=.99999999999.0", "Y2k=.9" + "9" * 5000 + ".0", "ÿ.1.2", "/w==.99999999999.00"],
)
async def test_a_forged_cookie_is_nobody(forged):
    """Neither nonsense nor a wrong signature is a session, and none of it raises."""
    known, _, _ = await sessions(token())

    assert await known.token(forged, 0.0) is None


async def test_a_session_cannot_be_prolonged():
    """The time is signed too."""
    known, _, _ = await sessions(token())
    name, expires, signature = known.cookie(token(), 0.0).split(".")

    assert await known.token(f"{name}.{int(expires) + 1}.{signature}", 1.0) is None


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
