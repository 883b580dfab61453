"""
The REST interface below `/api/v1`: what the pages show, for programs.

    asks        `calls`: what a caller may send, strictly read
    answers     `answers`: what comes back, as pydantic models; `rendering`: how our values become them
    handlers    a module per room (`verdicts`, `releases`, `rulings`, `gates`, ...), each with its own table
                of operations; thin: the judge and the store do the work. `routes` joins the tables
    document    `openapi`: OpenAPI 3.1, written from the same models and the same tables

An answer is strict JSON in which what is not known is left out. Lists are paged by key (`before`, `after`,
`next`), so that a page never shifts while new releases arrive. An error is `{"error": "..."}` with value,
limit and remedy.
"""

from firedamp.contracts.api.routes import routes

__all__ = ["routes"]
