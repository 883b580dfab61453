"""What looking at the pages takes: a store filled once, the service in its own process, those who look."""
