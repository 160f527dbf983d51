"""What a WooCommerce store needs to be reached."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.addresses import shop_address
from connectors.forms import ADVANCED
from connectors.pages import CategoryPath, PageRules, StorefrontUrl, by_patterns


class WooCommerceSettings(BaseModel):
    """Address and habits of one store. Nothing here is secret. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        title="Shop address",
        description="The shop's address, as a browser shows it: https://shop.example",
        max_length=2000,
        examples=["https://shop.example"],
    )
    auth: Literal["auto", "basic", "oauth1"] = Field(
        default="auto",
        title="Signing",
        description="How requests are signed. auto: Basic over https, OAuth 1.0a over http, "
        "because WooCommerce refuses Basic over plain http.",
        json_schema_extra=ADVANCED,
    )
    verify_tls: bool = Field(
        default=True,
        title="Check the certificate",
        description="Whether the store's certificate has to be valid.",
        json_schema_extra=ADVANCED,
    )
    behind_https_proxy: bool = Field(
        default=False,
        title="Behind an https proxy",
        description="The address is an inner one, behind a proxy that ends TLS: tell the store "
        "that the visitor came by https. It does not change how requests are signed.",
        json_schema_extra=ADVANCED,
    )
    currency: str = Field(
        default="",
        pattern=r"^([A-Z]{3})?$",
        description="The currency of product prices (ISO 4217), where the key may not ask the "
        "store for it.",
        examples=["EUR"],
    )
    timeout: float = Field(
        default=60.0,
        gt=0,
        le=600,
        title="Time-out",
        description="Seconds for one request.",
        json_schema_extra=ADVANCED,
    )
    page_size: int = Field(
        default=100,
        ge=1,
        le=100,
        title="Page size",
        description="Records read in one request.",
        json_schema_extra=ADVANCED,
    )
    write_concurrency: int = Field(
        default=4,
        ge=1,
        le=32,
        title="Parallel writes",
        description="Write requests under way at once.",
        json_schema_extra=ADVANCED,
    )
    write_settle: float = Field(
        default=20.0,
        ge=0,
        le=3600,
        title="Settling time of writes",
        description="Seconds for which a write whose answer never came may still be running.",
        json_schema_extra=ADVANCED,
    )
    copy_images: bool = Field(
        default=True,
        title="Copy images",
        description="Let the store (as a target) fetch product images from their source.",
    )
    storefront_url: StorefrontUrl = ""
    category_path: CategoryPath = "/product-category/{path}/"

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        return shop_address(value, suffix="/wp-json")

    @property
    def public_pages(self) -> PageRules:
        """Pages of products are where the store says."""
        return by_patterns(self.storefront_url or self.url, "", self.category_path)

    @property
    def signs_by_oauth(self) -> bool:
        """Whether requests carry an OAuth 1.0a signature instead of Basic credentials."""
        if self.auth == "auto":
            return self.url.startswith("http://")
        return self.auth == "oauth1"


class WooCommerceCredentials(BaseModel):
    """A REST API key of the store (WooCommerce → Settings → Advanced → REST API)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    consumer_key: SecretStr = Field(
        min_length=1, max_length=200, description="Begins with ck_; shown once, when it is made."
    )
    consumer_secret: SecretStr = Field(
        min_length=1, max_length=200, description="Begins with cs_; shown once, beside the key."
    )
