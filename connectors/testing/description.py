"""What a connector says of itself: enough to find it, to draw its form and to explain it."""

from __future__ import annotations

import re
from typing import ClassVar

import msgspec.structs
from pydantic import BaseModel

from connectors import registry
from connectors.base import Bounds, Connector, Trust
from connectors.forms import Field, fields, schema
from connectors.records import CONTENT_TYPES, Stream

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class DescriptionContract:
    """A connector's `Connector`. Needs no store."""

    connector: ClassVar[Connector]

    def test_it_is_installed_under_its_name(self) -> None:
        assert _NAME.fullmatch(self.connector.name)
        assert registry.connector(self.connector.name) is self.connector

    def test_a_side_has_capabilities_exactly_where_it_can_be_opened(self) -> None:
        assert bool(self.connector.reads) == (self.connector.source is not None)
        assert bool(self.connector.writes) == (self.connector.target is not None)
        assert self.connector.reads or self.connector.writes

    def test_every_field_of_its_form_explains_itself(self) -> None:
        for each in self._form():
            assert each.title, each.name
            assert each.help, each.name
            assert each.title != each.help, each.name

    def test_of_several_ways_to_sign_in_each_has_a_name(self) -> None:
        for model in (self.connector.settings, self.connector.credentials):
            form = schema(model)
            for way in form.get("oneOf", ()):
                assert way.get("title"), model.__name__
                assert set(way["required"]) <= form["properties"].keys(), model.__name__

    def test_what_has_to_be_entered_is_not_folded_away(self) -> None:
        assert not [each.name for each in self._form() if each.required and each.advanced]

    def test_credentials_are_secret_and_settings_are_not(self) -> None:
        assert all(each.secret for each in fields(self.connector.credentials))
        assert not any(each.secret for each in fields(self.connector.settings))

    def test_a_secret_has_no_value_beforehand(self) -> None:
        for each in fields(self.connector.credentials):
            assert not each.default, each.name
            assert not each.placeholder, each.name

    def test_unknown_values_are_refused(self) -> None:
        """A setting with a slip in its name is told, and not ignored."""
        for model in (self.connector.settings, self.connector.credentials):
            assert model.model_config.get("extra") == "forbid", model.__name__

    def test_it_says_what_to_grant_and_how(self) -> None:
        assert self.connector.steps
        assert self.connector.permissions
        for each in self.connector.permissions:
            assert each.name
            assert each.purpose

    def test_what_cannot_be_trusted_is_explained(self) -> None:
        for stream, reads in self.connector.reads.items():
            if reads.trust is not Trust.EXACT:
                assert reads.blind_spots, stream
            if reads.bounds is Bounds.NONE:
                assert reads.trust is Trust.SWEEP, stream
            else:
                assert reads.moves, stream

    def test_numbers_make_sense(self) -> None:
        for reads in self.connector.reads.values():
            assert reads.page_size > 0
            assert reads.granularity > 0
            assert min(reads.overlap, reads.settle) >= 0
        for writes in self.connector.writes.values():
            assert min(writes.batch, writes.find_batch) > 0
            assert writes.write_settle >= 0

    def test_removals_are_named_once(self) -> None:
        for stream, writes in self.connector.writes.items():
            actions = [each.action for each in writes.removals]
            assert len(actions) == len(set(actions)), stream

    def test_derived_fields_are_fields_of_the_record(self) -> None:
        for stream, writes in self.connector.writes.items():
            known = {each.name for each in msgspec.structs.fields(CONTENT_TYPES[stream])}
            assert {each.partition(".")[0] for each in writes.derived} <= known, stream

    def test_streams_are_known(self) -> None:
        assert set(self.connector.reads) | set(self.connector.writes) <= set(Stream)

    def _form(self) -> list[Field]:
        models: list[type[BaseModel]] = [self.connector.settings, self.connector.credentials]
        return [each for model in models for each in fields(model)]
