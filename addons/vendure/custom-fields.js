'use strict';

/** What Vendure has no place for. None of it is shown to shoppers. */

const { LanguageCode } = require('@vendure/core');

const field = (name, label, more = {}) => ({
    name,
    type: 'string',
    nullable: true,
    public: false,
    label: [{ languageCode: LanguageCode.en, value: label }],
    ...more,
});

/** The name of the record in the store that it comes from; two records never share one. */
const key = () => field('recentSyncKey', 'Key of recent-sync', { unique: true });

/** The name of a part of an order there. */
const part = () => field('importedId', 'Id before the move');

/** What something was called there, of any length. */
const words = (name, label) => field(name, label, { type: 'text' });

const customFields = {
    Address: [field('firstName', 'First name'), field('email', 'Email')],
    Collection: [key()],
    Customer: [key()],
    Fulfillment: [part()],
    Order: [
        key(),
        words('customerNote', 'Note of the customer'),
        words('importedAs', 'As it was before the move'),
    ],
    OrderLine: [part(), words('importedName', 'Name when sold'), field('importedSku', 'SKU when sold')],
    Payment: [part()],
    Product: [key(), field('productSku', 'SKU of the whole product')],
    ProductVariant: [field('statusOncePriced', 'Status once it has a price')],
    Refund: [part()],
    ShippingLine: [part(), words('title', 'Title when sold'), words('method', 'Method when sold')],
};

module.exports = { customFields };
