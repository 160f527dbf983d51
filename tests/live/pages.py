"""How many records a real store gives at once while the contract suite reads it."""

PAGE = 8
"""The fewest records that the suite reads in pages, 17, are three of these: a first, a middle and
a last one. Each request of a real store costs it tens of milliseconds of a processor.
"""
