"""The demo sets up logging for its process; here the process is pytest's."""

import pytest

from quiet import logging_restored


@pytest.fixture(autouse=True)
def _logging():
    with logging_restored():
        yield
