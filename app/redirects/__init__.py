"""Old addresses and what answers in their place: a map, its faults, and its forms. Pure."""
