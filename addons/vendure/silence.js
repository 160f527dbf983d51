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

/** Whether an event is news of a request that asks for silence and may bring records in. */
function isSilenced(event, permission) {
    const { ctx } = event;
    return (
        ctx?.req?.headers?.[HEADER] === '1' &&
        ctx.userHasPermissions([permission]) &&
        NEWS.some(kind => event instanceof kind)
    );
}

module.exports = { isSilenced };
