"""Platforms: what the installed connectors can do."""

from __future__ import annotations

from app.schemas.platform import (
    Loss,
    PermissionOut,
    PlatformOut,
    Reading,
    RemovalWay,
    Writing,
)
from connectors.base import Connector, ReadCapability, WriteCapability
from connectors.forms import schema
from connectors.records import Stream
from connectors.registry import connectors


def list_platforms() -> list[PlatformOut]:
    """All platforms, by name."""
    return [_shown(name, each) for name, each in sorted(connectors().items())]


def _shown(name: str, connector: Connector) -> PlatformOut:
    reads = {each: _reading(connector.reads[each]) for each in Stream if each in connector.reads}
    writes = {each: _writing(connector.writes[each]) for each in Stream if each in connector.writes}
    return PlatformOut(
        name=name,
        title=connector.title,
        source=reads if connector.source is not None else None,
        target=writes if connector.target is not None else None,
        permissions=[PermissionOut.model_validate(each) for each in connector.permissions],
        steps=list(connector.steps),
        redirects=connector.redirects or None,
        settings_schema=schema(connector.settings),
        credentials_schema=schema(connector.credentials),
    )


def _reading(capability: ReadCapability) -> Reading:
    return Reading(
        trust=capability.trust,
        overlap=capability.overlap,
        settle=capability.settle,
        granularity=capability.granularity,
        bounds=capability.bounds,
        ties=capability.ties,
        page_size=capability.page_size,
        blind_spots=list(capability.blind_spots),
        moves=list(capability.moves),
        shallow=capability.shallow,
        horizon=capability.horizon,
        horizon_risk=capability.horizon_risk,
    )


def _writing(capability: WriteCapability) -> Writing:
    return Writing(
        idempotent=capability.idempotent,
        merges=capability.merges,
        batch=capability.batch,
        derived=sorted(capability.derived),
        keyed=capability.keyed,
        removals=[RemovalWay(action=each.action, undo=each.undo) for each in capability.removals],
        losses=[
            Loss(field=each.field, reason=each.reason, whole=each.whole, addon=each.addon)
            for each in capability.losses
        ],
        notes=list(capability.notes),
    )
