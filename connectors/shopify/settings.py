"""What a Shopify store needs to be reached."""

from __future__ import annotations

import re
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.forms import ADVANCED, VISIBLE
from connectors.pages import PageRules, StorefrontUrl, by_patterns

ApiVersion = Literal["2026-10", "2026-07"]

NO_CHANNELS = "none"
"""The word in the settings that keeps new goods off all sales channels."""

_SHOP = re.compile(r"[a-z0-9][a-z0-9-]*")


class ShopifySettings(BaseModel):
    """Address and habits of one store. Nothing here is secret. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        title="Store address",
        description="The store's own address at Shopify, not its public domain: "
        "https://my-store.myshopify.com, or my-store alone.",
        max_length=2000,
        examples=["https://my-store.myshopify.com"],
    )
    api_version: ApiVersion = Field(
        title="API version",
        default="2026-10",
        description="The version of the Admin API that is asked for. An answer of any other "
        "version is refused: Shopify silently answers with another once a version is retired.",
        json_schema_extra=ADVANCED,
    )
    locations: str = Field(
        title="Locations",
        default="",
        max_length=2000,
        description="Ids (numbers, with commas between them) of the locations whose stock counts; "
        "none: all of them. A target takes the first one, or its oldest active location.",
        examples=["905684977, 905684978"],
    )
    channels: str = Field(
        title="Sales channels",
        default="",
        max_length=2000,
        description="Names or ids of the sales channels, with commas between them, that a target "
        "puts new products and collections on; empty: the Online Store; `none`: no channel.",
        examples=["Online Store, Point of Sale"],
    )
    verify_tls: bool = Field(
        title="Check the certificate",
        default=True,
        description="Whether the store's certificate has to be valid.",
        json_schema_extra=ADVANCED,
    )
    timeout: float = Field(
        title="Time-out",
        default=60.0,
        gt=0,
        le=600,
        description="Seconds for one request.",
        json_schema_extra=ADVANCED,
    )
    page_size: int = Field(
        title="Page size",
        default=50,
        ge=1,
        le=250,
        description="Records read in one request; fewer where Shopify finds that too costly.",
        json_schema_extra=ADVANCED,
    )
    bulk_from: int = Field(
        title="Bulk operations from",
        default=1000,
        ge=1,
        description="From how many records on a sweep is read by a bulk operation.",
        json_schema_extra=ADVANCED,
    )
    bulk_patience: float = Field(
        title="Patience with bulk operations",
        default=7200.0,
        gt=0,
        le=86_400,
        description="For how long a bulk operation may run before it is cancelled and the records "
        "are read page by page.",
        json_schema_extra=ADVANCED,
    )
    write_concurrency: int = Field(
        title="Parallel writes",
        default=4,
        ge=1,
        le=32,
        description="Write requests under way at once.",
        json_schema_extra=ADVANCED,
    )
    storefront_url: StorefrontUrl = ""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        text = value.strip().rstrip("/")
        if _SHOP.fullmatch(text.lower()):
            return f"https://{text.lower()}.myshopify.com"
        try:
            parts = urlsplit(text)
            port_is_valid = parts.port is None or parts.port > 0
        except ValueError:
            raise ValueError("is not a valid address") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
            raise ValueError("must be an http or https address with a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not hold a user or a password")
        if parts.query or parts.fragment or parts.path not in ("", "/admin"):
            raise ValueError("must be the store's address alone, without a path")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("locations")
    @classmethod
    def _are_numbers(cls, value: str) -> str:
        numbers = [each.strip().rpartition("/")[2] for each in value.split(",") if each.strip()]
        if not all(each.isdecimal() for each in numbers):
            raise ValueError("must be ids of locations, which are numbers")
        return ",".join(numbers)

    @property
    def public_pages(self) -> PageRules:
        """Shopify's own form of addresses, which nobody can change."""
        base = self.storefront_url or self.url
        return by_patterns(base, "/products/{slug}", "/collections/{slug}")

    @property
    def channel_names(self) -> tuple[str, ...] | None:
        """The channels that are named, None where none is."""
        names = tuple(each.strip() for each in self.channels.split(",") if each.strip())
        if [each.casefold() for each in names] == [NO_CHANNELS]:
            return ()
        return names or None

    @property
    def location_ids(self) -> tuple[str, ...]:
        """The numbers of the locations that count."""
        return tuple(self.locations.split(",")) if self.locations else ()


class ShopifyCredentials(BaseModel):
    """How an app of the store signs in: by an access token of its own, or by the client id and
    secret of an app that is installed in the store, for which a token is fetched every day.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "oneOf": [
                {"title": "Access token", "required": ["access_token"]},
                {"title": "Client id and secret", "required": ["client_id", "client_secret"]},
            ]
        },
    )

    access_token: SecretStr | None = Field(
        title="Access token",
        default=None,
        min_length=1,
        max_length=200,
        description="Admin API access token.",
    )
    client_id: SecretStr | None = Field(
        title="Client id",
        default=None,
        min_length=1,
        max_length=200,
        description="Client id of an installed app.",
        json_schema_extra=VISIBLE,
    )
    client_secret: SecretStr | None = Field(
        title="Client secret",
        default=None,
        min_length=1,
        max_length=200,
        description="Client secret of that app.",
    )

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        pair = (self.client_id, self.client_secret)
        if (self.access_token is not None) == any(pair) or any(pair) != all(pair):
            raise ValueError("give an access token, or else a client id and a client secret")
        return self
