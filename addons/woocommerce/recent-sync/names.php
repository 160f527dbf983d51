<?php
/**
 * Names that the connector knows too, and limits.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

const VERSION = '1.0.0';
const ROUTES  = 'recent-sync/v1';
const MARK    = 'x_recent_sync'; // The header X-Recent-Sync: import.

// Meta data that tells whose a record is. The connector writes and reads the same names.
const KEY    = '_recent_sync_key';
const USER   = 'recent_sync_key'; // WooCommerce drops meta data of customers that begin with `_`.
const PART   = '_recent_sync_part';
const REFUND = '_recent_sync_refund';
const NUMBER = '_recent_sync_number';

/** The most that one request may ask for. */
const MAX_ORDERS  = 100;
const MAX_KEYS    = 500;
const MAX_CHANGES = 1000;

/** What the feed keeps, in rows. Older ones go, and the feed says from when on it is complete. */
const MAX_ROWS = 200000;
