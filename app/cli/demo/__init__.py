"""`recent-sync demo`: a real shop moves while it goes on selling, and the result is proven."""
