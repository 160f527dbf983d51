'use strict';

/**
 * Customers and orders that are brought in are no news: nobody is mailed, no other system is told.
 *
 * Events of the catalogue are let through, because collections and search live on them.
 */

const vendure = require('@vendure/core');

const HEADER = 'recent-sync-silent';

const NEWS = [
    'AccountRegistrationEvent',
    'AccountVerifiedEvent',
    'CustomerAddressEvent',
    'CustomerEvent',
    'HistoryEntryEvent',
    'IdentifierChangeEvent',
    'IdentifierChangeRequestEvent',
    'OrderEvent',
    'OrderLineEvent',
    'OrderPlacedEvent',
    'OrderStateTransitionEvent',
    'PasswordResetEvent',
].map(name => vendure[name]);

/** Keep news back that a request causes which asks for silence and may bring records in. */
function silence(eventBus, permission) {
    const publish = eventBus.publish.bind(eventBus);
    eventBus.publish = async event => {
        const isNews = NEWS.some(kind => event instanceof kind);
        return isNews && isSilent(event.ctx, permission) ? undefined : publish(event);
    };
}

function isSilent(ctx, permission) {
    return ctx?.req?.headers?.[HEADER] === '1' && ctx.userHasPermissions([permission]);
}

module.exports = { silence };
