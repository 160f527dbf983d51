<?php
/**
 * Which addresses there are, who may ask, and what there is.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

/** Which addresses there are, and who may ask. */
function register_routes() {
	if ( ! function_exists( 'WC' ) ) {
		return;
	}
	$route = static function ( $path, $method, $callback, $args = array() ) {
		register_rest_route(
			ROUTES,
			$path,
			array(
				'methods'             => $method,
				'callback'            => $callback,
				'permission_callback' => __NAMESPACE__ . '\may_ask',
				'args'                => $args,
			)
		);
	};
	$keys  = array(
		'type'    => 'array',
		'items'   => array( 'type' => 'string', 'maxLength' => 200 ),
		'default' => array(),
	);
	$whole = array( 'type' => 'integer', 'minimum' => 0, 'default' => 0 );
	$route( '/status', 'GET', __NAMESPACE__ . '\status' );
	$route( '/lookup', 'POST', array( Lookup::class, 'answer' ), array_fill_keys( Lookup::KINDS, $keys ) );
	$route(
		'/orders',
		'POST',
		array( Orders::class, 'answer' ),
		array(
			'orders' => array(
				'type'     => 'array',
				'items'    => array( 'type' => 'object' ),
				'minItems' => 1,
				'maxItems' => MAX_ORDERS,
				'required' => true,
			),
		)
	);
	$route(
		'/changes',
		'GET',
		array( Feed::class, 'answer' ),
		array(
			'since' => array( 'type' => 'string', 'format' => 'date-time', 'required' => true ),
			'after' => $whole,
			'kind'  => array( 'type' => 'string', 'enum' => Feed::KINDS, 'required' => true ),
			'limit' => array( 'type' => 'integer', 'minimum' => 1, 'maximum' => MAX_CHANGES, 'default' => MAX_CHANGES ),
		)
	);
}

/** Whether the caller manages the shop. A key that may only read is kept from writing by WooCommerce. */
function may_ask() {
	return current_user_can( 'manage_woocommerce' );
}

/** Keys of WooCommerce's REST API sign requests to our routes, too. */
function is_ours( $is_api ) {
	$address = isset( $_SERVER['REQUEST_URI'] ) ? esc_url_raw( wp_unslash( $_SERVER['REQUEST_URI'] ) ) : '';
	return $is_api || false !== strpos( $address, rest_get_url_prefix() . '/' . ROUTES . '/' );
}

/** What there is here. `silent`: this very request arrived with our mark, and disturbs nobody. */
function status() {
	return array(
		'version'       => VERSION,
		'api'           => 1,
		'woocommerce'   => WC()->version,
		'orders_table'  => has_orders_table(),
		'silent'        => Silence::$is_on,
		'now'           => moment( time() ),
		'feed_complete' => Feed::complete_from(),
	);
}

/** Whether orders are in tables of their own (HPOS) or among the posts. */
function has_orders_table() {
	return \Automattic\WooCommerce\Utilities\OrderUtil::custom_orders_table_usage_is_enabled();
}

/** A time as the REST API writes it, in GMT. */
function moment( $seconds ) {
	return gmdate( 'Y-m-d\TH:i:s', $seconds );
}

/** Seconds since 1970 of a time in GMT; none of none. */
function seconds( $time ) {
	return null === $time ? null : ( new \DateTime( $time, new \DateTimeZone( 'UTC' ) ) )->getTimestamp();
}
