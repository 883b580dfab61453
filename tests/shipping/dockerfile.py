"""
Reads the Dockerfile and turns it into a shell script that does the same without a container engine.

Each stage gets a root of its own: a copy-on-write view of this machine's root, with everything hidden that
does not belong to the distribution. The script runs in its own mount namespace, so nothing of it remains.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shipping.manifests import ROOT

#: Folders of this machine that are no part of a plain base image.
_HIDDEN = ("/root", "/home", "/opt", "/srv", "/tmp", "/usr/local", "/var/tmp")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction: its word and the rest of it, continued lines joined."""

    word: str
    rest: str


def steps(text: str) -> tuple[Step, ...]:
    """All instructions in order; comments go, as the builder has it also between continued lines."""
    kept = "\n".join(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    lines = re.sub(r"\\\n\s*", " ", kept).splitlines()
    return tuple(Step(*line.split(None, 1)) for line in lines)


def last_stage(found: tuple[Step, ...]) -> tuple[Step, ...]:
    """The instructions of the image that results."""
    begin = max(number for number, step in enumerate(found) if step.word == "FROM")
    return found[begin:]


def only(found: tuple[Step, ...], word: str) -> str:
    """The rest of the one instruction with this word."""
    (rest,) = [step.rest for step in found if step.word == word]
    return rest


def environment(found: tuple[Step, ...], base: Mapping[str, str]) -> dict[str, str]:
    """The base's variables with those that ENV instructions add."""
    known = dict(base)
    for step in found:
        if step.word == "ENV":
            for pair in shlex.split(step.rest):
                name, _, value = pair.partition("=")
                known[name] = re.sub(r"\$(\w+)", lambda hit: known.get(hit[1], ""), value)
    return known


def context(root: Path = ROOT) -> list[str]:
    """What .dockerignore lets into the build, for the one shape it has: nothing but."""
    lines = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line[1:] for line in lines if line.startswith("!")]


def script(text: str, outside: Mapping[str, str], then: str) -> str:
    """
    The script: builds all stages below the folder $W, then runs `then` in the last one, sealed.

    Sealed means read-only but for the volume and /tmp.

    Args:
        text: the Dockerfile.
        outside: variables that the machine needs to reach the package registries (proxies, certificates).
        then: shell commands; `image` becomes what it is given, run as the image's user in its root.
    """
    stages = _stages(steps(text))
    body = [line for number, stage in enumerate(stages) for line in _stage(number, stage, outside)]
    return "\n".join([PROLOGUE, *body, *_sealed(len(stages) - 1, stages[-1]), then])


PROLOGUE = """set -eu
mount -t tmpfs -o size=4g,mode=755 tmpfs "$W"
stage() {
    mkdir -p "$W/$1/upper" "$W/$1/work" "$W/$1/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$W/$1/upper,workdir=$W/$1/work" "$W/$1/root"
    for one in dev proc sys; do mount --rbind "/$one" "$W/$1/root/$one"; done
}
hide() { mkdir -p "$1"; mount -t tmpfs tmpfs "$1"; }
seal() { mount -o remount,ro "$1"; }"""


def _stages(found: tuple[Step, ...]) -> list[tuple[Step, ...]]:
    begins = [number for number, step in enumerate(found) if step.word == "FROM"]
    return [found[begin:end] for begin, end in zip(begins, [*begins[1:], len(found)], strict=True)]


def _stage(number: int, stage: tuple[Step, ...], outside: Mapping[str, str]) -> Iterator[str]:
    root, folder = f'"$W/{number}/root"', "/"
    yield f"stage {number}"
    yield from (f"hide {root}{hidden}" for hidden in _HIDDEN)
    for index, step in enumerate(stage):
        known = environment(stage[:index], {"PATH": _PATH, **outside})
        match step.word:
            case "RUN":
                variables = " ".join(shlex.quote(f"{name}={value}") for name, value in known.items())
                command = shlex.quote(f"cd {folder}\n{step.rest}")
                yield f"chroot {root} /usr/bin/env -i {variables} /bin/sh -c {command}"
            case "WORKDIR":
                folder = step.rest
                yield f"mkdir -p {root}{folder}"
            case "COPY":
                yield from _copied(step.rest, root, folder)
            case _:
                pass  # says something about the image, does nothing


def _copied(rest: str, root: str, folder: str) -> Iterator[str]:
    *sources, target = rest.split()
    place = f"{root}{target if target.startswith('/') else f'{folder}/{target}'}"
    if sources[0].startswith("--from="):
        # Both stages of our file are numbered: `build` is the first.
        yield f'mkdir -p {place} && cp -a "$W/0/root{sources[1]}/." {place}/'
        return
    for source in sources:
        inside = f"{place}/{source}" if len(sources) > 1 else place
        yield f"cp -r {shlex.quote(str(ROOT / source))} {inside}"
        yield f"find {inside} -name __pycache__ -prune -exec rm -r {{}} +"


def _sealed(number: int, stage: tuple[Step, ...]) -> Iterator[str]:
    known = environment(stage, {"PATH": _PATH})
    variables = " ".join(shlex.quote(f"{name}={value}") for name, value in known.items())
    user = only(stage, "USER")
    yield f'export ROOTFS="$W/{number}/root"'
    yield f'hide "$ROOTFS{only(stage, "VOLUME")}"'
    yield f'chown {user} "$ROOTFS{only(stage, "VOLUME")}"'
    yield from (f'seal "$ROOTFS{hidden}"' for hidden in ("", *_HIDDEN) if hidden != "/tmp")
    yield f'image() {{ exec chroot --userspec={user} --groups= "$ROOTFS" /usr/bin/env -i {variables} "$@"; }}'


def words(rest: str) -> list[str]:
    """An instruction in exec form as its words."""
    found: list[str] = json.loads(rest)
    return found
