"""Drills: practice migrations in which everything goes wrong, and a judge for how they end.

Two practice stores and the engine run in this process under one virtual clock. A seed decides what
people change in both stores, what the stores do to our requests, and when workers die; the same
seed gives the same course.
"""
