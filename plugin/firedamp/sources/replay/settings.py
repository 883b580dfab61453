"""Which recording to judge from, and when it is played."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class ReplaySettings(BaseModel):
    """A recording to judge from: a source of metrics, and of traces where it holds some."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["replay"] = "replay"
    name: str = Field(min_length=1, max_length=63)
    path: Annotated[Path, Field(strict=False)]
    #: Unix time at which the first sample shall lie; null leaves times as recorded.
    begin: float | None = None
    #: Label that carries the pod's name.
    pod_label: str = "pod"
    lag: Annotated[float, Field(ge=0, le=600)] = 0.0
