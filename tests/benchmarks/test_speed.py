"""The speed benchmark: a tiny run answers in the shape that is promised."""

import json

import speed


def test_json_tells_every_figure_with_its_spread_and_limit(capsys):
    """One object on standard output; limits are those of the look, the release's weight and backtests."""
    assert speed.main(["--json", "--rounds", "1", "--judgements", "600", "--checks", "1"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert {"python", "numpy", "scipy", "firedamp", "rounds", "figures", "fetching"} <= set(told)
    assert {"ms", "times", "KB", "s", "µs"} == {figure["unit"] for figure in told["figures"]}
    for figure in told["figures"]:
        assert 0 < figure["low"] <= figure["median"] <= figure["high"]
        assert figure["met"] is (figure["limit"] is None or figure["median"] <= figure["limit"])
