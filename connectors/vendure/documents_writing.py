"""The GraphQL documents that write, and those that only writing needs."""

from __future__ import annotations

from functools import cache

from connectors.records import Stream
from connectors.vendure.api import Document

_KEPT = "id updatedAt"


def _mutation(name: str, field: str, type_: str, shown: str, *, twice: bool = False) -> Document:
    """A mutation of one input."""
    return Document(
        f"mutation {name}($input: {type_}) {{ {field}(input: $input) {shown} }}", repeatable=twice
    )


# --- facets, collections -------------------------------------------------------------------------

FACETS = Document(
    "query Facets($options: FacetListOptions) "
    "{ facets(options: $options) { items { id name code isPrivate } } }"
)
VALUES = Document(
    "query Values($options: FacetValueListOptions) "
    "{ facetValues(options: $options) { items { id name code facetId } } }"
)
CREATE_FACET = _mutation("CreateFacet", "createFacet", "CreateFacetInput!", "{ id }")
CREATE_VALUE = _mutation("CreateValue", "createFacetValue", "CreateFacetValueInput!", "{ id }")
CREATE_COLLECTION = _mutation(
    "CreateCollection", "createCollection", "CreateCollectionInput!", f"{{ {_KEPT} }}"
)
UPDATE_COLLECTION = _mutation(
    "UpdateCollection", "updateCollection", "UpdateCollectionInput!", f"{{ {_KEPT} }}", twice=True
)
MOVE_COLLECTION = _mutation(
    "MoveCollection", "moveCollection", "MoveCollectionInput!", f"{{ {_KEPT} }}"
)
ROOT_OF = Document("query Root($id: ID!) { collection(id: $id) { breadcrumbs { id } } }")

# --- products ------------------------------------------------------------------------------------

CREATE_PRODUCT = _mutation("CreateProduct", "createProduct", "CreateProductInput!", "{ id }")
UPDATE_PRODUCT = _mutation(
    "UpdateProduct", "updateProduct", "UpdateProductInput!", "{ id }", twice=True
)
CREATE_GROUP = _mutation(
    "CreateGroup",
    "createProductOptionGroup",
    "CreateProductOptionGroupInput!",
    "{ id name code options { id name code } }",
)
ADD_GROUP = Document(
    "mutation AddGroup($product: ID!, $group: ID!) "
    "{ addOptionGroupToProduct(productId: $product, optionGroupId: $group) { id } }",
    repeatable=False,
)
REMOVE_GROUP = Document(
    "mutation RemoveGroup($product: ID!, $group: ID!) { removeOptionGroupFromProduct"
    "(productId: $product, optionGroupId: $group, force: true) { __typename } }",
    repeatable=False,
)
CREATE_OPTION = _mutation(
    "CreateOption", "createProductOption", "CreateProductOptionInput!", "{ id name code }"
)
CREATE_VARIANTS = _mutation(
    "CreateVariants", "createProductVariants", "[CreateProductVariantInput!]!", "{ id }"
)
UPDATE_VARIANTS = _mutation(
    "UpdateVariants",
    "updateProductVariants",
    "[UpdateProductVariantInput!]!",
    "{ id }",
    twice=True,
)
DELETE_VARIANTS = Document(
    "mutation DeleteVariants($ids: [ID!]!) { deleteProductVariants(ids: $ids) { result } }",
    repeatable=False,
)

# --- customers, orders, stock --------------------------------------------------------------------

CREATE_CUSTOMER = _mutation(
    "CreateCustomer",
    "createCustomer",
    "CreateCustomerInput!",
    "{ __typename ... on Customer { id } ... on ErrorResult { errorCode } }",
)
UPDATE_CUSTOMER = _mutation(
    "UpdateCustomer",
    "updateCustomer",
    "UpdateCustomerInput!",
    "{ __typename ... on Customer { id } ... on ErrorResult { errorCode } }",
    twice=True,
)
CREATE_ADDRESS = Document(
    "mutation CreateAddress($customer: ID!, $input: CreateAddressInput!) "
    "{ createCustomerAddress(customerId: $customer, input: $input) { id } }",
    repeatable=False,
)
UPDATE_ADDRESS = _mutation(
    "UpdateAddress", "updateCustomerAddress", "UpdateAddressInput!", "{ id }", twice=True
)
DELETE_ADDRESS = Document(
    "mutation DeleteAddress($id: ID!) { deleteCustomerAddress(id: $id) { success } }",
    repeatable=False,
)
COUNTRIES = Document(
    "query Countries($options: CountryListOptions) "
    "{ countries(options: $options) { totalItems items { id code name } } }"
)
LOCATIONS = Document(
    "query Locations { stockLocations(options: { sort: { id: ASC }, take: 1 }) { items { id } } }"
)


def import_order(shown: str) -> Document:
    """Bring an order in; sent twice it is brought in once."""
    return Document(
        f"mutation ImportOrder($input: ImportOrderInput!) "
        f"{{ importOrder(input: $input) {{ {shown} }} }}"
    )


_DELETES = {
    Stream.CATEGORIES: "deleteCollection",
    Stream.PRODUCTS: "deleteProduct",
    Stream.CUSTOMERS: "deleteCustomer",
}


@cache
def delete(stream: Stream) -> Document:
    """Delete one record."""
    field = _DELETES[stream]
    return Document(f"mutation Delete($id: ID!) {{ {field}(id: $id) {{ result message }} }}")
