"""
A look as one small blob, and back, exactly.

The first byte says the version of everything behind it: the order of the values, how numbers are
packed and the dictionary of common words. What a version means is never changed again; a field
more is a new version, and `decode` keeps reading the old ones. Layout of version 1: one byte, then
a zlib stream (with its own checksum, so a damaged look is refused and never misread) of the streams
in `streams`. Version 2 has, behind that, each slice's requests without a version label; version 3, behind
those, the failing traces of each slice and finding, and each slice's mixed ones; version 4, behind those, at
which block warnings withheld a pass. A look is written in the oldest version that says the same.

Order of mappings is kept: sums over pods must come out the same when a release is replayed.
"""

import zlib
from dataclasses import replace

from firedamp.errors import StoreError
from firedamp.model import (
    Arm,
    Block,
    Evidence,
    Look,
    Row,
    Slice,
    Standing,
    Trouble,
    TroubleKind,
)
from firedamp.store import findings as columns
from firedamp.store.dictionary import WORDS_1
from firedamp.store.findings import maybe, required
from firedamp.store.streams import Reader, Writer

#: The newest first.
VERSIONS = (4, 3, 2, 1)
_MAX_BYTES = 64 * 1024 * 1024  # no honest look comes near it


def encode(look: Look) -> bytes:
    """Write a look as a blob of the oldest version that says it all."""
    writer = Writer()
    writer.word(look.version)
    _write_evidence(writer, look.evidence)
    _write_standing(writer, look.standing)
    columns.write(writer, look.findings)
    version = _version(look)
    _write_more(writer, look, version)
    packer = zlib.compressobj(9, zdict=WORDS_1)
    return bytes([version]) + packer.compress(writer.done()) + packer.flush()


def _write_more(writer: Writer, look: Look, version: int) -> None:
    for piece in look.evidence.slices.values() if version > 1 else ():
        writer.number(piece.unlabelled)
    for traces in _traces(look) if version > 2 else ():
        writer.integer(len(traces))
        for trace in traces:
            writer.word(trace)
    for piece in look.evidence.slices.values() if version > 2 else ():
        writer.integer(piece.mixed)
    if version > 3:
        writer.integer(look.standing.withheld_block)


def _version(look: Look) -> int:
    """The oldest that says all of it."""
    if look.standing.withheld_block is not None:
        return 4
    if any(_traces(look)) or any(piece.mixed for piece in look.evidence.slices.values()):
        return 3
    # Bits, not values: -0.0 is no 0.0.
    return 2 if any(str(piece.unlabelled) != "0.0" for piece in look.evidence.slices.values()) else 1


def _traces(look: Look) -> list[tuple[str, ...]]:
    """Of the slices, then of the findings."""
    examples = [piece.examples for piece in look.evidence.slices.values()]
    return [*examples, *(finding.traces for finding in look.findings)]


def decode(blob: bytes) -> Look:
    """
    Read a blob of any version so far.

    Raises:
        StoreError: the blob is damaged, or of a version this firedamp does not know.
    """
    if not blob or blob[0] not in VERSIONS:
        raise StoreError(
            f"look of version {blob[:1].hex() or 'no'}, known are 01 to 04: use a newer firedamp"
        )
    try:
        return _read_look(Reader(_unpacked(blob[1:])), blob[0])
    except (zlib.error, ValueError, IndexError) as error:
        raise StoreError(f"look of {len(blob)} bytes is damaged: {error}") from error


def _unpacked(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(zdict=WORDS_1)
    unpacked = unpacker.decompress(body, _MAX_BYTES)
    if not unpacker.eof:
        raise ValueError("it ends too early or is too large")
    return unpacked


def _read_look(reader: Reader, layout: int) -> Look:
    version = reader.text()
    evidence = _read_evidence(reader)
    standing = _read_standing(reader)
    look = Look(evidence, columns.read(reader), standing, version)
    return _with_more(reader, look, layout) if layout > 1 else look


def _with_more(reader: Reader, look: Look, layout: int) -> Look:
    """What later versions have behind all the rest."""
    slices, findings = dict(look.evidence.slices), look.findings
    slices = {check: replace(piece, unlabelled=reader.value()) for check, piece in slices.items()}
    if layout > 2:
        slices = {check: replace(piece, examples=_read_texts(reader)) for check, piece in slices.items()}
        findings = tuple(replace(finding, traces=_read_texts(reader)) for finding in findings)
        slices = {check: replace(piece, mixed=reader.count()) for check, piece in slices.items()}
    standing = replace(look.standing, withheld_block=reader.integer()) if layout > 3 else look.standing
    evidence = replace(look.evidence, slices=slices)
    return replace(look, evidence=evidence, findings=findings, standing=standing)


def _read_texts(reader: Reader) -> tuple[str, ...]:
    return tuple(reader.text() for _ in range(reader.count()))


def _write_evidence(writer: Writer, evidence: Evidence) -> None:
    block = evidence.block
    writer.integer(block.index)
    writer.number(block.start)
    writer.number(block.end - block.start if _adds_up(block) else None)
    writer.number(None if _adds_up(block) else block.end)
    writer.number(evidence.weight)
    writer.integer(evidence.step)
    writer.integer(len(evidence.slices))
    for check, piece in evidence.slices.items():
        writer.word(check)
        _write_slice(writer, piece)


def _adds_up(block: Block) -> bool:
    """Whether start and length give exactly this end: then the length, short, is enough."""
    return block.start + (block.end - block.start) == block.end and block.end != 0


def _read_evidence(reader: Reader) -> Evidence:
    index, start = reader.count(), reader.value()
    length, end = reader.number(), reader.number()
    block = Block(index, start, start + length if length is not None else required(end))
    weight, step = reader.number(), reader.count()
    slices = {reader.text(): _read_slice(reader) for _ in range(reader.count())}
    return Evidence(block, slices, weight, step)


def _write_slice(writer: Writer, piece: Slice) -> None:
    writer.integer(len(piece.rows))
    for arm, pods in piece.rows.items():
        writer.word(arm.value)
        writer.integer(len(pods))
        for pod, row in pods.items():
            writer.word(pod)
            _write_row(writer, row)
    _write_row(writer, piece.bounds)
    writer.integer(len(piece.troubles))
    for trouble in piece.troubles:
        writer.word(trouble.kind.value)
        writer.word(trouble.text)
        writer.word(trouble.arm and trouble.arm.value)


def _read_slice(reader: Reader) -> Slice:
    rows = {Arm(reader.text()): _read_pods(reader) for _ in range(reader.count())}
    bounds = _read_row(reader)
    troubles = tuple(_read_trouble(reader) for _ in range(reader.count()))
    return Slice(rows, bounds, troubles)


def _read_pods(reader: Reader) -> dict[str, Row]:
    return {reader.text(): _read_row(reader) for _ in range(reader.count())}


def _read_trouble(reader: Reader) -> Trouble:
    return Trouble(TroubleKind(reader.text()), reader.text(), maybe(Arm, reader.word()))


def _write_row(writer: Writer, row: Row) -> None:
    writer.integer(len(row))
    for number in row:
        writer.number(number)


def _read_row(reader: Reader) -> Row:
    return reader.values(reader.count())


def _write_standing(writer: Writer, standing: Standing) -> None:
    writer.integer(standing.failed_block)
    writer.integer(standing.passed_block)
    writer.integer(standing.judged)
    writer.number(standing.detectable)
    writer.word(standing.harm)
    writer.number(standing.elapsed_seconds)


def _read_standing(reader: Reader) -> Standing:
    failed, passed, judged = reader.integer(), reader.integer(), reader.count()
    return Standing(failed, passed, judged, reader.number(), reader.text(), reader.value())
