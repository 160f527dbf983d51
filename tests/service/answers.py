from __future__ import annotations

from typing import Any

import httpx


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that an answer is, after looking at its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    members: dict[str, Any] = answer.json()
    assert members["code"] == code, members
    assert members["status"] == status
    assert members["type"] == f"urn:recent-sync:problem:{code}"
    assert members["title"]
    assert members["detail"]
    assert members["request_id"] == answer.headers["x-request-id"]
    return members
