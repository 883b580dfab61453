"""
Words that looks are full of, given to deflate before it begins.

A single look is too short for deflate to learn its words; with these it begins halfway. A dictionary
belongs to a version of the codec and never changes, since old looks cannot be read without it. The
commonest words stand last, where references to them are shortest.
"""

#: Dictionary of version 1.
WORDS_1 = (
    b"unreachable, timed out, overloaded, refused: the answer is too large; the source warned; "
    b"no series carries the pod label no samples scrape gap of s partial answer a counter was reset "
    b"too_large no_pod_label no_series refused partial source_down no_data no_traffic window_over gap reset "
    b"checkout cart payments orders search frontend catalog shipping api gateway backend worker service "
    b"istio grpc http server client upstream database cache queue depth goroutines threads connections "
    b"saturation throughput availability retries timeouts restarts memory cpu latency-p99 errors-5xx "
    b"0.1.0 MiB bytes per second ratio percent share seconds ms "
    b": no values from the canary yet: no values above 0 from in pod for blocks in a row; at most at least "
    b" counted since the start; above nothing passes; both versions are failing: "
    b": during warm-up the canary served of the far beyond even a tenfold rate; it is failing outright "
    b": the canary served of the errors with % of the traffic ( % against % in baseline); chance, pod "
    b"differences and the % tolerance explain fewer than "
    b" (a good release gets here 1 time in more often than not)"
    b": % of the canary's requests take longer than ms, % in main; chance, pod differences and the tolerance "
    b"explain fewer than of them, the canary has ; allowed is "
    b": no requests in the canary so far, nothing to compare: warming up, not judged yet"
    b": too few requests to compare; judged again at the end of the window"
    b": the rate is between times and main's ( % against % in main); a rise by pp is ruled out; a rise to "
    b"restarts errors latency threshold relative distribution proportion traffic_share "
    b"debug warn critical inconclusive pass fail baseline main canary "
    b" MiB in the canary, MiB in main: 1.0\xc3\x97 (0.9\xc3\x97 to 1.1\xc3\x97, 4 canary pods); more than "
    b"1.15\xc3\x97 is neither proven nor ruled out yet; less than 1.10\xc3\x97 is not allowed"
    b": the canary takes 1.1\xc3\x97 as long as baseline: the canary takes 1.0\xc3\x97 as long as main "
    b"(0.9\xc3\x97 to 1.2\xc3\x97, 1,000 canary requests); slower than 1.20\xc3\x97 is ruled out"
    b"; slower than 1.20\xc3\x97 is neither proven nor ruled out yet"
    b": no proof of harm; 10,000 canary requests with 20 errors can only rule out a rate above 0.5 % "
    b"(0.2 % in baseline); about 1,000 more canary requests are needed "
    b"(\xe2\x89\x88 3 min 30 s at this traffic)"
    b" % in main); about 2,000 more canary requests are needed (\xe2\x89\x88 1 h 5 min at this traffic)"
)
