"""One call of the Kubernetes API: who asks, how long, and what comes of trouble."""

import shutil
import ssl
import subprocess
from dataclasses import replace

import pytest

from fakekube import FakeKubernetes, listening
from firedamp import telemetry
from firedamp.errors import ClusterDownError, ClusterError
from firedamp.kubernetes import Api, Place

ROLLOUT = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/checkout"


async def test_what_is_there_is_got(cluster, api):
    """An object comes as the server keeps it, and what is not there is nothing."""
    cluster.has("rollouts", "checkout")

    assert b"uid-of-checkout" in await api.get(ROLLOUT)
    assert await api.get(ROLLOUT + "-2") is None


async def test_a_renewed_token_is_used(cluster, api, tmp_path):
    """Kubernetes renews the token in its file, so the file is read for every call."""
    cluster.has("rollouts", "checkout")
    await api.get(ROLLOUT)
    cluster.token = "eyJ-another"
    with pytest.raises(ClusterError, match="HTTP 401: Unauthorized"):
        await api.get(ROLLOUT)
    (tmp_path / "token").write_text(cluster.token, encoding="ascii")

    assert await api.get(ROLLOUT) is not None


async def test_a_missing_token_names_its_file(api, tmp_path):
    """Where no service account is mounted the message names the setting and the file."""
    (tmp_path / "token").unlink()

    with pytest.raises(ClusterError, match=r"kubernetes.token_file: .*/token cannot be read"):
        await api.get(ROLLOUT)


@pytest.mark.parametrize("text", ["", " \n", "two\nlines", "schlüssel"])
async def test_what_is_no_token_is_not_sent(api, tmp_path, text):
    """A file without a token, or with more, sends nothing that could break the request."""
    (tmp_path / "token").write_text(text, encoding="utf-8")

    with pytest.raises(ClusterError, match=r"kubernetes.token_file"):
        await api.get(ROLLOUT)


async def test_a_busy_server_is_asked_again(cluster, api):
    """Two troubles that pass are got over."""
    cluster.has("rollouts", "checkout")
    cluster.trouble = [503, 429]

    assert await api.get(ROLLOUT) is not None


async def test_trouble_that_stays_is_told_and_counted(cluster, api):
    """After three attempts it is an error with the server's own words, counted once."""
    before = telemetry.total(telemetry.CLUSTER_ERRORS)
    cluster.trouble = [500] * 3

    with pytest.raises(ClusterDownError, match="HTTP 500: etcdserver: request timed out"):
        await api.get(ROLLOUT)
    assert telemetry.total(telemetry.CLUSTER_ERRORS) == before + 1


async def test_a_refusal_is_not_repeated(cluster, api):
    """Who may not is told so once."""
    cluster.trouble = [403] * 3

    with pytest.raises(ClusterError, match="HTTP 403"):
        await api.get(ROLLOUT)
    assert len(cluster.calls) == 1


async def test_a_redirect_is_not_followed(cluster, api):
    """It would carry the token to somebody else."""
    cluster.trouble = [307]

    with pytest.raises(ClusterError, match="HTTP 307"):
        await api.get(ROLLOUT)


async def test_a_slow_server_is_given_up(cluster, place):
    """A call has its time."""
    cluster.delay_seconds = 30.0
    hasty = Api(place, seconds=0.05, pause_seconds=0.01)

    with pytest.raises(ClusterDownError, match=r"no answer within 0\.05 s"):
        await hasty.get(ROLLOUT)
    await hasty.close()


async def test_an_endless_answer_is_given_up(cluster, api):
    """A server that answers more than 16 MB is not listened to."""
    cluster.has("rollouts", "checkout", padding={"text": "x" * 16_000_000})

    with pytest.raises(ClusterError, match="more than 16000000 bytes"):
        await api.get(ROLLOUT)


async def test_nobody_there_is_an_error_of_its_own(place):
    """A closed port says that Kubernetes cannot be reached."""
    gone = Api(replace(place, url="http://127.0.0.1:9"), seconds=1.0, pause_seconds=0.01)

    with pytest.raises(ClusterDownError, match="cannot be reached"):
        await gone.get(ROLLOUT)
    await gone.close()


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that vouches for itself, and what serves with it."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    names = ["-subj", "/CN=kubernetes", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "ca.crt")]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run([*made, *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.crt", tmp_path / "key.pem")
    return tmp_path / "ca.crt", context


async def test_the_server_must_prove_who_it_is(certificate):
    """With the cluster's certificate the server is trusted, with the system's alone it is not."""
    authority, context = certificate
    cluster = FakeKubernetes(token=None)
    cluster.has("rollouts", "checkout")

    async with listening(cluster, context) as url:
        trusting = Api(Place(url, ca_file=authority), seconds=5.0, pause_seconds=0.01)
        doubting = Api(Place(url), seconds=5.0, pause_seconds=0.01)
        found = await trusting.get(ROLLOUT)
        with pytest.raises(ClusterDownError, match="certificate"):
            await doubting.get(ROLLOUT)
        await trusting.close()
        await doubting.close()

    assert found is not None


async def test_a_certificate_that_is_no_such_thing_names_its_file(tmp_path):
    """A missing or broken ca_file is told by its setting."""
    api = Api(Place("https://127.0.0.1:9", ca_file=tmp_path / "none"), seconds=1.0, pause_seconds=0.01)

    with pytest.raises(ClusterError, match=r"kubernetes.ca_file: .*/none cannot be used"):
        await api.get(ROLLOUT)
