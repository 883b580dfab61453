"""The benchmark of traces: a tiny run answers in the shape that is promised."""

import json

import traces


def test_json_tells_every_figure_with_its_spread_and_its_bars(capsys):
    """One object on standard output; speed has a bar below, memory one above."""
    assert traces.main(["--json", "--rounds", "2", "--requests", "1", "--traces", "200"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert {"python", "protobuf", "rounds", "figures"} <= set(told)
    assert {"spans/s", "B", "%"} == {figure["unit"] for figure in told["figures"]}
    assert all(figure["low"] <= figure["median"] <= figure["high"] for figure in told["figures"])
    assert [figure["at_least"] for figure in told["figures"] if "gzip" in figure["name"]] == [50_000.0]
