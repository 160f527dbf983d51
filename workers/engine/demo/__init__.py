"""The demo: a small sample of a shop, chosen to prove the mapping."""
