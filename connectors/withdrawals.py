"""Answers to a record that is to leave the target, or to come back to it. Pure."""

from __future__ import annotations

from connectors.base import Applied, Refused, Withdrawal

Answer = Applied | Refused


def carried_out(withdrawal: Withdrawal) -> Applied:
    """It is as wished, or was so already."""
    return Applied(source_id=withdrawal.source_id, target_id=withdrawal.target_id)


def turned_down(withdrawal: Withdrawal, code: str, message: str, *, gone: bool = False) -> Refused:
    """It is as it was."""
    return Refused(source_id=withdrawal.source_id, code=code, message=message, gone=gone)


def not_ours(withdrawal: Withdrawal) -> Refused:
    """It carries another key, or none."""
    return turned_down(withdrawal, "not_ours", "The record on the target does not carry this key.")


def not_there(withdrawal: Withdrawal) -> Refused:
    """It cannot come back."""
    text = "The record is not on the target any more."
    return turned_down(withdrawal, "gone", text, gone=True)
