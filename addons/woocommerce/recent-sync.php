<?php
/**
 * Plugin Name: recent-sync
 * Description: What WooCommerce's REST API refuses to a synchronisation: orders exactly as they were, silence while they are imported, look-up by key, and a feed of changes and deletions.
 * Version: 1.0.0
 * Requires at least: 6.4
 * Requires PHP: 7.4
 * WC requires at least: 8.2
 * License: GPL-2.0-or-later
 * License URI: https://www.gnu.org/licenses/gpl-2.0.html
 *
 * A must-use plugin: put this file and the folder of the same name into wp-content/mu-plugins.
 * WordPress loads files there and no folders: this one loads the folder. All routes are below
 * /wp-json/recent-sync/v1, take a REST API key of WooCommerce and need `manage_woocommerce`.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

/** What is loaded at once, without `.php`. */
const FILES = array( 'names', 'access', 'numbers', 'class-silence', 'class-lookup', 'class-parts', 'class-refunds', 'class-orders', 'class-feed' );

/** Load the folder and listen. A shop never stops over half a copy of this plugin: it does without. */
function load() {
	$paths = array();
	foreach ( array_merge( FILES, array( 'class-imported-order' ) ) as $name ) {
		$paths[ $name ] = __DIR__ . "/recent-sync/$name.php";
		if ( ! is_readable( $paths[ $name ] ) ) {
			add_action( 'admin_notices', __NAMESPACE__ . '\tell_of_folder' );
			return;
		}
	}
	foreach ( FILES as $name ) {
		require_once $paths[ $name ];
	}
	add_action( 'rest_api_init', __NAMESPACE__ . '\register_routes' );
	add_filter( 'woocommerce_rest_is_request_to_rest_api', __NAMESPACE__ . '\is_ours' );
	add_filter( 'woocommerce_order_number', __NAMESPACE__ . '\order_number', 10, 2 );
	add_filter( 'woocommerce_order_table_search_query_meta_keys', __NAMESPACE__ . '\search_numbers' );
	add_filter( 'woocommerce_shop_order_search_fields', __NAMESPACE__ . '\search_numbers' );
	add_action( 'woocommerce_rest_insert_product_cat', __NAMESPACE__ . '\keep_category_key', 10, 2 );
	Silence::listen();
	Feed::listen();
}

/** What whoever copied the file alone reads in the shop's administration. */
function tell_of_folder() {
	echo '<div class="notice notice-error"><p>recent-sync: copy the folder <code>recent-sync</code> with all its files to <code>wp-content/mu-plugins</code>, beside <code>recent-sync.php</code>.</p></div>';
}

load();
