"""What databases cannot hold is refused or replaced, in every store alike."""

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from firedamp.errors import ConflictError, StoreError
from firedamp.model import Controller, Outcome, Release, ReleaseKey
from firedamp.ports import Event, Gate, Store, Token
from store.examples import KEY, a_gate, a_release, a_token, an_event

NAMES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)
ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=30)
NUMBERS = st.floats(allow_nan=False)
COUNTS = st.integers(0, 2**31 - 1)
KEYS = st.builds(ReleaseKey, NAMES, NAMES, NAMES, COUNTS)
RELEASES = st.builds(
    Release,
    id=st.just(0),
    key=KEYS,
    controller=st.sampled_from(Controller),
    started=NUMBERS,
    arms=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3),
    experiment=st.booleans(),
    parameters=NAMES,
    version=NAMES,
    last_asked=NUMBERS,
    ask_gap=NUMBERS,
    step=COUNTS,
    step_label=st.none() | NAMES,
    step_since=NUMBERS,
    advanced_block=st.none() | COUNTS,
    weight=st.none() | NUMBERS,
    ended=st.none() | NUMBERS,
    outcome=st.none() | NAMES,
    verdict=st.sampled_from(Outcome),
    sentence=NAMES,
)
GATES = st.builds(Gate, NAMES, NAMES, NAMES, NAMES, st.just(True), NUMBERS, NAMES, NUMBERS, NAMES)
DATA = st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3)
EVENTS = st.builds(Event, NUMBERS, NAMES, NAMES, NAMES, NAMES, NAMES, NAMES, DATA)
TOKENS = st.builds(
    Token,
    NAMES,
    NAMES,
    NAMES,
    st.lists(ANY_TEXT, max_size=3).map(tuple),
    st.booleans(),
    NUMBERS,
    st.none() | NUMBERS,
)

# One store serves all examples: what each of them wrote is looked up, not counted.
many = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
UNHOLDABLE = pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"], ids=["NUL", "surrogate"])


@many
@given(RELEASES)
async def test_every_release_comes_back_exactly(store: Store, release: Release):
    """Any text and any number of a release survive the database."""
    try:
        opened = await store.open(release)
    except ConflictError:
        reject()  # an earlier example had this key

    found = await store.release(opened.id)
    assert found is not None
    assert {**_fields(found), "id": 0} == _fields(release)


@many
@given(GATES)
async def test_every_gate_comes_back_exactly(store: Store, gate: Gate):
    """Any text and any number of a gate survive."""
    await store.set_gate(gate)

    assert gate in await store.gates(gate.namespace)
    if gate.expires >= 0:
        assert await store.gate(gate.namespace, gate.service, gate.hook, gate.revision, 0.0) == gate


@many
@given(EVENTS)
async def test_every_event_comes_back_exactly(store: Store, event: Event):
    """Any text and any number of an event survive."""
    await store.record(event)

    assert await store.events(limit=1) == [event]


@many
@given(TOKENS)
async def test_every_token_comes_back_exactly(store: Store, token: Token):
    """Any text and any number of a token survive."""
    try:
        await store.add_token(token)
    except ConflictError:
        reject()

    assert token in await store.tokens()


@UNHOLDABLE
async def test_names_that_no_database_holds_are_refused(store: Store, text: str):
    """A name with NUL or half a character is an error when written and when asked about."""
    with pytest.raises(StoreError, match="holds NUL"):
        await store.open(a_release(key=ReleaseKey("shop", "checkout", text, 1)))
    with pytest.raises(StoreError, match="holds NUL"):
        await store.latest("shop", text, None)
    with pytest.raises(StoreError, match="holds NUL"):
        await store.set_gate(a_gate(revision=text))
    with pytest.raises(StoreError, match="holds NUL"):
        await store.add_token(a_token(role=text))
    with pytest.raises(StoreError, match="holds NUL"):
        await store.record(an_event(kind=text))


@UNHOLDABLE
async def test_sentences_are_mended(store: Store, text: str):
    """What people say is kept, with a replacement for what no database holds."""
    release = await store.open(a_release(KEY, sentence=text, outcome=text))
    await store.set_gate(a_gate(by=text, note=text))

    assert (release.sentence, release.outcome) == ("a\ufffdb", "a\ufffdb")
    assert await store.gates() == [a_gate(by="a\ufffdb", note="a\ufffdb")]
    (event,) = await store.events()
    assert (event.by, event.text) == ("a\ufffdb", "opened gate confirm-promotion: a\ufffdb")


async def test_not_a_number_is_refused(store: Store):
    """NaN is no instant and no share: it would become NULL in one database and not in the other."""
    with pytest.raises(StoreError, match="NaN"):
        await store.open(a_release(weight=float("nan")))


def _fields(release: Release) -> dict[str, object]:
    return {name: getattr(release, name) for name in Release.__dataclass_fields__}
