"""`firedamp serve`: run the service until it is told to stop."""

from typing import Annotated

import typer

from firedamp.cli import options


def serve(
    config: options.Config = None,
    host: Annotated[str, typer.Option(help="Address to listen on, instead of the settings'.")] = "",
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of the settings'.")] = None,
    anybody_anywhere: Annotated[
        bool, typer.Option("--anybody-anywhere", help="Serve the network without tokens all the same.")
    ] = False,
) -> None:
    """Serve verdicts to Argo Rollouts, Flagger, pipelines and people."""
    from firedamp.server import run

    settings = options.settings(config)
    given = {"host": host or None, "port": port}
    listen = settings.listen.model_copy(update={name: one for name, one in given.items() if one is not None})
    run(settings.model_copy(update={"listen": listen}), anybody_anywhere=anybody_anywhere)
