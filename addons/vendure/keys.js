'use strict';

/**
 * Vendure keeps products and customers that it deletes, and with them their keys, which have to be
 * unique: without this the same record could never be brought in again.
 */

const { Customer, CustomerEvent, Product, ProductEvent } = require('@vendure/core');

const OWNERS = new Map([
    [CustomerEvent, Customer],
    [ProductEvent, Product],
]);

/** Give up the key of what was deleted, in the transaction that deletes it. */
async function freeKey(event, connection) {
    const owner = OWNERS.get(event.constructor);
    if (owner && event.type === 'deleted') {
        await connection
            .getRepository(event.ctx, owner)
            .update(event.entity.id, { customFields: { recentSyncKey: null } });
    }
}

module.exports = { freeKey };
