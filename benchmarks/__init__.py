"""Measurements of the whole service and of its parts. Run `python -m benchmarks --help`."""
