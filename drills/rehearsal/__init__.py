"""A whole launch, rehearsed on the replayed shop: what `make rehearsal` plays."""
