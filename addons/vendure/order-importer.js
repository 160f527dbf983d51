'use strict';

/** Saves an order with all its parts as they were: no state machine, no strategy, no event. */

const {
    ChannelService,
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

const { hold } = require('./holding');
const { PartSaver, importedId } = require('./parts');
const { Placeholders } = require('./placeholders');
const { besides, feeId } = require('./worked-on');

const RELATIONS = {
    fulfillments: { lines: true },
    lines: true,
    modifications: true,
    payments: { refunds: { lines: true } },
    shippingLines: true,
    surcharges: true,
};
const NEEDED = ['code', 'state', 'currencyCode', 'placedAt', 'lines'];

class OrderImporter {
    constructor(connection, channelService, orderService, placeholders) {
        this.connection = connection;
        this.channelService = channelService;
        this.orderService = orderService;
        this.placeholders = placeholders;
    }

    /**
     * Bring in an order, or change it. All of it happens in the caller's transaction. What staff
     * has worked on is not changed any more.
     */
    async import(ctx, whole) {
        const parts = new PartSaver(this.connection, ctx);
        await this.requireCustomer(parts, whole.customerId);
        const found = await this.findHeld(parts, whole.key);
        const input = found ? besides(found, whole) : whole;
        const order = found ?? (await this.begin(ctx, input));
        const lines = await this.saveLines(ctx, parts, order, input);
        const shippingLines = await this.saveShipping(ctx, parts, order, input);
        const surcharges = await this.saveSurcharges(parts, order, input);
        await this.savePayments(parts, order, input, lines);
        await this.saveFulfillments(parts, order, input, lines);
        await this.saveOrder(parts, order.id, {
            ...own(input),
            ...(input.lines ? totals(lines, surcharges, shippingLines) : {}),
            customFields: given(input, ['customerNote', 'importedAs']),
        });
        return this.orderService.findOne(ctx, order.id);
    }

    /** The order, of which nobody can change anything until we are done. */
    async findHeld(parts, key) {
        const found = await this.find(parts, key);
        if (!found) {
            return null;
        }
        await hold(parts, found);
        return this.find(parts, key);
    }

    find(parts, recentSyncKey) {
        const where = { customFields: { recentSyncKey } };
        return parts.repository(Order).findOne({ where, relations: RELATIONS });
    }

    async begin(ctx, input) {
        const missing = NEEDED.filter(name => input[name] == null);
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
            subTotal: 0,
            subTotalWithTax: 0,
            customFields: { recentSyncKey: input.key },
            lines: [],
            surcharges: [],
            shippingLines: [],
        });
        await this.channelService.assignToCurrentChannel(order, ctx);
        const made = await this.connection.getRepository(ctx, Order).save(order);
        return Object.assign(made, { payments: [], fulfillments: [] });
    }

    /** The order itself, read anew with the parts that Vendure reckons its sums from. */
    async saveOrder(parts, id, values) {
        const relations = { lines: true, shippingLines: true, surcharges: true };
        const order = await parts.repository(Order).findOne({ where: { id }, relations });
        await parts.saveChanges(Order, order, values);
    }

    async requireCustomer(parts, id) {
        if (id != null && !(await parts.repository(Customer).count({ where: { id } }))) {
            throw new UserInputError('the customer is not there');
        }
    }

    // --- lines ------------------------------------------------------------------------------------

    async saveLines(ctx, parts, order, input) {
        if (!input.lines) {
            return order.lines;
        }
        await this.requireVariants(parts, input.lines);
        const isFree = each => each.productVariantId == null;
        const spare = input.lines.some(isFree) ? await this.placeholders.variant(ctx) : null;
        return parts.save(OrderLine, order.lines, input.lines, each => {
            const variant = isFree(each) ? spare.id : each.productVariantId;
            return {
                order: { id: order.id },
                productVariantId: variant,
                productVariant: { id: variant },
                quantity: each.quantity,
                orderPlacedQuantity: each.quantity,
                initialListPrice: each.price,
                listPrice: each.price,
                listPriceIncludesTax: false,
                adjustments: each.adjustments.map(adjustment => ({
                    adjustmentSource: `recent-sync:${adjustment.description}`,
                    ...adjustment,
                })),
                taxLines: taxLines(each),
                customFields: {
                    importedId: each.id,
                    importedName: each.name,
                    importedSku: each.sku,
                },
            };
        });
    }

    async requireVariants(parts, lines) {
        const named = lines.map(each => each.productVariantId).filter(each => each != null);
        const ids = [...new Set(named)];
        const found = await parts.repository(ProductVariant).count({ where: { id: In(ids) } });
        if (found < ids.length) {
            throw new UserInputError('a line names a variant that is not there');
        }
    }

    async saveShipping(ctx, parts, order, input) {
        if (!input.shippingLines) {
            return order.shippingLines;
        }
        const method = await this.placeholders.shippingMethod(ctx);
        return parts.save(ShippingLine, order.shippingLines, input.shippingLines, each => ({
            order: { id: order.id },
            shippingMethodId: method.id,
            shippingMethod: { id: method.id },
            listPrice: each.price,
            listPriceIncludesTax: false,
            adjustments: [],
            taxLines: taxLines(each),
            customFields: { importedId: each.id, title: each.title, method: each.method },
        }));
    }

    /** Surcharges have no custom fields: their SKU names them. */
    async saveSurcharges(parts, order, input) {
        if (!input.surcharges) {
            return order.surcharges;
        }
        const make = each => ({
            order: { id: order.id },
            description: each.description,
            sku: `fee:${each.id}`,
            listPrice: each.price,
            listPriceIncludesTax: false,
            taxLines: taxLines(each),
        });
        return parts.save(Surcharge, order.surcharges, input.surcharges, make, { idOf: feeId });
    }

    // --- money and goods that moved ---------------------------------------------------------------

    async savePayments(parts, order, input, lines) {
        if (!input.payments) {
            return;
        }
        const refunds = order.payments.flatMap(each => each.refunds);
        await this.removeRefunds(parts, refunds, input);
        const payments = await parts.save(Payment, order.payments, input.payments, each => ({
            order: { id: order.id },
            ...given(each, ['method', 'amount', 'state', 'transactionId', 'metadata']),
            ...dated(each.at),
            customFields: { importedId: each.id },
        }));
        const byId = new Map(payments.map(each => [importedId(each), each]));
        const wanted = input.refunds ?? [];
        const there = refunds.filter(each => each.id != null);
        const saved = await parts.save(Refund, there, wanted, each => {
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
        });
        await this.saveReferences(parts, RefundLine, 'refund', saved, wanted, lines);
    }

    /** Refunds that the input does not name any more, before the payments that they are of. */
    async removeRefunds(parts, refunds, input) {
        const wanted = new Set((input.refunds ?? []).map(each => each.id));
        const gone = refunds.filter(each => importedId(each) && !wanted.has(importedId(each)));
        await parts.remove(RefundLine, gone.flatMap(each => each.lines));
        await parts.remove(Refund, gone);
    }

    async saveFulfillments(parts, order, input, lines) {
        if (!input.fulfillments) {
            return;
        }
        const there = order.fulfillments;
        const wanted = new Set(input.fulfillments.map(each => each.id));
        const gone = there.filter(each => !wanted.has(importedId(each)));
        await parts.remove(FulfillmentLine, gone.flatMap(each => each.lines));
        const saved = await parts.save(Fulfillment, there, input.fulfillments, each => ({
            orders: [{ id: order.id }],
            handlerCode: 'manual-fulfillment',
            ...given(each, ['method', 'trackingCode', 'state']),
            ...dated(each.at),
            customFields: { importedId: each.id },
        }));
        await this.saveReferences(
            parts,
            FulfillmentLine,
            'fulfillment',
            saved,
            input.fulfillments,
            lines,
        );
    }

    /** Which lines a refund or a fulfilment is of. */
    async saveReferences(parts, entity, owner, parents, wanted, lines) {
        const byId = new Map(lines.map(each => [importedId(each), each]));
        const names = new Map(lines.map(each => [String(each.id), importedId(each)]));
        const idOf = each => names.get(String(each.orderLineId)) ?? null;
        for (const [index, parent] of parents.entries()) {
            const named = wanted[index].lines.filter(each => byId.has(each.line));
            const make = each => ({
                [owner]: { id: parent.id },
                [`${owner}Id`]: parent.id,
                orderLine: { id: byId.get(each.line).id },
                orderLineId: byId.get(each.line).id,
                quantity: each.quantity,
            });
            const wantedId = each => each.line;
            await parts.save(entity, parent.lines ?? [], named, make, { idOf, wantedId });
        }
    }
}
Reflect.defineMetadata(
    'design:paramtypes',
    [TransactionalConnection, ChannelService, OrderService, Placeholders],
    OrderImporter,
);

const taxLines = part => part.taxLines.map(each => ({ ...each }));

const dated = at => (at ? { createdAt: at, updatedAt: at } : {});

/** The given ones of an input's fields. */
function given(input, names) {
    const there = names.filter(each => input[each] !== undefined);
    return Object.fromEntries(there.map(each => [each, input[each]]));
}

/** Fields of the order itself. */
function own(input) {
    const fields = ['code', 'state', 'currencyCode', 'customerId', 'couponCodes'];
    const found = given(input, [...fields, 'billingAddress', 'shippingAddress']);
    return input.placedAt ? { ...found, orderPlacedAt: input.placedAt } : found;
}

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
