'use strict';

/** Keeping an order still while it is looked at and written: staff may be at it in this moment. */

const { Fulfillment, Order, OrderLine, Payment } = require('@vendure/core');
const { In } = require('typeorm');

/** Databases that lock no rows: they let only one write at a time. */
const WHOLE = new Set(['better-sqlite3', 'sqlite', 'sqljs']);

/**
 * Wait for whoever is changing the order, and let nobody begin. Parts come before the order itself,
 * as in Vendure's own changes: two that wait for each other would both wait for ever.
 */
async function hold(parts, order) {
    if (WHOLE.has(parts.connection.rawConnection.options.type)) {
        return;
    }
    const held = [
        [Payment, order.payments],
        [Fulfillment, order.fulfillments],
        [OrderLine, order.lines],
        [Order, [order]],
    ];
    for (const [entity, rows] of held) {
        await parts.repository(entity).find({
            where: { id: In(rows.map(each => each.id)) },
            select: { id: true },
            order: { id: 'ASC' },
            lock: { mode: 'pessimistic_write' },
            loadEagerRelations: false,
        });
    }
}

module.exports = { hold };
