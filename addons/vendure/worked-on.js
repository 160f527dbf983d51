'use strict';

/** Orders that staff has edited, paid or sent since they came: they are theirs. */

const { I18nError, LogLevel } = require('@vendure/core');

const { importedId } = require('./parts');

/** Fields of the input that hang together: what an order comes to, and what has been done for it. */
const WHOLE = [
    'state',
    'currencyCode',
    'couponCodes',
    'importedAs',
    'lines',
    'surcharges',
    'shippingLines',
    'payments',
    'refunds',
    'fulfillments',
];

class WorkedOnError extends I18nError {
    constructor() {
        super('staff has worked on this order', {}, 'ORDER_WORKED_ON', LogLevel.Info);
    }
}

/**
 * What of an input may be written to an order that is there. Where staff has worked on it: what
 * does not touch its sums, payments and shipments. The same that was sent before does not either.
 */
function besides(order, input) {
    if (!isWorkedOn(order)) {
        return input;
    }
    const touched = WHOLE.filter(name => input[name] !== undefined);
    const isSame = input.importedAs != null && input.importedAs === order.customFields.importedAs;
    if (touched.length && !isSame) {
        throw new WorkedOnError();
    }
    return Object.fromEntries(Object.entries(input).filter(([name]) => !WHOLE.includes(name)));
}

function isWorkedOn(order) {
    const { fulfillments, lines, payments, shippingLines, surcharges } = order;
    const refunds = payments.flatMap(each => each.refunds);
    const parts = [...fulfillments, ...lines, ...payments, ...refunds, ...shippingLines];
    const came = asItCame(order);
    const hasMoved = kind => each => {
        const state = came.states?.[`${kind}:${importedId(each)}`];
        return state != null && state !== each.state;
    };
    return (
        order.modifications.length > 0 ||
        (came.state != null && came.state !== order.state) ||
        payments.some(hasMoved('payments')) ||
        fulfillments.some(hasMoved('fulfillments')) ||
        parts.some(each => !importedId(each)) ||
        surcharges.some(each => feeId(each) == null) ||
        // What is taken out of an order that was placed leaves the number that was.
        lines.some(each => each.quantity !== each.orderPlacedQuantity)
    );
}

/** The states that an order and its parts came with, as far as they are known. */
function asItCame(order) {
    try {
        return JSON.parse(order.customFields.importedAs) ?? {};
    } catch {
        return {};
    }
}

/** The id of a surcharge in the store that it comes from. It has no custom fields: its SKU tells. */
function feeId(surcharge) {
    const { sku } = surcharge;
    return sku?.startsWith('fee:') ? sku.slice('fee:'.length) : null;
}

module.exports = { besides, feeId };
