'use strict';

/** Saves an order with all its parts as they were: no state machine, no strategy, no event. */

const {
    Customer,
    Fulfillment,
    FulfillmentLine,
    Order,
    OrderLine,
    OrderService,
    Payment,
    ProductVariant,
    Refund,
    RefundLine,
    ShippingLine,
    Surcharge,
    TransactionalConnection,
    UserInputError,
} = require('@vendure/core');
const { In } = require('typeorm');

const { Placeholders } = require('./placeholders');

const RELATIONS = {
    fulfillments: { lines: true },
    lines: true,
    payments: { refunds: { lines: true } },
    shippingLines: true,
    surcharges: true,
};

class OrderImporter {
    constructor(connection, orderService, placeholders) {
        this.connection = connection;
        this.orderService = orderService;
        this.placeholders = placeholders;
    }

    /** Bring in an order, or change it. All of it happens in the caller's transaction. */
    async import(ctx, input) {
        await this.requireCustomer(ctx, input.customerId);
        const order = (await this.find(ctx, input.key)) ?? (await this.begin(ctx, input));
        const lines = await this.saveLines(ctx, order, input);
        const shippingLines = await this.saveShipping(ctx, order, input);
        const surcharges = await this.saveSurcharges(ctx, order, input);
        await this.savePayments(ctx, order, input, lines);
        await this.saveFulfillments(ctx, order, input, lines);
        await this.saveOrder(ctx, order.id, {
            ...own(input),
            ...totals(lines, surcharges, shippingLines),
        }, given(input, ['customerNote', 'importedAs']));
        return this.orderService.findOne(ctx, order.id);
    }

    find(ctx, recentSyncKey) {
        return this.connection
            .getRepository(ctx, Order)
            .findOne({ where: { customFields: { recentSyncKey } }, relations: RELATIONS });
    }

    async begin(ctx, input) {
        const missing = ['code', 'state', 'currencyCode', 'placedAt', 'lines'].filter(
            name => input[name] == null,
        );
        if (missing.length) {
            throw new UserInputError(`a new order needs ${missing.join(', ')}`);
        }
        const order = new Order({
            ...own(input),
            type: 'Regular',
            active: false,
            createdAt: input.placedAt,
            couponCodes: input.couponCodes ?? [],
            billingAddress: input.billingAddress ?? {},
            shippingAddress: input.shippingAddress ?? {},
            channels: [ctx.channel],
            subTotal: 0,
            subTotalWithTax: 0,
            customFields: { recentSyncKey: input.key },
            lines: [],
            surcharges: [],
            shippingLines: [],
        });
        const made = await this.save(ctx, Order, order);
        return Object.assign(made, { payments: [], fulfillments: [] });
    }

    /** The order itself, read anew with the parts that Vendure reckons its sums from. */
    async saveOrder(ctx, id, values, customFields) {
        const relations = { lines: true, shippingLines: true, surcharges: true };
        const orders = this.connection.getRepository(ctx, Order);
        const order = await orders.findOne({ where: { id }, relations });
        await this.saveChanges(ctx, Order, order, { ...values, customFields });
    }

    async saveLines(ctx, order, input) {
        if (!input.lines) {
            return order.lines;
        }
        await this.requireVariants(ctx, input.lines);
        const spare = input.lines.some(each => each.productVariantId == null)
            ? await this.placeholders.variant(ctx)
            : null;
        return this.saveParts(ctx, OrderLine, order.lines, input.lines, each => ({
            order: { id: order.id },
            productVariantId: each.productVariantId ?? spare.id,
            productVariant: { id: each.productVariantId ?? spare.id },
            quantity: each.quantity,
            orderPlacedQuantity: each.quantity,
            initialListPrice: each.price,
            listPrice: each.price,
            listPriceIncludesTax: false,
            adjustments: each.adjustments.map(adjustment => ({
                adjustmentSource: `recent-sync:${adjustment.description}`,
                ...adjustment,
            })),
            taxLines: each.taxLines.map(tax => ({ ...tax })),
            customFields: { importedId: each.id, importedName: each.name, importedSku: each.sku },
        }));
    }

    async requireCustomer(ctx, id) {
        const where = { id };
        if (id != null && !(await this.connection.getRepository(ctx, Customer).count({ where }))) {
            throw new UserInputError('the customer is not there');
        }
    }

    async requireVariants(ctx, lines) {
        const ids = [...new Set(lines.map(each => each.productVariantId).filter(each => each != null))];
        const found = await this.connection
            .getRepository(ctx, ProductVariant)
            .count({ where: { id: In(ids) } });
        if (found < ids.length) {
            throw new UserInputError('a line names a variant that is not there');
        }
    }

    async saveShipping(ctx, order, input) {
        if (!input.shippingLines) {
            return order.shippingLines;
        }
        const method = await this.placeholders.shippingMethod(ctx);
        return this.saveParts(ctx, ShippingLine, order.shippingLines, input.shippingLines, each => ({
            order: { id: order.id },
            shippingMethodId: method.id,
            shippingMethod: { id: method.id },
            listPrice: each.price,
            listPriceIncludesTax: false,
            adjustments: [],
            taxLines: each.taxLines.map(tax => ({ ...tax })),
            customFields: { importedId: each.id, title: each.title, method: each.method },
        }));
    }

    /** Surcharges have no custom fields: their SKU names them. */
    async saveSurcharges(ctx, order, input) {
        if (!input.surcharges) {
            return order.surcharges;
        }
        const make = each => ({
            order: { id: order.id },
            description: each.description,
            sku: `fee:${each.id}`,
            listPrice: each.price,
            listPriceIncludesTax: false,
            taxLines: each.taxLines.map(tax => ({ ...tax })),
        });
        return this.saveParts(ctx, Surcharge, order.surcharges, input.surcharges, make, each =>
            each.sku.replace(/^fee:/, ''),
        );
    }

    async savePayments(ctx, order, input, lines) {
        if (!input.payments) {
            return;
        }
        const before = order.payments;
        const payments = await this.saveParts(ctx, Payment, before, input.payments, each => ({
            order: { id: order.id },
            ...given(each, ['method', 'amount', 'state', 'transactionId', 'metadata']),
            ...dated(each.at),
            customFields: { importedId: each.id },
        }), importedId, payment => this.removeRefunds(ctx, payment.refunds ?? []));
        const refunds = before.flatMap(each => each.refunds ?? []);
        const byId = new Map(payments.map(each => [importedId(each), each]));
        const saved = await this.saveParts(ctx, Refund, refunds, input.refunds ?? [], each => {
            const payment = byId.get(each.payment);
            if (!payment) {
                throw new UserInputError('a refund names a payment that is not there');
            }
            return {
                payment: { id: payment.id },
                paymentId: payment.id,
                method: payment.method,
                state: 'Settled',
                adjustment: each.total - each.items - each.shipping,
                ...given(each, ['items', 'shipping', 'total', 'reason', 'metadata']),
                ...dated(each.at),
                customFields: { importedId: each.id },
            };
        }, importedId, refund => this.removeRefunds(ctx, [refund]));
        await this.saveReferences(ctx, RefundLine, 'refund', saved, input.refunds ?? [], lines);
    }

    async removeRefunds(ctx, refunds) {
        for (const each of refunds) {
            await this.connection.getRepository(ctx, RefundLine).remove(each.lines ?? []);
        }
    }

    async saveFulfillments(ctx, order, input, lines) {
        if (!input.fulfillments) {
            return;
        }
        const saved = await this.saveParts(
            ctx,
            Fulfillment,
            order.fulfillments,
            input.fulfillments,
            each => ({
                orders: [{ id: order.id }],
                handlerCode: 'manual-fulfillment',
                ...given(each, ['method', 'trackingCode', 'state']),
                ...dated(each.at),
                customFields: { importedId: each.id },
            }),
            importedId,
            each => this.connection.getRepository(ctx, FulfillmentLine).remove(each.lines ?? []),
        );
        await this.saveReferences(ctx, FulfillmentLine, 'fulfillment', saved, input.fulfillments, lines);
    }

    /** Which lines a refund or a fulfilment is of. */
    async saveReferences(ctx, entity, owner, parents, wanted, lines) {
        const byId = new Map(lines.map(each => [importedId(each), each]));
        for (const [index, parent] of parents.entries()) {
            const parts = wanted[index].lines.filter(each => byId.has(each.line));
            await this.saveParts(ctx, entity, parent.lines ?? [], parts, each => ({
                [owner]: { id: parent.id },
                [`${owner}Id`]: parent.id,
                orderLine: { id: byId.get(each.line).id },
                orderLineId: byId.get(each.line).id,
                quantity: each.quantity,
            }), each => byLine(each, lines), undefined, each => each.line);
        }
    }

    /**
     * Make the parts that are wanted of those that are there: in the order wanted, each known by
     * its id before the move. Parts that staff added, without such an id, stay.
     */
    async saveParts(ctx, entity, there, wanted, make, idOf = importedId, before = () => {}, wantedId = each => each.id) {
        const known = new Map(there.map(each => [idOf(each), each]));
        const saved = [];
        for (const each of wanted) {
            const found = known.get(wantedId(each));
            known.delete(wantedId(each));
            saved.push(await this.savePart(ctx, entity, found, make(each)));
        }
        for (const [id, each] of known) {
            if (id != null && id !== '') {
                await before(each);
                await this.connection.getRepository(ctx, entity).remove(each);
            }
        }
        return saved;
    }

    /** What is there keeps its dates and its owner. */
    async savePart(ctx, entity, found, values) {
        if (!found) {
            return this.save(ctx, entity, new entity(values));
        }
        const { createdAt, updatedAt, ...rest } = values;
        const own = Object.entries(rest).filter(([, value]) => !isReference(value));
        return this.saveChanges(ctx, entity, found, Object.fromEntries(own));
    }

    /** Save only what differs: a date of change is not to move for nothing. */
    async saveChanges(ctx, entity, found, { customFields = {}, ...values }) {
        const differing = differences(found, values);
        const customDiffering = differences(found.customFields ?? {}, customFields);
        if (!Object.keys(differing).length && !Object.keys(customDiffering).length) {
            return found;
        }
        Object.assign(found, differing);
        Object.assign(found.customFields ?? {}, customDiffering);
        return this.save(ctx, entity, found);
    }

    save(ctx, entity, values) {
        return this.connection.getRepository(ctx, entity).save(values);
    }
}
Reflect.defineMetadata(
    'design:paramtypes',
    [TransactionalConnection, OrderService, Placeholders],
    OrderImporter,
);

const importedId = each => each.customFields?.importedId ?? null;

const byLine = (reference, lines) => {
    const line = lines.find(each => String(each.id) === String(reference.orderLineId));
    return line ? importedId(line) : null;
};

/** A record that another belongs to, or records: where there is an id beside it, that is compared. */
function isReference(value) {
    const each = Array.isArray(value) ? value[0] : value;
    return each != null && typeof each === 'object' && Object.keys(each).join() === 'id';
}

/** Those values that are not what is there. Dates are compared as what they are in JSON. */
function differences(there, values) {
    const same = (left, right) => JSON.stringify(left ?? null) === JSON.stringify(right ?? null);
    return Object.fromEntries(
        Object.entries(values).filter(([name, value]) => !same(there[name], value)),
    );
}

/** The given ones of an input's fields. */
function given(input, names) {
    return Object.fromEntries(names.filter(each => input[each] !== undefined).map(each => [each, input[each]]));
}

/** Fields of the order itself. */
function own(input) {
    const { placedAt, ...rest } = given(input, [
        'code',
        'state',
        'currencyCode',
        'placedAt',
        'billingAddress',
        'shippingAddress',
        'couponCodes',
    ]);
    return {
        ...rest,
        ...(placedAt ? { orderPlacedAt: placedAt } : {}),
        ...given(input, ['customerId']),
    };
}

const dated = at => (at ? { createdAt: at, updatedAt: at } : {});

/** Sums as Vendure reckons them from the parts. */
function totals(lines, surcharges, shippingLines) {
    const sum = (parts, name) => parts.reduce((total, each) => total + each[name], 0);
    return {
        subTotal: sum(lines, 'proratedLinePrice') + sum(surcharges, 'price'),
        subTotalWithTax: sum(lines, 'proratedLinePriceWithTax') + sum(surcharges, 'priceWithTax'),
        shipping: sum(shippingLines, 'discountedPrice'),
        shippingWithTax: sum(shippingLines, 'discountedPriceWithTax'),
    };
}

module.exports = { OrderImporter };
