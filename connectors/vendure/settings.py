"""What a Vendure store needs to be reached."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.addresses import shop_address
from connectors.forms import ADVANCED, VISIBLE
from connectors.pages import CategoryPath, PageRules, ProductPath, StorefrontUrl, by_patterns


class VendureSettings(BaseModel):
    """Address and habits of one store. Nothing here is secret. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        title="Admin API address",
        description="The address of the Admin API, with its path: /admin-api, where nothing else "
        "was configured.",
        max_length=2000,
        examples=["https://shop.example/admin-api"],
    )
    channel: str = Field(
        title="Channel token",
        default="",
        max_length=200,
        description="The token of the channel that is the shop; none: the default channel.",
        examples=["uk-channel"],
    )
    language: str = Field(
        title="Language",
        default="",
        max_length=10,
        pattern=r"^[A-Za-z_]*$",
        description="The language of names and descriptions, as Vendure calls it; none: the "
        "channel's default language. Other languages are left alone.",
        examples=["en", "pt_BR"],
    )
    stock_location: str = Field(
        title="Stock location",
        default="",
        max_length=100,
        pattern=r"^[0-9A-Za-z-]*$",
        description="Id of the location that stock is written to; none: the store's first one. "
        "Stock is read of all locations together.",
        examples=["1"],
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
        default=100,
        ge=1,
        le=900,
        description="Records read in one request; a store allows 1000, where nothing else was "
        "configured.",
        json_schema_extra=ADVANCED,
    )
    write_concurrency: int = Field(
        title="Parallel writes",
        default=4,
        ge=1,
        le=32,
        description="Write requests under way at once. Each holds a connection of the store to its "
        "database, of which it has ten, and some want a second one.",
        json_schema_extra=ADVANCED,
    )
    storefront_url: StorefrontUrl = ""
    product_path: ProductPath = ""
    category_path: CategoryPath = ""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        address = shop_address(value)
        return address if urlsplit(address).path else f"{address}/admin-api"

    @property
    def public_pages(self) -> PageRules:
        """The storefront is the merchant's own: only the settings know where it is."""
        return by_patterns(self.storefront_url, self.product_path, self.category_path)


class VendureCredentials(BaseModel):
    """How an administrator signs in: by name and password, or by an API key."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "oneOf": [
                {"title": "API key", "required": ["api_key"]},
                {"title": "Name and password", "required": ["username", "password"]},
            ]
        },
    )

    api_key: SecretStr | None = Field(
        title="API key",
        default=None,
        min_length=1,
        max_length=500,
        description="An API key of an administrator.",
    )
    username: SecretStr | None = Field(
        title="User name",
        default=None,
        min_length=1,
        max_length=300,
        description="An administrator's email or name.",
        json_schema_extra=VISIBLE,
    )
    password: SecretStr | None = Field(
        title="Password",
        default=None,
        min_length=1,
        max_length=300,
        description="That administrator's password.",
    )

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        pair = (self.username, self.password)
        if (self.api_key is not None) == any(pair) or any(pair) != all(pair):
            raise ValueError("give an API key, or else a user name and a password")
        return self
