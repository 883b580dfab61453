"""
The REST interface below `/api/v1`: what the pages show, for programs.

    asks        `calls`: what a caller may send, strictly read
    answers     `answers`: what comes back, as pydantic models; `rendering`: how our values become them
    handlers    `routes`: thin; the judge and the store do the work
    document    `openapi`: OpenAPI 3.1, written from the same models and the same table of routes

An answer is strict JSON in which what is not known is left out. Lists are paged by key (`before`, `after`,
`next`), so that a page never shifts while new releases arrive. An error is `{"error": "..."}` with value,
limit and remedy.
"""

from firedamp.contracts.api.routes import routes

__all__ = ["routes"]
