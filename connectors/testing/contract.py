"""The suite to subclass: what any connector must show, against a live or a practice store.

A connector's test module names its `connector` in a subclass of each class here and supplies the
fixture `bench` (`connectors.testing.bench`). Everything asserted is promised by `connectors.base`,
nothing is particular to one platform.
"""

from __future__ import annotations

from connectors.testing.description import DescriptionContract
from connectors.testing.losing import LossContract
from connectors.testing.merging import MergeContract
from connectors.testing.removing import RemovalContract
from connectors.testing.sweeps import SweepContract
from connectors.testing.windows import WindowContract
from connectors.testing.writing import WriteContract

__all__ = ["DescriptionContract", "SourceContract", "TargetContract"]


class SourceContract(SweepContract, WindowContract):
    """Reading a store."""


class TargetContract(WriteContract, LossContract, MergeContract, RemovalContract):
    """Writing a store."""
