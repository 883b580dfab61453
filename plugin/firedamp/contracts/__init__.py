"""
HTTP dialects: one module per kind of caller, strangers to one another.

Each exports `routes(judge, store, settings, ...)`. What all of them share lies in `_wire`: strict reading,
strict answering, and the desk that puts questions to the judge and turns our own trouble into a verdict.
"""
