"""Measurements, each against a floor or a quiet twin of the same run: what carries over is ratios, not milliseconds."""
