"""
The Dockerfile: clean, and what it makes answers from a read-only root as an unprivileged user.

Where a container engine runs, FIREDAMP_TEST_DOCKER=1 builds and runs the image itself (on the base that
FIREDAMP_TEST_BASE names); everywhere else the same steps run in a clean copy-on-write root.
"""

import os
import shlex
import shutil
import socket
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest

from shipping.dockerfile import PROLOGUE, context, environment, last_stage, only, script, steps, words
from shipping.manifests import CHART, ROOT

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STEPS = steps(TEXT)
IMAGE = last_stage(STEPS)
#: What the machine needs to reach the package registries.
OUTSIDE = {
    name: os.environ[name]
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_CERT", "PIP_INDEX_URL", "SSL_CERT_FILE")
    if name in os.environ
}
COMMAND = [*words(only(IMAGE, "ENTRYPOINT")), *words(only(IMAGE, "CMD"))]
ASK = (CHART / "files" / "ask.py").read_text(encoding="utf-8")
HEALTH = words(only(IMAGE, "HEALTHCHECK").split(" CMD ", 1)[1])


def test_hadolint_finds_nothing():
    """The Dockerfile's linter is content."""
    hadolint = shutil.which("hadolint", path=sysconfig.get_path("scripts")) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed")

    done = subprocess.run([hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True)

    assert (done.stdout, done.returncode) == ("", 0)


def test_the_image_runs_unprivileged():
    """The user is a number above 0, so that Kubernetes can see that it is not root."""
    user, group = only(IMAGE, "USER").split(":")

    assert int(user) > 0
    assert int(group) > 0


def test_the_image_listens_where_a_container_must():
    """Inside a container it serves all addresses and keeps its database on the volume."""
    known = environment(IMAGE, {"PATH": "/usr/bin"})

    assert known["FIREDAMP_LISTEN__HOST"] == "0.0.0.0"
    assert known["FIREDAMP_LISTEN__PORT"] == only(IMAGE, "EXPOSE")
    assert known["FIREDAMP_STORE__URL"].startswith(f"sqlite:///{only(IMAGE, 'VOLUME')}/")
    assert known["PATH"] == "/opt/firedamp/bin:/usr/bin"


def test_the_base_is_for_the_builder_to_choose():
    """Both stages stand on the same base, which a build argument names."""
    assert only(STEPS, "ARG").startswith("BASE=")
    assert [step.rest.split()[0] for step in STEPS if step.word == "FROM"] == ["${BASE}", "${BASE}"]


def test_the_legacy_builder_understands_it():
    """Nothing needs BuildKit: no mounts, no heredocs, no directives."""
    assert [step.rest for step in STEPS if "--mount" in step.rest or "<<" in step.rest] == []
    assert not TEXT.startswith("# syntax=")


def test_the_image_has_exactly_what_the_lock_names():
    """Each package is installed by hash and without looking for further ones."""
    installs = [
        part
        for step in STEPS
        if step.word == "RUN"
        for part in step.rest.split("&&")
        if "pip install" in part
    ]

    assert all("--no-deps" in part for part in installs)
    assert all("--require-hashes" in part or "--no-index" in part for part in installs)


def test_the_context_is_what_is_copied():
    """.dockerignore lets in what the Dockerfile copies and nothing else."""
    copied = [step.rest.split()[:-1] for step in STEPS if step.word == "COPY" and "--from" not in step.rest]

    assert sorted(context()) == sorted(source for sources in copied for source in sources)
    assert all((ROOT / source).exists() for source in context())


def test_the_chart_starts_what_the_image_starts():
    """The chart's arguments are the image's own."""
    deployment = (CHART / "templates" / "deployment.yaml").read_text(encoding="utf-8")

    assert all(f"- {word}" in deployment for word in words(only(IMAGE, "CMD")))


@pytest.mark.real
@pytest.mark.timeout(900)
def test_the_steps_make_a_firedamp_that_answers(tmp_path):
    """
    The Dockerfile's own steps, run one by one in a clean root, make a firedamp that answers.

    It runs as the image's user on a root where only the volume and /tmp are writable, is healthy by the
    image's own health check, gives a verdict, and leaves with 0 on SIGTERM.
    """
    if reason := no_clean_root(tmp_path):
        pytest.skip(reason)

    done = in_clean_root(script(TEXT, OUTSIDE, afterwards(free_port())), tmp_path)

    if any(sign in done.stdout for sign in ("Temporary failure", "NewConnectionError")):
        pytest.skip("the package registries cannot be reached")
    assert done.returncode == 0, done.stdout[-4000:]
    said = done.stdout.partition("BEGIN\n")[2].splitlines()
    assert "healthy" in said
    assert "read-only" in said
    assert "data: firedamp.db" in said
    assert any(line.startswith("inconclusive: helm-test/helm-test is not set up") for line in said)
    assert said[-1] == "left with 0"


def no_clean_root(folder):
    """Why this machine cannot run the steps in a root of their own; None when it can."""
    if not Path("/etc/debian_version").exists() or shutil.which("unshare") is None:
        return "the steps are run on Debian and its kin only"
    if os.geteuid() != 0:
        return "only root can make a root file system of its own"
    done = in_clean_root(f"{PROLOGUE}\nstage 0", folder)
    return f"no mounts here: {done.stdout.strip()}" if done.returncode else None


def in_clean_root(text, folder):
    """Run a script in namespaces of its own: its mounts and processes end with it."""
    place = folder / "roots"
    place.mkdir(exist_ok=True)
    alone = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child")
    return subprocess.run(
        [*alone, "sh", "-c", text],
        env={"PATH": os.environ["PATH"], "W": str(place)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def afterwards(port):
    """Start what the image starts, look at it, ask it, and stop it."""
    token = "fd_a-token-for-this-test"
    settings = shlex.join(
        [
            "FIREDAMP_LISTEN__HOST=127.0.0.1",
            f"FIREDAMP_LISTEN__PORT={port}",
            "FIREDAMP_AUTH__TOKEN_FILES={test: /tmp/token}",
        ]
    )
    asking = shlex.join(
        [f"FIREDAMP_URL=http://127.0.0.1:{port}", f"FIREDAMP_TOKEN={token}", "python3", "-c", ASK]
    )
    return f"""
echo BEGIN
echo {token} > "$ROOTFS/tmp/token"
(image {settings} {shlex.join(COMMAND)} 2>&1) & server=$!
for _ in $(seq 120); do
    if (image {settings} {shlex.join(HEALTH)} 2>/dev/null); then echo healthy; break; fi
    sleep 0.5
done
(image sh -c 'touch /opt/firedamp/x || touch /etc/x || touch /x' 2>/dev/null) || echo read-only
(image sh -c 'ls /data') | sed 's/^/data: /'
(image {asking})
kill -TERM $server
code=0; wait $server || code=$?
echo "left with $code"
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.real
@pytest.mark.timeout(900)
@pytest.mark.skipif(os.environ.get("FIREDAMP_TEST_DOCKER") != "1", reason="FIREDAMP_TEST_DOCKER is not 1")
def test_the_image_answers():
    """The image itself, built by the engine, does the same with a read-only root and no capabilities."""
    base = os.environ.get("FIREDAMP_TEST_BASE", "python:3.11-slim-bookworm")
    image = f"firedamp-test:{os.getpid()}"
    docker("build", "--network=host", f"--build-arg=BASE={base}", "-t", image, str(ROOT))
    options = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
    name = docker("run", "-d", *options, image)
    try:
        health = waited(name)
        token = next(word for word in docker("logs", name).split() if word.startswith("fd_"))
        known = {"FIREDAMP_URL": "http://127.0.0.1:8080", "FIREDAMP_TOKEN": token}
        asking = [f"-e{variable}={value}" for variable, value in known.items()]
        said = docker("exec", *asking, name, "python3", "-c", ASK)
        docker("stop", name)
        code = docker("inspect", "-f", "{{.State.ExitCode}}", name)
    finally:
        docker("rm", "-f", "-v", name)
        docker("rmi", image)

    assert health == "healthy"
    assert "inconclusive: helm-test/helm-test is not set up" in said
    assert code == "0"


def docker(*words):
    """What a docker command says, on either stream."""
    done = subprocess.run(
        ["docker", *words],
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout.strip()


def waited(name):
    """The container's health, once it is settled."""
    for _ in range(60):
        health = docker("inspect", "-f", "{{.State.Health.Status}}", name)
        if health != "starting":
            return health
        time.sleep(1)
    return "starting"
