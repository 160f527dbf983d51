"""Webhooks and their deliveries."""

from __future__ import annotations

from app.errors.problem import Problem
from app.errors.requests import InvalidRequest, NotFound


class WebhookNotFound(NotFound):
    code = "webhook_not_found"
    title = "There is no such webhook"


class DeliveryNotFound(NotFound):
    code = "delivery_not_found"
    title = "There is no such delivery"


class WebhookDisabled(Problem):
    status = 409
    code = "webhook_disabled"
    title = "The webhook is disabled"


class InvalidWebhook(InvalidRequest):
    code = "invalid_webhook"
    title = "This webhook cannot be delivered to"
