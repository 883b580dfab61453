"""
Pages for people: releases, services, login, and errors in words.

    pages       one frozen value per page: what a template sees, and nothing else
    wording     from stored values to pages: all words are made here
    views       handlers: read the store, put it into words, render
    templates   no logic beyond loops and ifs
    static      one stylesheet, small scripts of our own, and two libraries of others

Rendered on the server and readable without scripts; a script only adds. Each page has a JSON twin below
`/api/v1`. A state is always a word with a sign beside it, never a colour alone.
"""

from firedamp.ui.live import Live
from firedamp.ui.rendering import error_page, login_page, unsent_page
from firedamp.ui.views import routes
from firedamp.ui.views.live import LiveViews
from firedamp.ui.views.site import Site

__all__ = ["Live", "LiveViews", "Site", "error_page", "login_page", "routes", "unsent_page"]
