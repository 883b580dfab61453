"""What judging takes: looks, statistics, backtests, memory, fetching."""
