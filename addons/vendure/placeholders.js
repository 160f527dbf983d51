'use strict';

/** What stands for goods and ways of shipping that the store never had: deleted from the start. */

const {
    Product,
    ProductService,
    ProductVariant,
    ProductVariantService,
    ShippingMethod,
    ShippingMethodService,
    TransactionalConnection,
} = require('@vendure/core');

const NAME = 'recent-sync-imported';

class Placeholders {
    constructor(connection, products, variants, shippingMethods) {
        this.connection = connection;
        this.products = products;
        this.variants = variants;
        this.shippingMethods = shippingMethods;
    }

    /** The variant of lines whose goods the store does not have. */
    async variant(ctx) {
        const repository = this.connection.getRepository(ctx, ProductVariant);
        const found = await repository.findOne({ where: { sku: NAME } });
        return found ?? this.makeVariant(ctx, repository);
    }

    async makeVariant(ctx, repository) {
        const { languageCode } = ctx;
        const names = { languageCode, name: 'Goods of imported orders' };
        const product = await this.products.create(ctx, {
            enabled: false,
            translations: [{ ...names, slug: NAME, description: '' }],
        });
        const [variant] = await this.variants.create(ctx, [
            { productId: product.id, sku: NAME, enabled: false, price: 0, trackInventory: 'FALSE', translations: [names] },
        ]);
        const deletedAt = new Date();
        await repository.update(variant.id, { deletedAt });
        await this.connection.getRepository(ctx, Product).update(product.id, { deletedAt });
        return variant;
    }

    /** The method of shipping lines; each line says by itself what it was. */
    async shippingMethod(ctx) {
        const repository = this.connection.getRepository(ctx, ShippingMethod);
        const found = await repository.findOne({ where: { code: NAME } });
        if (found) {
            return found;
        }
        const made = await this.shippingMethods.create(ctx, {
            code: NAME,
            fulfillmentHandler: 'manual-fulfillment',
            checker: {
                code: 'default-shipping-eligibility-checker',
                arguments: [{ name: 'orderMinimum', value: '0' }],
            },
            calculator: {
                code: 'default-shipping-calculator',
                arguments: [
                    { name: 'rate', value: '0' },
                    { name: 'includesTax', value: 'auto' },
                    { name: 'taxRate', value: '0' },
                ],
            },
            translations: [
                {
                    languageCode: ctx.languageCode,
                    name: 'Shipping of imported orders',
                    description: '',
                },
            ],
        });
        await repository.update(made.id, { deletedAt: new Date() });
        return made;
    }
}
Reflect.defineMetadata(
    'design:paramtypes',
    [TransactionalConnection, ProductService, ProductVariantService, ShippingMethodService],
    Placeholders,
);

module.exports = { Placeholders, NAME };
