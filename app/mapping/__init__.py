"""Mapping rules: what a migration changes in records between its stores.

`rules` says what may be written down, `mapper` carries it out. Nothing here does input or output.
"""
