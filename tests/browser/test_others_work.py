"""What tests take from others is what is written down."""

import hashlib
from pathlib import Path

VENDOR = Path(__file__).parent / "vendor"


def test_axe_is_as_it_came():
    """Its content is the one whose digest stands in the table, and its licence lies beside it."""
    digest = hashlib.sha256((VENDOR / "axe.min.js").read_bytes()).hexdigest()

    assert digest in (VENDOR / "README.md").read_text(encoding="utf-8")
    assert (VENDOR / "axe.LICENSE").is_file()
