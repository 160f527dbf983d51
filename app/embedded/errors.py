class EmbeddedError(RuntimeError):
    """The servers cannot be had; the message is a sentence for the person who asked for them."""
