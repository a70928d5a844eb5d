"""The outside world: each module or package here knows exactly one foreign library and satisfies a port by shape."""
