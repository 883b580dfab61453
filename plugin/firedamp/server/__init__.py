"""The service: `create_app` makes the application, `serving` puts it on a socket, `run` is the process."""

from firedamp.server.application import LIFECYCLE, create_app
from firedamp.server.protocol import Address, serving
from firedamp.server.running import run

__all__ = ["LIFECYCLE", "Address", "create_app", "run", "serving"]
