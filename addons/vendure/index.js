'use strict';

/**
 * recent-sync for Vendure: keys on records, orders brought in as they were, and silence meanwhile.
 *
 * Vendure's own API dates, numbers and prices orders itself. What stands here saves them as they
 * were in the store that they come from. Nothing in it reads or changes what it did not bring in.
 */

const {
    EventBus,
    PermissionDefinition,
    PluginCommonModule,
    TransactionalConnection,
    VendurePlugin,
} = require('@vendure/core');

const { customFields } = require('./custom-fields');
const { OrderImporter } = require('./order-importer');
const { Placeholders } = require('./placeholders');
const { schema, resolverFor } = require('./api');
const { freeKey } = require('./keys');
const { isSilenced } = require('./silence');

const importing = new PermissionDefinition({
    name: 'RecentSyncImport',
    description: 'Bring in orders as they were, without events',
});

class RecentSyncPlugin {
    /** Every event of the store passes here before anybody hears of it. */
    constructor(eventBus, connection) {
        const publish = eventBus.publish.bind(eventBus);
        eventBus.publish = async event => {
            await freeKey(event, connection);
            return isSilenced(event, importing.Permission) ? undefined : publish(event);
        };
    }
}
Reflect.defineMetadata('design:paramtypes', [EventBus, TransactionalConnection], RecentSyncPlugin);

VendurePlugin({
    imports: [PluginCommonModule],
    compatibility: '^3.7.0',
    providers: [OrderImporter, Placeholders],
    adminApiExtensions: { schema, resolvers: [resolverFor(importing.Permission)] },
    configuration: config => {
        config.authOptions.customPermissions.push(importing);
        for (const [entity, fields] of Object.entries(customFields)) {
            config.customFields[entity] = [...(config.customFields[entity] ?? []), ...fields];
        }
        return config;
    },
})(RecentSyncPlugin);

module.exports = { RecentSyncPlugin };
