"""Pages for people: each is one file that needs no network."""
