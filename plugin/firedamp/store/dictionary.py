"""
Words that looks are full of, given to deflate before it begins.

A single look is too short for deflate to learn its words; with these it begins halfway. A dictionary
belongs to a version of the codec and never changes, since old looks cannot be read without it. The
commonest words stand last, where references to them are shortest.
"""

#: Dictionary of version 1.
WORDS_1 = (
    b"too_large no_pod_label no_series refused partial source_down no_data no_traffic window_over "
    b"the source warned that its answer is not whole; scrape gap: samples where were expected; "
    b"counter reset without a new pod; no series carries the label no series of the comparison arm "
    b"unreachable timed out after refused the query the answer was too large for firedamp "
    b"both versions are failing; nothing to compare with: all traffic is on the canary. "
    b"kube_pod_container_status_restarts_total container_cpu_usage_seconds_total "
    b"container_memory_working_set_bytes http_request_duration_seconds http_requests_total "
    b"checkout cart payments orders search frontend catalog shipping api-gateway backend worker service "
    b"goroutines threads heap garbage collection queue depth connections open files retries timeouts "
    b"cache hits misses database errors upstream restarts availability saturation throughput "
    b"memory cpu latency latency-p99 error-rate errors-5xx grpc-errors "
    b"absolute limit; at most per minute; would have been seen with 80 %; "
    b"a rise of is excluded; cannot be told yet; not judged: share of the traffic expected "
    b"milliseconds seconds bytes requests per second ratio percent share "
    b"threshold relative distribution proportion traffic_share tail "
    b"debug warn critical inconclusive pass fail baseline main canary "
    b"canary requests are still needed; needs more canary requests; canary requests missing for a pass; "
    b"no harm seen yet, but harm is not excluded; harm is proven; "
    b"is slower than main: is slower than baseline: the median request takes longer; "
    b"% of canary requests failed, against % of baseline; % of canary requests failed, against % of main; "
    b"times as many (95 % interval to ), tolerance "
    b"times the odds, 95 % interval 1.0 to 1.2, tolerance 20 %, p = 0.000 over all looks so far "
    b"(p = 0.0 < 0.00, n = ) against main of requests, against baseline of requests, "
)
