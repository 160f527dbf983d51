'use strict';

/** What the Admin API learns: a question by which the importer is found, and one mutation. */

const { Args, Mutation, Query, Resolver } = require('@nestjs/graphql');
const { Allow, Ctx, Transaction, VENDURE_VERSION } = require('@vendure/core');
const { gql } = require('graphql-tag');

const { OrderImporter } = require('./order-importer');

const API_VERSION = 2;

const schema = gql`
    type RecentSyncImporter {
        version: Int!
        "The version of Vendure itself."
        vendure: String!
    }

    extend type Query {
        recentSyncImporter: RecentSyncImporter!
    }

    extend type Mutation {
        "Bring in an order, or change one that was brought in: what is left out stays as it is."
        importOrder(input: ImportOrderInput!): Order!
    }

    "Amounts are net, in minor units. Ids of parts are those of the store that the order comes from."
    input ImportOrderInput {
        "The key by which recent-sync knows the order."
        key: String!
        code: String
        state: String
        currencyCode: CurrencyCode
        placedAt: DateTime
        customerId: ID
        billingAddress: JSON
        shippingAddress: JSON
        couponCodes: [String!]
        customerNote: String
        importedAs: String
        lines: [ImportOrderLineInput!]
        surcharges: [ImportSurchargeInput!]
        shippingLines: [ImportShippingLineInput!]
        payments: [ImportPaymentInput!]
        refunds: [ImportRefundInput!]
        fulfillments: [ImportFulfillmentInput!]
    }

    input ImportTaxInput {
        description: String!
        taxRate: Float!
    }

    "Adjustments are of the whole line; those of the type OTHER make up for a price that no piece has."
    input ImportAdjustmentInput {
        type: AdjustmentType!
        description: String!
        amount: Money!
    }

    "Without a variant the line is of goods that the store does not have."
    input ImportOrderLineInput {
        id: String!
        productVariantId: ID
        name: String!
        sku: String!
        quantity: Int!
        price: Money!
        adjustments: [ImportAdjustmentInput!]!
        taxLines: [ImportTaxInput!]!
    }

    input ImportSurchargeInput {
        id: String!
        description: String!
        price: Money!
        taxLines: [ImportTaxInput!]!
    }

    input ImportShippingLineInput {
        id: String!
        title: String!
        method: String!
        price: Money!
        taxLines: [ImportTaxInput!]!
    }

    input ImportPaymentInput {
        id: String!
        method: String!
        amount: Money!
        state: String!
        transactionId: String
        at: DateTime
        metadata: JSON!
    }

    input ImportPartInput {
        line: String!
        quantity: Int!
    }

    "Gives back money of the payment with the id 'payment'."
    input ImportRefundInput {
        id: String!
        payment: String!
        total: Money!
        items: Money!
        shipping: Money!
        reason: String
        at: DateTime
        lines: [ImportPartInput!]!
        metadata: JSON!
    }

    input ImportFulfillmentInput {
        id: String!
        method: String!
        trackingCode: String!
        state: String!
        at: DateTime
        lines: [ImportPartInput!]!
    }
`;

/** The resolver, open to those who have the permission. */
function resolverFor(permission) {
    class RecentSyncResolver {
        constructor(importer) {
            this.importer = importer;
        }

        recentSyncImporter() {
            return { version: API_VERSION, vendure: VENDURE_VERSION };
        }

        importOrder(ctx, args) {
            return this.importer.import(ctx, args.input);
        }
    }
    Reflect.defineMetadata('design:paramtypes', [OrderImporter], RecentSyncResolver);
    Resolver()(RecentSyncResolver);
    decorate(RecentSyncResolver, 'recentSyncImporter', [], [Query(), Allow(permission)]);
    decorate(RecentSyncResolver, 'importOrder', [Ctx(), Args()], [
        Mutation(),
        Transaction(),
        Allow(permission),
    ]);
    return RecentSyncResolver;
}

/** What TypeScript makes of decorators on a method and its parameters. */
function decorate(target, name, parameters, decorators) {
    const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
    parameters.forEach((each, index) => each(target.prototype, name, index));
    decorators.reverse().forEach(each => each(target.prototype, name, descriptor));
}

module.exports = { schema, resolverFor };
