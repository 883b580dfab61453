"""
A session as bytes, so that it need not be folded again from its first block.

A snapshot holds what moved; parameters, checks and grants are those of a session begun anew. It names the
engine that wrote it and what it belongs to, and has a digest of the rest. Whatever does not fit, be it from
another version, of other noise or damaged, is no snapshot: the blocks tell the same, only slower.
"""

import hashlib
import zlib
from itertools import chain
from typing import get_args, get_type_hints

import msgspec

from firedamp import __version__
from firedamp.checks import Check
from firedamp.decision import parameters as stored
from firedamp.decision.frozen import Kinds, UnfitError
from firedamp.decision.session import Session

#: More bytes than this, before they are packed, are no snapshot.
MOST_BYTES = 16_000_000

_CHECKS, *_ = get_args(Check)
_KINDS = Kinds(Session, *(get_type_hints(check.begin)["return"] for check in get_args(_CHECKS)))
#: What wrote a snapshot: the version, and the classes that a session is made of.
ENGINE = f"{__version__}/{_KINDS.shape}"
# Chances of paths hardly shrink: a higher level takes longer, and saves a hundredth.
_LEVEL = 1


class _Body(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What is on disk; text and digests before the state."""

    engine: str
    belongs: bytes
    digest: bytes
    packed: bytes


def taken(session: Session, *, most_bytes: int = MOST_BYTES) -> bytes:
    """
    The session as a snapshot.

    Raises:
        UnfitError: it is too large, or of something that cannot be written.
    """
    state = _KINDS.encode(session, _shared(session))
    if len(state) > most_bytes:
        raise UnfitError(f"the session takes {len(state)} bytes, at most {most_bytes} are kept")
    packed = zlib.compress(state, _LEVEL)
    return msgspec.msgpack.encode(_Body(ENGINE, _belongs(session), _digest(packed), packed))


def restored(body: bytes, begun: Session, *, most_bytes: int = MOST_BYTES) -> Session:
    """
    The session that a snapshot was taken of.

    Args:
        body: the snapshot.
        begun: the same session without evidence.
        most_bytes: of the session.

    Raises:
        UnfitError: the snapshot is another engine's, another release's or noise's, or damaged.
    """
    session = _KINDS.decode(_unpacked(_read(body, begun), most_bytes), _shared(begun))
    if not isinstance(session, Session):
        raise UnfitError("the snapshot holds no session")
    return session


def _read(body: bytes, begun: Session) -> bytes:
    try:
        told = msgspec.msgpack.decode(body, type=_Body)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UnfitError(f"the snapshot cannot be read: {error}") from error
    if told.engine != ENGINE:
        raise UnfitError(f"the snapshot is of firedamp {told.engine[:80]}, this is {ENGINE}")
    if told.belongs != _belongs(begun):
        raise UnfitError("the snapshot belongs to other parameters, another start or other noise")
    if told.digest != _digest(told.packed):
        raise UnfitError("the snapshot is damaged")
    return told.packed


def _unpacked(packed: bytes, most_bytes: int) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        state = unpacking.decompress(packed, most_bytes)
    except zlib.error as error:
        raise UnfitError(f"the snapshot cannot be unpacked: {error}") from error
    if not unpacking.eof:
        raise UnfitError(f"the snapshot is no whole session of at most {most_bytes} bytes")
    return state


def _shared(session: Session) -> list[object]:
    """What no block changes, in the same order for a session and the one it began as."""
    grants = chain.from_iterable((trust.check, trust.grant) for trust in session.trusts)
    return [session.parameters, *grants]


def _belongs(session: Session) -> bytes:
    """Digest of all that a session is begun with."""
    grants = [trust.grant for trust in session.trusts]
    begun_with = f"{stored.to_json(session.parameters)} {session.started!r} {grants!r}"
    return _digest(begun_with.encode())


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
