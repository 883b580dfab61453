"""
Pages for people: the list of releases, one release with its checks, login, and errors in words.

Rendered on the server, without scripts; a page shows one frozen value and nothing else. Each has a JSON twin
below `/api/v1`. A state is always a word with a mark beside it, never a colour alone.
"""

from firedamp.ui.rendering import error_page, login_page, stylesheet
from firedamp.ui.views import routes

__all__ = ["error_page", "login_page", "routes", "stylesheet"]
