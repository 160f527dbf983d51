"""A practice store: a small HTTP server that speaks the WooCommerce REST v3 dialect.

It keeps its own data, copies the dialect's traps as they were measured on real stores, and
misbehaves on demand, so that a synchronisation can be rehearsed and tested without a real shop.
"""
