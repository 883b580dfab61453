"""
A real Prometheus that scrapes, for what shows only over the wire: real time passes.

    with ScrapingPrometheus(config) as prometheus:
        ask(prometheus.url)
"""

import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from real.program import Program, free_ports


class ScrapingPrometheus(Program):
    """
    A running server, between enter and exit.

    Args:
        configuration: of Prometheus.
        binary: another one than the one on PATH.
        port: that it listens on; a free one where it is not given.
        data: a folder that it keeps its series in; its own goes with it.

    Attributes:
        url: its address, once entered.
    """

    name = "scraping"

    def __init__(
        self,
        configuration: Mapping[str, Any],
        binary: Path | None = None,
        *,
        port: int | None = None,
        data: Path | None = None,
    ) -> None:
        super().__init__()
        self._configuration = dict(configuration)
        self._binary = binary or Path("prometheus")
        self._port = port
        self._data = data
        self.url = ""

    def start(self, folder: Path) -> None:
        (folder / "prometheus.yml").write_text(yaml.safe_dump(self._configuration))
        port = self._port or free_ports(1)[0]
        self.url = f"http://127.0.0.1:{port}"
        listen = f"--web.listen-address=127.0.0.1:{port}"
        data = f"--storage.tsdb.path={self._data or 'data'}"
        command = [self._binary, "--config.file=prometheus.yml", data, listen]

        def is_ready() -> None:
            urllib.request.urlopen(f"{self.url}/-/ready", timeout=1).close()

        self.run(command, folder, is_ready)
