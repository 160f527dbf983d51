"""What a slice can be besides the engine's own kinds, which know nothing of their neighbours."""

from __future__ import annotations

from collections.abc import Mapping

from app.models import SliceKind
from workers.checks.conducting import check_slice
from workers.engine.slices import Duty

DUTIES: Mapping[SliceKind, Duty] = {SliceKind.CHECK: check_slice}
