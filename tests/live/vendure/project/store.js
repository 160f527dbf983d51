'use strict';

/**
 * A Vendure store for tests. What it is comes from the environment: PORT, DATABASE_URL and ADDON,
 * the folder of the add-on, or nothing for a store without it.
 *
 * Beside its own API it has /control: `effects` counts what the store published, `reset` empties it.
 */

const vendure = require('@vendure/core');
const { populateInitialData } = require('@vendure/core/cli');

const COUNTRIES = ['AT', 'AU', 'BE', 'CH', 'CY', 'DE', 'DK', 'ES', 'FI', 'FR', 'GB', 'GR', 'IE',
    'IS', 'IT', 'JP', 'LT', 'MT', 'NL', 'NO', 'PL', 'PT', 'SE', 'SG', 'US'];
const INITIAL = {
    defaultLanguage: vendure.LanguageCode.en,
    defaultZone: 'World',
    countries: COUNTRIES.map(code => ({ code, name: code, zone: 'World' })),
    taxRates: [{ name: 'Standard', percentage: 20 }],
    shippingMethods: [{ name: 'Post', price: 420 }],
    paymentMethods: [
        { name: 'Cash', handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: 'true' }] } },
    ],
    collections: [],
};
const NEWS = ['AccountRegistrationEvent', 'CustomerEvent', 'OrderPlacedEvent', 'OrderStateTransitionEvent',
    'PaymentStateTransitionEvent', 'RefundStateTransitionEvent', 'StockMovementEvent'];
const EMPTIED = ['address', 'customer', 'facet', 'facet_value', 'fulfillment', 'history_entry',
    'order', 'order_line', 'order_line_reference', 'payment', 'product', 'product_option',
    'product_option_group', 'product_variant', 'refund', 'stock_level', 'stock_movement', 'surcharge'];

const effects = {};
let app;

async function control(request, response) {
    if (request.originalUrl === '/control/effects') {
        response.json(effects);
    } else if (request.originalUrl === '/control/reset') {
        await reset();
        response.json({});
    } else {
        response.status(404).end();
    }
}

async function reset() {
    const { rawConnection } = app.get(vendure.TransactionalConnection);
    const tables = EMPTIED.map(each => `"${each}"`).join(', ');
    const guests = `SELECT id FROM "user" WHERE identifier <> 'superadmin'`;
    const collections = 'SELECT id FROM collection WHERE NOT "isRoot"';
    for (const statement of [
        `TRUNCATE ${tables} CASCADE`,
        `DELETE FROM authentication_method WHERE "userId" IN (${guests})`,
        `DELETE FROM session WHERE "userId" IN (${guests})`,
        `DELETE FROM "user" WHERE id IN (${guests})`,
        `DELETE FROM collection_closure WHERE id_descendant IN (${collections})`,
        `DELETE FROM collection WHERE NOT "isRoot"`,
    ]) {
        await rawConnection.query(statement);
    }
    Object.keys(effects).forEach(each => delete effects[each]);
}

function listen() {
    const bus = app.get(vendure.EventBus);
    for (const name of NEWS) {
        bus.ofType(vendure[name]).subscribe(event => {
            // Counting stock by hand is what an inventory does; a sale is what it must not cause.
            if (name !== 'StockMovementEvent' || event.type !== 'ADJUSTMENT') {
                effects[name] = (effects[name] ?? 0) + 1;
            }
        });
    }
}

async function seed() {
    const { rawConnection } = app.get(vendure.TransactionalConnection);
    const [{ count }] = await rawConnection.query('SELECT count(*) FROM region');
    if (Number(count) === 0) {
        await rawConnection.query(`UPDATE channel SET "defaultCurrencyCode" = 'GBP', "availableCurrencyCodes" = 'GBP'`);
        await app.get(vendure.ChannelService).initChannels();
        await populateInitialData(app, INITIAL);
    }
}

async function main() {
    const { PORT, DATABASE_URL, ADDON } = process.env;
    app = await vendure.bootstrap({
        apiOptions: {
            hostname: '127.0.0.1',
            port: Number(PORT),
            adminApiPath: 'admin-api',
            shopApiPath: 'shop-api',
            middleware: [{ route: 'control/*path', handler: (request, response, next) => control(request, response).catch(next) }],
        },
        authOptions: {
            tokenMethod: ['bearer', 'api-key'],
            requireVerification: false,
            superadminCredentials: { identifier: 'superadmin', password: 'superadmin' },
        },
        dbConnectionOptions: { type: 'postgres', url: DATABASE_URL, synchronize: true, logging: false, timezone: 'Z' },
        paymentOptions: { paymentMethodHandlers: [vendure.dummyPaymentHandler] },
        logger: new vendure.DefaultLogger({ level: vendure.LogLevel.Warn }),
        plugins: ADDON ? [require(ADDON).RecentSyncPlugin] : [],
    });
    await app.get(vendure.JobQueueService).start();
    await seed();
    listen();
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});
