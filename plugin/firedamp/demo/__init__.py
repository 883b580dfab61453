"""
A shop whose releases are judged before your eyes: a bad canary, then a good one.

The shop is a recording made once by `shop`, with a seed, and shipped with the package; `controller` plays
Argo's part over HTTP against the real application on a clock that runs fast.
"""
