"""
A shop whose releases are judged before your eyes: a bad canary, a good one, and one that is bad end to end.

The shop is a recording made once by `shop` (with `pods` and `orders`) from a seed, and shipped with the
package; `controller` plays Argo's part over HTTP against the real application on a clock that runs fast.
"""
