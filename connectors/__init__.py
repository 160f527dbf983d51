"""Connectors turn one platform's API into canonical records and back.

They know no database, no queue and no web framework. `base` holds what a connector offers,
`records` what it speaks, `errors` how it fails, `registry` how it is found.
"""
