"""
A seeded arena in which releases are judged side by side by firedamp and by its peers.

`cells` says which releases there are, `noise` and `traffic` make them up, `ours` drives the product's own
path over them, `peers` (with `kayenta`) are the others. `run` plays cell by cell and keeps what it found,
`figures` sums up, `report` and `plots` write it down, `gates` says what must hold.
"""
