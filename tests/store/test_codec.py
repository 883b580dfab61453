"""Looks as blobs: exact, small, versioned."""

import dataclasses
import math
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.errors import StoreError
from firedamp.model import (
    Arm,
    Block,
    Evidence,
    Finding,
    Look,
    Outcome,
    Situation,
    Slice,
    Standing,
    Tier,
    Trouble,
    TroubleKind,
)
from firedamp.store import codec
from firedamp.store.dictionary import WORDS_1
from firedamp.store.streams import Reader, Writer
from store.example_looks import realistic_look
from store.examples import a_look

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=20)
ANY_FLOAT = (
    st.floats(allow_nan=True)
    | st.integers(-(2**60), 2**60).map(float)
    | st.decimals(-1000, 1000, places=3).map(float)
)
ROWS = st.lists(ANY_FLOAT, max_size=4).map(tuple)
PODS = st.dictionaries(ANY_TEXT, ROWS, max_size=3)
TROUBLES = st.builds(Trouble, st.sampled_from(TroubleKind), ANY_TEXT, st.none() | st.sampled_from(Arm))
SLICES = st.builds(
    Slice,
    st.dictionaries(st.sampled_from(Arm), PODS),
    ROWS,
    st.lists(TROUBLES, max_size=2).map(tuple),
    st.just(0.0) | ANY_FLOAT,
)
BLOCKS = st.builds(Block, st.integers(0, 2**31), ANY_FLOAT, ANY_FLOAT)
EVIDENCE = st.builds(
    Evidence, BLOCKS, st.dictionaries(ANY_TEXT, SLICES, max_size=3), st.none() | ANY_FLOAT, st.integers(0, 99)
)
MAYBE = st.none() | ANY_FLOAT
FINDINGS = st.builds(
    Finding,
    check=ANY_TEXT,
    kind=ANY_TEXT,
    tier=st.sampled_from(Tier),
    outcome=st.sampled_from(Outcome),
    sentence=ANY_TEXT,
    against=st.none() | st.sampled_from(Arm),
    unit=ANY_TEXT,
    baseline=MAYBE,
    canary=MAYBE,
    baseline_n=ANY_FLOAT,
    canary_n=ANY_FLOAT,
    effect=MAYBE,
    interval=st.none() | st.tuples(ANY_FLOAT, ANY_FLOAT),
    tolerance=MAYBE,
    p_value=MAYBE,
    alpha=MAYBE,
    one_look_p=MAYBE,
    needs=st.none() | st.integers(-(2**70), 2**70),
    detectable=MAYBE,
    set_aside=st.none() | ANY_TEXT,
    situation=st.none() | st.sampled_from(Situation),
)
COUNTS = st.none() | st.integers(0, 2**40)
STANDINGS = st.builds(Standing, COUNTS, COUNTS, st.integers(0, 3), MAYBE, ANY_TEXT, ANY_FLOAT, COUNTS)
LOOKS = st.builds(Look, EVIDENCE, st.lists(FINDINGS, max_size=4).map(tuple), STANDINGS, ANY_TEXT)


def bits(value: object) -> object:
    """A value with every float as its bits and every mapping as a row of pairs, to compare exactly."""
    if isinstance(value, float):
        return struct.pack(">d", value)
    if isinstance(value, dict):
        return [(key, bits(item)) for key, item in value.items()]
    if isinstance(value, tuple):
        return [bits(item) for item in value]
    if dataclasses.is_dataclass(value):
        return [bits(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return value


@settings(max_examples=300, deadline=None)
@given(LOOKS)
def test_every_look_comes_back_bit_by_bit(look: Look):
    """Any text, any float and any order of pods survive, -0.0, NaN and lone surrogates included."""
    assert bits(codec.decode(codec.encode(look))) == bits(look)


@pytest.mark.parametrize(
    "number",
    [0.0, -0.0, 1.0, 127.0, 128.0, 2.0**53, 2.0**53 + 2, -3.0, 0.1, 0.1 + 0.2, 1e-7, 5e-324, 1.7e308,
     math.inf, -math.inf, 1 / 3, 1_790_000_000.123, 123456.654321, -0.000001],
)  # fmt: skip
def test_every_number_comes_back_bit_by_bit(number: float):
    """Whichever way a number is packed, the same double comes out."""
    writer = Writer()
    writer.number(number)

    found = Reader(writer.done()).number()

    assert bits(found) == bits(number)


def test_a_look_at_twenty_checks_fits_in_four_kilobytes():
    """20 checks on 4 + 4 pods, 4 of them histograms of 12 buckets, with all they have to say."""
    looks = [realistic_look(seed) for seed in range(50)]

    assert {len(look.findings) for look in looks} == {20}
    assert max(len(codec.encode(look)) for look in looks) <= 4096


#: Written when version 1 was new; neither side of this pair may ever change.
FIRST_LOOK = Look(
    evidence=Evidence(
        block=Block(index=7, start=1_790_000_000.25, end=1_790_000_030.25),
        slices={
            "errors": Slice(
                rows={Arm.MAIN: {"main-1": (3.0, 1000.0)}, Arm.CANARY: {"canary-é": (0.1, 1 / 3)}}
            ),
            "latency": Slice(
                bounds=(0.1, math.inf),
                troubles=(Trouble(TroubleKind.GAP, "two of four samples", Arm.CANARY),),
            ),
        },
        weight=0.2,
        step=1,
    ),
    findings=(
        Finding(
            check="errors",
            kind="proportion",
            tier=Tier.CRITICAL,
            outcome=Outcome.FAIL,
            sentence="errors: no proof of harm; 1,000 canary requests",
            against=Arm.MAIN,
            unit="share",
            baseline=0.003,
            canary=1 / 300,
            baseline_n=1000.0,
            canary_n=300.0,
            effect=1.11,
            interval=(0.5, math.pi),
            tolerance=1.2,
            p_value=1e-12,
            alpha=0.05 / 3,
            one_look_p=0.25,
            needs=1200,
            detectable=2.5,
            set_aside="no",
            situation=Situation.NO_DATA,
        ),
    ),
    standing=Standing(7, None, 1, 2.5, "errors: harm", 240.0),
    version="0.1.0",
)
FIRST_BLOB = bytes.fromhex(
    "0178f95e8836e5135cc028a2a5cecac6c2c6c6c9ce2cccc3c5c1a2cfcac40eaee1200100b21384750d21b64048ddc32b"
    "a1b908d8702829cf07856a1ab0b5016bde40f45a81431a918d6099059433602ab0c40bb6680167bcbc7c682b86918999"
    "85958d9d8393958b899b87978f995f409091939181991106983961240323509415c86061e6e46461060ab1cbb1303231"
    "01cd78c10ea4191818801c7646a30f8c8c6c2fd8d730dd63943032e2dac0e9685f6f6f6bef70ebea87ecc2899c6b4219"
    "fca60b2afa853234ce14fcfd2094614ba360884028c30b5d4117865006e95782ba40ca5f50500200a4a75821"
)


def test_a_look_made_by_the_first_version_stays_readable():
    """Blobs of version 1 are read for ever."""
    assert codec.decode(FIRST_BLOB) == FIRST_LOOK


def test_what_says_no_more_is_written_as_before():
    """An older firedamp beside this one reads all looks without unlabelled requests."""
    assert codec.encode(FIRST_LOOK) == FIRST_BLOB


def test_unlabelled_requests_make_a_newer_look():
    """They stand behind all the rest, and come back with it."""
    slices = {
        name: dataclasses.replace(piece, unlabelled=number)
        for (name, piece), number in zip(FIRST_LOOK.evidence.slices.items(), (240.5, 0.0), strict=True)
    }
    evidence = dataclasses.replace(FIRST_LOOK.evidence, slices=slices)
    look = dataclasses.replace(FIRST_LOOK, evidence=evidence)
    blob = codec.encode(look)

    assert blob[0] == 2
    assert codec.decode(blob) == look


def test_failing_traces_make_a_newer_look():
    """Those of the slices and those of the findings."""
    slices = {
        name: dataclasses.replace(piece, examples=traces, mixed=len(traces))
        for (name, piece), traces in zip(
            FIRST_LOOK.evidence.slices.items(), (("4bf9", "00f0"), ()), strict=True
        )
    }
    first, *others = FIRST_LOOK.findings
    look = dataclasses.replace(
        FIRST_LOOK,
        evidence=dataclasses.replace(FIRST_LOOK.evidence, slices=slices),
        findings=(dataclasses.replace(first, traces=("4bf9",)), *others),
    )
    blob = codec.encode(look)

    assert blob[0] == 3
    assert codec.decode(blob) == look


def test_a_withheld_pass_makes_the_newest_look():
    """The block at which warnings withheld it stands behind all the rest."""
    standing = dataclasses.replace(FIRST_LOOK.standing, withheld_block=5)
    look = dataclasses.replace(FIRST_LOOK, standing=standing)
    blob = codec.encode(look)

    assert blob[0] == 4
    assert codec.decode(blob) == look


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Look, "evidence findings standing version"),
        (Evidence, "block slices weight step"),
        (Block, "index start end"),
        (Slice, "rows bounds troubles unlabelled examples mixed"),
        (Trouble, "kind text arm"),
        (Standing, "failed_block passed_block judged detectable harm elapsed_seconds withheld_block"),
        (
            Finding,
            "check kind tier outcome sentence against unit baseline canary baseline_n canary_n effect "
            "interval tolerance p_value alpha one_look_p needs detectable set_aside situation traces",
        ),
    ],
)
def test_every_field_of_a_look_is_written(kind: type, fields: str):
    """A field added to these types needs a new version of the codec, or it would be lost."""
    assert [field.name for field in dataclasses.fields(kind)] == fields.split()


def test_an_unknown_version_is_refused():
    """A blob of a later version is not guessed at."""
    with pytest.raises(StoreError, match="version 05"):
        codec.decode(b"\x05" + codec.encode(a_look(0))[1:])


def test_no_bytes_are_no_look():
    """An empty blob is refused like any damage."""
    with pytest.raises(StoreError):
        codec.decode(b"")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_never_becomes_another_look(data: st.DataObject):
    """A flipped bit is noticed, unless it is one of the few that deflate does not use."""
    blob = bytearray(codec.encode(a_look(3)))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    with suppress(StoreError):
        assert codec.decode(bytes(blob)) == a_look(3)


@pytest.mark.parametrize("kept", [1, 2, 20, -5, -1])
def test_a_look_cut_short_is_refused(kept: int):
    """Half a look is none."""
    with pytest.raises(StoreError, match="damaged"):
        codec.decode(codec.encode(a_look(3))[:kept])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_bytes_that_no_writer_made_are_a_value_error(body: bytes):
    """Whatever is behind a good checksum, reading ends in a look or in an error of ours."""
    packer = zlib.compressobj(9, zdict=WORDS_1)
    blob = b"\x01" + packer.compress(body) + packer.flush()

    with suppress(StoreError):
        assert isinstance(codec.decode(blob), Look)
