"""The workflow checks, in the order in which they run."""

from __future__ import annotations

from workers.checks import shopper, support

CHECKS = (*support.CHECKS[:2], *shopper.CHECKS, *support.CHECKS[2:])
