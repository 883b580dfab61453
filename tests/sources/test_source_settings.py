"""Settings of sources: strict, without secrets, and what is opened from them."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from firedamp.config.load import parse
from firedamp.errors import SourceRefusedError
from firedamp.sources import PrometheusSettings, ReplaySettings, SourceSettings, open_source, open_tracer
from firedamp.sources.prometheus import PrometheusSource
from firedamp.sources.replay import Recording, ReplaySource, write_recording
from firedamp.tracing.intake import Interest

ADAPTER: TypeAdapter[PrometheusSettings | ReplaySettings] = TypeAdapter(SourceSettings)


def read(**written: object) -> PrometheusSettings | ReplaySettings:
    return ADAPTER.validate_python(written)


def test_a_source_is_told_by_its_kind():
    """The kind chooses the settings; times are read as people write them."""
    prometheus = read(kind="prometheus", name="main", url="http://prometheus:9090/", timeout="2s")
    replay = read(kind="replay", name="past", path="shop.jsonl.gz")

    assert isinstance(prometheus, PrometheusSettings)
    assert (prometheus.url, prometheus.timeout) == ("http://prometheus:9090", 2.0)
    assert isinstance(replay, ReplaySettings)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"url": "prometheus:9090"}, "write it like http://"),
        ({"url": "ftp://prometheus"}, "write it like http://"),
        ({"url": "http://"}, "write it like http://"),
        ({"url": "http://user:secret@prometheus"}, "a password does not belong into the address"),
        ({"url": "http://prometheus/?token=x"}, "ends before"),
        ({"headers": {"Authorization": "Bearer x"}}, "has a setting of its own"),
        ({"headers": {"X-Scope-OrgID": "x"}}, "has a setting of its own"),
        ({"headers": {"X-A": "b\r\nc: d"}}, "no header that can be sent"),
        ({"headers": {"X A": "b"}}, "no header that can be sent"),
        ({"bearer_token_file": "t", "bearer_token_env": "T"}, "choose one of"),
        ({"username": "judge"}, "belong together"),
        ({"password_file": "p"}, "belong together"),
        ({"token": "secret"}, "Extra inputs"),
        ({"timeout": "soon"}, "no duration"),
        ({"max_series": 0}, "greater than or equal to 1"),
        ({"max_series": True}, "valid integer"),
        ({"replica_labels": ["a-b"]}, "match pattern"),
        ({"pod_labels": []}, "at least 1"),
        ({"kind": "graphite"}, "prometheus"),
    ],
)
def test_what_makes_no_sense_is_refused(written, said):
    """When the settings are read, with the remedy."""
    with pytest.raises(ValidationError, match=said):
        read(**{"kind": "prometheus", "name": "main", "url": "http://prometheus:9090", **written})


async def test_sources_are_opened_from_their_settings(tmp_path: Path):
    """Nothing is asked yet; a missing recording is told at once."""
    path = tmp_path / "empty.jsonl.gz"
    write_recording(path, Recording())

    prometheus = open_source(read(kind="prometheus", name="main", url="http://prometheus:9090"))
    replay = open_source(read(kind="replay", name="past", path=str(path)))

    assert isinstance(prometheus, PrometheusSource)
    assert isinstance(replay, ReplaySource)
    with pytest.raises(SourceRefusedError, match="is no recording of firedamp"):
        open_source(read(kind="replay", name="past", path=str(tmp_path / "none")))


def test_a_recording_is_a_source_of_traces_too(tmp_path: Path):
    """One name serves both."""
    path = tmp_path / "empty.jsonl.gz"
    write_recording(path, Recording())

    settings = read(kind="replay", name="past", path=str(path))
    tracer = open_tracer(settings, Interest(frozenset({"checkout"})), lambda: 0.0)

    assert isinstance(tracer, ReplaySource)


def test_one_recording_can_be_named_for_both():
    """As the source of a service's metrics and of its traces."""
    found = parse(
        {
            "sources": [{"kind": "replay", "name": "past", "path": "shop.jsonl.gz"}],
            "services": [{"name": "checkout", "source": "past", "traces": {"source": "past"}}],
        },
        "f.yaml",
    )

    assert found.metrics == found.tracers == list(found.sources)
