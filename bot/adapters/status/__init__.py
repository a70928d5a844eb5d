"""Health pages and metrics for the operator."""
