"""What a Medusa store needs to be reached."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.addresses import shop_address
from connectors.forms import ADVANCED
from connectors.pages import CategoryPath, PageRules, ProductPath, StorefrontUrl, by_patterns


class MedusaSettings(BaseModel):
    """Address and habits of one store. Nothing here is secret. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        title="Server address",
        description="The address of the Medusa server, where its Admin API is: not the storefront.",
        max_length=2000,
        examples=["https://api.shop.example"],
    )
    locations: str = Field(
        title="Stock locations",
        default="",
        max_length=2000,
        description="Ids (with commas between them) of the stock locations that count; none: all "
        "of them. A target takes the first one, or the oldest of the store.",
        examples=["sloc_01JZ0000000000000000000000"],
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
        le=200,
        description="Records read in one request.",
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
    product_path: ProductPath = ""
    category_path: CategoryPath = ""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        return shop_address(value, suffix="/admin")

    @property
    def location_ids(self) -> tuple[str, ...]:
        """The locations that count, where they are named."""
        return tuple(each.strip() for each in self.locations.split(",") if each.strip())

    @property
    def public_pages(self) -> PageRules:
        """The storefront is the merchant's own: only the settings know where it is."""
        return by_patterns(self.storefront_url, self.product_path, self.category_path)


class MedusaCredentials(BaseModel):
    """A secret API key of the store (Settings → Secret API Keys)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr = Field(
        title="Secret API key",
        min_length=1,
        max_length=200,
        description="Begins with sk_; shown once, when it is made.",
    )
