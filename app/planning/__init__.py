"""What is to be expected of a migration: its size, its arrivals, its freeze. Pure: no clock, no
database, no store.
"""
