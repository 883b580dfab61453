"""
alembic's entry: run the steps on the connection that `migrate` hands over.

On SQLite tables are altered in batch mode, by copying; foreign keys are off there, since dropping
the old copy would otherwise take the rows that refer to it along.
"""

from alembic import context

from firedamp.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
