"""The steps, one module each; released ones never change."""
