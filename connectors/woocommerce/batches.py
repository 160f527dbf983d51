"""The batch endpoints, and what a write that failed means for its operations.

A batch answers 200 although items in it failed; each item is judged alone. A batch whose answer
never came may have been applied in full, in part, or still be running.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

from connectors import attempts
from connectors.base import Operation, Refused
from connectors.errors import BadAnswer, Rejected, StoreError
from connectors.woocommerce.api import Api, RefusedRequest, decoder, refusal, says_gone
from connectors.woocommerce.wire import WireError

Body = dict[str, Any]
Item = Raw | RefusedRequest
"""An item of a batch's answer: the record's JSON, or why it was refused."""

_CODES = {
    "product_invalid_sku": "duplicate_sku",
    "woocommerce_rest_product_not_created": "duplicate_sku",
    "product_invalid_global_unique_id": "duplicate_barcode",
    "registration-error-email-exists": "email_exists",
    "customer_invalid_email": "email_exists",
    "woocommerce_rest_customer_invalid_email": "email_exists",
    "registration-error-username-exists": "username_exists",
    "registration-error-invalid-username": "username_exists",
    "registration-error-invalid-email": "invalid_email",
    "woocommerce_rest_invalid_customer_id": "unknown_customer",
    "woocommerce_rest_invalid_coupon": "unknown_coupon",
    "woocommerce_product_image_upload_error": "image_refused",
    "term_exists": "duplicate_term",
    "woocommerce_rest_cannot_create_order_refund": "refund_refused",
}
ADDON_GONE = "addon_gone"
"""The code of a `BadAnswer`: the store's add-on was there before."""

_WRONG_PLACES = attempts.WRONG_PLACES | {"store_not_woocommerce", ADDON_GONE}


class _FailedItem(Struct):
    error: WireError


class _BatchAnswer(Struct):
    create: list[Raw] = []
    update: list[Raw] = []
    delete: list[Raw] = []


class Batch(NamedTuple):
    """Items of a batch's answer, in the order in which they were sent."""

    created: list[Item]
    updated: list[Item]
    deleted: list[Item]


async def send_batch(
    api: Api,
    path: str,
    *,
    create: Sequence[Body] = (),
    update: Sequence[Body] = (),
    delete: Sequence[int] = (),
) -> Batch:
    """Send one batch. Raises `StoreError` where the batch as a whole failed."""
    parts = {"create": create, "update": update, "delete": delete}
    sent = {name: items for name, items in parts.items() if items}
    answer, request_id = await api.post_batch(f"{path}/batch", sent, _BatchAnswer)
    answered = (answer.create, answer.update, answer.delete)
    found = Batch(*([_item(raw, request_id) for raw in raws] for raws in answered))
    if [len(each) for each in found] != [len(create), len(update), len(delete)]:
        raise BadAnswer("the store answers a batch with another number of items")
    return found


def _item(raw: Raw, request_id: str | None) -> Item:
    try:
        return refusal(decoder(_FailedItem).decode(raw).error, request_id=request_id)
    except msgspec.ValidationError:
        return raw


def refused(operation: Operation, error: Rejected) -> Refused:
    """Why a record was refused, in words that stay the same."""
    code, message = error.code, error.message
    gone = False
    if isinstance(error, RefusedRequest):
        code = _CODES.get(error.platform_code, "store_rejected")
        is_update = operation.target_id is not None
        missing = error.status == HTTPStatus.NOT_FOUND or says_gone(error)
        gone = is_update and missing
        if error.resource_id is not None:
            message += f"; the target's record {error.resource_id} stands in its way"
    return Refused(
        source_id=operation.source_id,
        code="gone" if gone else code,
        message=message,
        gone=gone,
        request_id=error.request_id,
    )


class Attempt(attempts.Attempt):
    """One call of `Target.write` on a WooCommerce store."""

    wrong_places = _WRONG_PLACES

    def refused(self, operation: Operation, error: Rejected) -> Refused:
        """Why a record was refused, in words that stay the same."""
        return refused(operation, error)


def is_unapplied(error: StoreError) -> bool:
    """Whether a write that failed this way surely changed nothing."""
    return attempts.is_unapplied(error, _WRONG_PLACES)
