"""What counts for limits and budgets: the counters, what is kept of forgotten people, and the proof of the sums."""
