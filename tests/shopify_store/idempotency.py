"""`@idempotent(key: …)`: wanted at run time since 2026-04, though no schema says so."""

import json
from collections.abc import Callable

from graphql import GraphQLError, get_directive_values

from tests.shopify_store.failures import Refusal
from tests.shopify_store.fields import Ask, Doc


def once(ask: Ask, arguments: Doc, act: Callable[[], Doc]) -> Doc:
    """Do it once for a key, and give the first answer again for the same key and input.

    Raises `GraphQLError` without a key, `Refusal` for a key that came with other input. What was
    refused is not kept.
    """
    key = _key(ask)
    if key is None:
        raise GraphQLError(
            "The @idempotent directive is required for this mutation but was not provided.",
            extensions={"code": "BAD_REQUEST"},
        )
    assert ask.info is not None
    asked = json.dumps([ask.info.field_name, arguments], sort_keys=True, default=str)
    if key in ask.store.idempotency:
        before, answer = ask.store.idempotency[key]
        if before != asked:
            words = "The same idempotency key was used with other parameters."
            raise Refusal(words, code="IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
        found: Doc = answer
        return found
    answer = act()
    ask.store.idempotency[key] = (asked, answer)
    return answer


def _key(ask: Ask) -> str | None:
    info = ask.info
    assert info is not None
    directive = info.schema.get_directive("idempotent")
    assert directive is not None
    values = get_directive_values(directive, info.field_nodes[0], info.variable_values)
    return values["key"] if values else None
