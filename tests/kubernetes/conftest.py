"""A cluster, a pod's way to it, and releases that are rolled out in it."""

import pytest

from fakekube import FakeKubernetes, listening
from firedamp.kubernetes import Api, Place


@pytest.fixture
def cluster():
    return FakeKubernetes()


@pytest.fixture
async def place(cluster, tmp_path):
    """Where the cluster is, with the token in a file."""
    token = tmp_path / "token"
    token.write_text(f"{cluster.token}\n", encoding="ascii")
    async with listening(cluster) as url:
        yield Place(url, token_file=token)


@pytest.fixture
async def api(place):
    """Asks the cluster."""
    asking = Api(place, seconds=1.0, pause_seconds=0.01)
    yield asking
    await asking.close()
