"""The engine: reads a pass, decides by digest, writes what differs, and keeps the ledger."""
