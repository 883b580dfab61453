"""
The command `helm`, as far as our docs use it, on Helm's own library: it installs in a real cluster.

    python helm.py install firedamp charts/firedamp -n firedamp --create-namespace --set replicas=1

Releases, hooks and what `lookup` finds are Helm's; only the words of the command are read here, and a word
that is none of these is refused.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import helm_python


def main(words: Sequence[str]) -> int:
    """Carry out one command."""
    given = _parser().parse_args(words)
    with helm_python.Config(kubeconfig_path=os.environ["KUBECONFIG"], namespace=given.namespace) as cluster:
        if given.command == "uninstall":
            cluster.uninstall(given.release)
        else:
            _put(cluster, given)
    print(f"release {given.release!r}: {given.command} done")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="helm")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("install", "upgrade", "uninstall"):
        command = commands.add_parser(name)
        command.add_argument("release")
        command.add_argument("-n", "--namespace", required=True)
        if name != "uninstall":
            command.add_argument("chart")
            command.add_argument("--set", action="append", default=[])
            command.add_argument("--set-file", action="append", default=[])
            command.add_argument("--create-namespace", action="store_true")
    return parser


def _put(cluster: helm_python.Config, given: argparse.Namespace) -> None:
    values = _values(given)
    with helm_python.Chart.load(given.chart) as chart:
        if given.command == "upgrade":
            cluster.upgrade(chart, given.release, values, namespace=given.namespace)
        else:
            making = {"namespace": given.namespace, "create_namespace": given.create_namespace}
            cluster.install(chart, given.release, values, **making)


def _values(given: argparse.Namespace) -> dict[str, Any]:
    values: dict[str, Any] = helm_python.parse_set_string(",".join(given.set)) if given.set else {}
    for expression in given.set_file:
        name, _, path = expression.partition("=")
        values[name] = Path(path).read_text(encoding="utf-8")
    return values


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
