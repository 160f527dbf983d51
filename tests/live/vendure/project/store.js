'use strict';

/**
 * A Vendure store for tests. What it is comes from the environment: PORT, DATABASE_URL, PASSWORD and ADDON,
 * the folder of the add-on, or nothing for a store without it.
 *
 * Beside its own API it has /control: `effects` counts what the store published, `reset` empties
 * it, `ready` says whether it has what every store has.
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
/** Tables that hold records, by how their names begin. */
const RECORDS = /^(address|asset|customer|facet|fulfillment|history_entry|order|payment$|product|promotion|refund|shipping_line|stock_level|stock_movement|surcharge|tag$)/;

/** What a password costs is not what is tested. */
const PLAIN = { hash: async text => text, check: async (text, hash) => text === hash };

const effects = {};
let app;
let ready = false;

async function control(request, response) {
    if (request.originalUrl === '/control/effects') {
        response.json(effects);
    } else if (request.originalUrl === '/control/ready') {
        response.status(ready ? 200 : 503).json({});
    } else if (request.originalUrl === '/control/reset') {
        await reset();
        response.json({});
    } else {
        response.status(404).end();
    }
}

async function reset() {
    const { rawConnection } = app.get(vendure.TransactionalConnection);
    const tables = await rawConnection.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`);
    const emptied = tables.map(each => each.tablename).filter(each => RECORDS.test(each));
    const guests = `SELECT id FROM "user" WHERE identifier <> 'superadmin'`;
    const collections = 'SELECT id FROM collection WHERE NOT "isRoot"';
    // Without triggers no table has to wait for another.
    await rawConnection.query([
        'SET session_replication_role = replica',
        ...emptied.map(each => `DELETE FROM "${each}"`),
        ...['authentication_method', 'session', 'user_roles_role'].map(
            each => `DELETE FROM ${each} WHERE "userId" IN (${guests})`,
        ),
        `DELETE FROM "user" WHERE id IN (${guests})`,
        'DELETE FROM collection_product_variants_product_variant',
        `DELETE FROM collection_closure WHERE id_descendant IN (${collections})`,
        `DELETE FROM collection_translation WHERE "baseId" IN (${collections})`,
        `DELETE FROM collection_channels_channel WHERE "collectionId" IN (${collections})`,
        'DELETE FROM collection WHERE NOT "isRoot"',
        'SET session_replication_role = DEFAULT',
    ].join('; '));
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
            passwordHashingStrategy: PLAIN,
            superadminCredentials: { identifier: 'superadmin', password: process.env.PASSWORD },
        },
        dbConnectionOptions: { type: 'postgres', url: DATABASE_URL, synchronize: true, logging: false, timezone: 'Z' },
        paymentOptions: { paymentMethodHandlers: [vendure.dummyPaymentHandler] },
        logger: new vendure.DefaultLogger({ level: vendure.LogLevel.Warn }),
        plugins: ADDON ? [require(ADDON).RecentSyncPlugin] : [],
    });
    await app.get(vendure.JobQueueService).start();
    await seed();
    listen();
    ready = true;
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});
