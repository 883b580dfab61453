"""From what is stored to what is shown: pure functions, one module per page; all words are made here."""
