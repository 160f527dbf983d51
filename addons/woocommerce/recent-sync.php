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
 * A must-use plugin: put this file into wp-content/mu-plugins. All routes are below
 * /wp-json/recent-sync/v1, take a REST API key of WooCommerce and need `manage_woocommerce`.
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

add_action( 'rest_api_init', __NAMESPACE__ . '\register_routes' );
add_filter( 'woocommerce_rest_is_request_to_rest_api', __NAMESPACE__ . '\is_ours' );
add_filter( 'woocommerce_order_number', __NAMESPACE__ . '\order_number', 10, 2 );
add_filter( 'woocommerce_order_table_search_query_meta_keys', __NAMESPACE__ . '\search_numbers' );
add_filter( 'woocommerce_shop_order_search_fields', __NAMESPACE__ . '\search_numbers' );
add_action( 'woocommerce_rest_insert_product_cat', __NAMESPACE__ . '\keep_category_key', 10, 2 );
Silence::listen();
Feed::listen();

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

/** The number that an imported order had in the shop it comes from. */
function order_number( $number, $order ) {
	$kept = is_callable( array( $order, 'get_meta' ) ) ? $order->get_meta( NUMBER ) : '';
	return '' === $kept || null === $kept ? $number : $kept;
}

/** People look orders up by their number. */
function search_numbers( $fields ) {
	return array_merge( (array) $fields, array( NUMBER ) );
}

/** Categories take no meta data over the REST API: our key comes in a field of its own. */
function keep_category_key( $term, $request ) {
	if ( Silence::$is_on && is_string( $request[ KEY ] ) ) {
		update_term_meta( $term->term_id, KEY, wc_clean( $request[ KEY ] ) );
	}
}

/**
 * A request that carries our mark, from somebody who manages the shop, disturbs nobody: it sends no
 * mail, calls no webhook, and moves no stock. Every other request is as it always was.
 */
final class Silence {

	/** @var bool Until the end of the request: mails and webhooks may leave as late as that. */
	public static $is_on = false;

	/** @var string[] Events that WooCommerce writes mails for. */
	private static $events = array();

	/** Hooks that cost nothing while no request is marked. */
	public static function listen() {
		add_filter( 'rest_pre_dispatch', array( __CLASS__, 'begin' ), 20, 3 );
		add_filter( 'woocommerce_email_actions', array( __CLASS__, 'learn' ), PHP_INT_MAX );
	}

	/** Remember what WooCommerce writes mails for. */
	public static function learn( $events ) {
		self::$events = $events;
		return $events;
	}

	/** Before a route is called, after the caller is known. */
	public static function begin( $result, $server, $request ) {
		$is_wanted = 'import' === $request->get_header( MARK )
			&& preg_match( '#^/(wc/v\d+|' . ROUTES . ')/#', $request->get_route() );
		if ( $is_wanted && ! self::$is_on && ! is_wp_error( $result ) && may_ask() ) {
			self::$is_on = true;
			self::mute();
		}
		return $result;
	}

	/** Turn everything off that would reach people, or count goods twice. */
	private static function mute() {
		foreach ( self::$events as $event ) {
			remove_action( $event, array( 'WC_Emails', 'send_transactional_email' ) );
			remove_action( $event, array( 'WC_Emails', 'queue_transactional_email' ) );
		}
		// Whatever else writes a mail believes that it was sent.
		add_filter( 'pre_wp_mail', '__return_true', PHP_INT_MAX );
		add_filter( 'woocommerce_webhook_should_deliver', '__return_false', PHP_INT_MAX );
		add_filter( 'woocommerce_can_reduce_order_stock', '__return_false', PHP_INT_MAX );
		add_filter( 'woocommerce_can_restore_order_stock', '__return_false', PHP_INT_MAX );
		add_filter( 'woocommerce_prevent_adjust_line_item_product_stock', '__return_true', PHP_INT_MAX );
		// The status `refunded` would refund what the source did not.
		remove_action( 'woocommerce_order_status_refunded', 'wc_order_fully_refunded' );
	}
}

/** From our keys to ids, many in one request. */
final class Lookup {

	const KINDS = array( 'categories', 'products', 'customers', 'orders' );

	/**
	 * `{products: {key: id}, …}`; what is not there is left out. Orders answer with
	 * `{id, status, parts: {name: id}, refunds: {name: id}}`, variations stand among the products.
	 */
	public static function answer( $request ) {
		$found = array();
		foreach ( self::KINDS as $kind ) {
			$keys = array_values( array_unique( $request[ $kind ] ) );
			if ( count( $keys ) > MAX_KEYS ) {
				return new \WP_Error( 'recent_sync_too_many', 'Too many keys at once.', array( 'status' => 413 ) );
			}
			$found[ $kind ] = $keys ? (object) self::$kind( $keys ) : new \stdClass();
		}
		return $found;
	}

	private static function categories( $keys ) {
		global $wpdb;
		return self::ids( "SELECT meta_value AS name, term_id AS id FROM {$wpdb->termmeta} WHERE meta_key = %s AND meta_value IN", KEY, $keys, 'ORDER BY term_id DESC' );
	}

	private static function customers( $keys ) {
		global $wpdb;
		return self::ids( "SELECT meta_value AS name, user_id AS id FROM {$wpdb->usermeta} WHERE meta_key = %s AND meta_value IN", USER, $keys, 'ORDER BY user_id DESC' );
	}

	/** Of doubles the oldest counts, and what is alive before the trash: the last row stays. */
	private static function products( $keys ) {
		global $wpdb;
		$select = "SELECT m.meta_value AS name, p.ID AS id FROM {$wpdb->postmeta} m JOIN {$wpdb->posts} p ON p.ID = m.post_id WHERE p.post_type IN ('product', 'product_variation') AND m.meta_key = %s AND m.meta_value IN";
		return self::ids( $select, KEY, $keys, "ORDER BY p.post_status <> 'trash', p.ID DESC" );
	}

	private static function orders( $keys ) {
		$found = array();
		foreach ( self::order_ids( $keys ) as $key => $id ) {
			$order = wc_get_order( $id );
			if ( $order instanceof \WC_Order ) {
				$found[ $key ] = array(
					'id'      => $id,
					'status'  => $order->get_status(),
					'parts'   => (object) self::marked( $order->get_items( array( 'line_item', 'shipping', 'fee' ) ), PART ),
					'refunds' => (object) self::marked( $order->get_refunds(), REFUND ),
				);
			}
		}
		return $found;
	}

	/** Orders by our key, in whatever status; it is what they say they were created by. */
	public static function order_ids( $keys ) {
		global $wpdb;
		if ( has_orders_table() ) {
			$select = "SELECT d.created_via AS name, o.id AS id FROM {$wpdb->prefix}wc_order_operational_data d JOIN {$wpdb->prefix}wc_orders o ON o.id = d.order_id WHERE o.type = %s AND d.created_via IN";
			return self::ids( $select, 'shop_order', $keys, "ORDER BY o.status <> 'trash', o.id DESC" );
		}
		$select = "SELECT m.meta_value AS name, p.ID AS id FROM {$wpdb->postmeta} m JOIN {$wpdb->posts} p ON p.ID = m.post_id WHERE p.post_type = 'shop_order' AND m.meta_key = %s AND m.meta_value IN";
		return self::ids( $select, '_created_via', $keys, "ORDER BY p.post_status <> 'trash', p.ID DESC" );
	}

	private static function ids( $select, $value, $keys, $order_by ) {
		global $wpdb;
		$places = implode( ',', array_fill( 0, count( $keys ), '%s' ) );
		// phpcs:ignore WordPress.DB.PreparedSQL -- constants; what varies travels as values.
		$rows = $wpdb->get_results( $wpdb->prepare( "$select ($places) $order_by", array_merge( array( $value ), $keys ) ) );
		if ( $wpdb->last_error ) {
			// A failed look-up is never «not found».
			throw new \RuntimeException( 'The database did not answer.' );
		}
		$found = array_map( 'intval', wp_list_pluck( $rows, 'id', 'name' ) );
		// The database compares without case, keys are compared exactly.
		return array_intersect_key( $found, array_flip( $keys ) );
	}

	/** Ids of items or refunds by the name that they carry. */
	public static function marked( $records, $meta ) {
		$found = array();
		foreach ( $records as $each ) {
			$name = (string) $each->get_meta( $meta );
			if ( '' !== $name ) {
				$found[ $name ] = $each->get_id();
			}
		}
		return $found;
	}
}

/** Orders as they were in the shop they come from. */
final class Orders {

	/** Fields that are set as they come. What a request leaves out stays. */
	const PROPS = array( 'currency', 'prices_include_tax', 'customer_id', 'customer_note', 'payment_method', 'payment_method_title', 'transaction_id' );
	const DATES = array( 'date_created', 'date_paid', 'date_completed' );
	/** In this order: each of the taxes sets their sum. */
	const SUMS  = array( 'discount_total', 'discount_tax', 'shipping_total', 'shipping_tax', 'cart_tax', 'total' );
	const ITEMS = array(
		'line_items'     => array( 'line_item', \WC_Order_Item_Product::class ),
		'shipping_lines' => array( 'shipping', \WC_Order_Item_Shipping::class ),
		'fee_lines'      => array( 'fee', \WC_Order_Item_Fee::class ),
		'coupon_lines'   => array( 'coupon', \WC_Order_Item_Coupon::class ),
		'tax_lines'      => array( 'tax', \WC_Order_Item_Tax::class ),
	);

	/** What can be said of a part. `id`, `part`, `taxes`, `stock_taken` and `meta_data` come besides. */
	const FIELDS = array( 'name', 'product_id', 'variation_id', 'quantity', 'tax_class', 'subtotal', 'total', 'method_title', 'method_id', 'code', 'discount', 'discount_tax', 'rate_code', 'label', 'compound', 'rate_percent', 'tax_total', 'shipping_tax_total' );

	/** What a refunded part has in common with the part of the order. */
	const REFUNDED = array( 'name', 'product_id', 'variation_id', 'tax_class', 'tax_status', 'method_title', 'method_id', 'instance_id' );

	/** Rates that this shop does not know are numbered from here. */
	const UNKNOWN_RATE = 900000000;

	/** @var int[] Ids of tax rates by their codes. */
	private static $rates = array();

	/** Create or update many. One that is refused spoils no other; the answers stand in their order. */
	public static function answer( $request ) {
		if ( ! Silence::$is_on ) {
			return new \WP_Error( 'recent_sync_not_silent', 'Orders are imported by requests that carry the mark.', array( 'status' => 409 ) );
		}
		$answers = array();
		foreach ( $request['orders'] as $data ) {
			$answers[] = self::save_alone( (array) $data );
		}
		return array( 'orders' => $answers );
	}

	/** One at a time for each key: whoever sends a key twice makes one order. */
	private static function save_alone( $data ) {
		global $wpdb;
		$key = isset( $data['key'] ) && is_string( $data['key'] ) ? $data['key'] : '';
		if ( '' === $key || strlen( $key ) > 100 ) {
			return self::refusal( 'recent_sync_invalid_key', 'An order needs a key of at most 100 characters.', 400 );
		}
		$lock = 'recent_sync_' . md5( DB_NAME . $wpdb->prefix . $key );
		if ( '1' !== $wpdb->get_var( $wpdb->prepare( 'SELECT GET_LOCK(%s, 10)', $lock ) ) ) {
			return self::refusal( 'recent_sync_busy', 'The order is being written by another request.', 503 );
		}
		wc_transaction_query( 'start' );
		try {
			list( $id, $made ) = self::save( $key, $data );
			wc_transaction_query( 'commit' );
			$order = self::settled( $id );
			self::prove( $order, $data );
			return array( 'made' => $made ) + self::shown( $order );
		} catch ( \Throwable $error ) {
			wc_transaction_query( 'rollback' );
			return self::refused( $error );
		} finally {
			$wpdb->get_var( $wpdb->prepare( 'SELECT RELEASE_LOCK(%s)', $lock ) );
		}
	}

	private static function save( $key, $data ) {
		$known = empty( $data['id'] ) ? Lookup::order_ids( array( $key ) ) : array( $key => (int) $data['id'] );
		$id    = isset( $known[ $key ] ) ? $known[ $key ] : 0;
		if ( $id && ! wc_get_order( $id ) instanceof \WC_Order ) {
			throw new \WC_Data_Exception( 'woocommerce_rest_shop_order_invalid_id', 'There is no such order.', 404 );
		}
		$order = new_order( $id );
		if ( ! $id ) {
			$order->set_created_via( $key );
		}
		self::set_fields( $order, $data );
		self::set_items( $order, $data );
		foreach ( array_intersect( self::SUMS, array_keys( $data ) ) as $name ) {
			$order->{"set_$name"}( $data[ $name ] );
		}
		$saved = $order->save();
		if ( isset( $data['refunds'] ) ) {
			self::set_refunds( $order, $data['refunds'] );
		}
		if ( isset( $data['status'] ) && 'trash' === $data['status'] && 'trash' !== $order->get_status() ) {
			$order->delete( false );
		}
		return array( $saved, ! $id );
	}

	private static function set_fields( $order, $data ) {
		if ( ! empty( $data['customer_id'] ) && ! get_user_by( 'id', $data['customer_id'] ) ) {
			throw new \WC_Data_Exception( 'woocommerce_rest_invalid_customer_id', 'There is no such customer.', 400 );
		}
		foreach ( array_intersect( self::PROPS, array_keys( $data ) ) as $name ) {
			$order->{"set_$name"}( $data[ $name ] );
		}
		foreach ( array( 'billing', 'shipping' ) as $kind ) {
			foreach ( isset( $data[ $kind ] ) ? $data[ $kind ] : array() as $name => $value ) {
				if ( is_callable( array( $order, "set_{$kind}_$name" ) ) ) {
					$order->{"set_{$kind}_$name"}( (string) $value );
				}
			}
		}
		if ( isset( $data['status'] ) && 'trash' !== $data['status'] ) {
			$order->set_status( $data['status'] );
		}
		// After the status, which would set dates of its own.
		foreach ( self::DATES as $name ) {
			if ( array_key_exists( "{$name}_gmt", $data ) ) {
				$order->{"set_$name"}( self::seconds( $data[ "{$name}_gmt" ] ) );
			}
		}
		foreach ( isset( $data['meta_data'] ) ? $data['meta_data'] : array() as $meta ) {
			$order->update_meta_data( $meta['key'], $meta['value'] );
		}
		if ( isset( $data['number'] ) ) {
			$order->update_meta_data( NUMBER, wc_clean( $data['number'] ) );
		}
		if ( isset( $data['stock_taken'] ) ) {
			$order->set_order_stock_reduced( $data['stock_taken'] );
			$order->set_recorded_coupon_usage_counts( $data['stock_taken'] );
			$order->set_new_order_email_sent( $data['stock_taken'] );
			if ( ! isset( $data['line_items'] ) ) {
				self::mark_stock( $order, $data['stock_taken'] );
			}
		}
	}

	/** What a later cancellation gives back to stock, for lines that are not written themselves. */
	private static function mark_stock( $order, $taken ) {
		foreach ( $order->get_items() as $id => $item ) {
			if ( ! $taken ) {
				$item->delete_meta_data( '_reduced_stock' );
			} elseif ( '' === $item->get_meta( '_reduced_stock' ) ) {
				$item->update_meta_data( '_reduced_stock', max( 0, $item->get_quantity() + $order->get_qty_refunded_for_item( $id ) ) );
			}
			$item->save();
		}
	}

	private static function seconds( $time ) {
		return null === $time ? null : ( new \DateTime( $time, new \DateTimeZone( 'UTC' ) ) )->getTimestamp();
	}

	/** Parts of an order, kind by kind: what a request does not name of a kind it does name is gone. */
	private static function set_items( $order, $data ) {
		$rates = isset( $data['tax_lines'] ) ? array_map( array( __CLASS__, 'rate' ), $data['tax_lines'], array_keys( $data['tax_lines'] ) ) : array();
		foreach ( array_intersect_key( self::ITEMS, $data ) as $field => $kind ) {
			list( $type, $class ) = $kind;

			$there  = $order->get_items( $type );
			$marked = Lookup::marked( $there, PART );
			foreach ( $data[ $field ] as $index => $part ) {
				$name = isset( $part['part'] ) ? $part['part'] : '';
				$id   = isset( $marked[ $name ] ) ? $marked[ $name ] : ( isset( $part['id'] ) ? (int) $part['id'] : 0 );
				$item = isset( $there[ $id ] ) ? $there[ $id ] : new $class();
				unset( $there[ $id ] );
				self::set_item( $item, $part, $rates, $index );
				if ( ! $item->get_id() ) {
					$order->add_item( $item );
				} else {
					$item->save();
				}
			}
			foreach ( $there as $gone ) {
				$order->remove_item( $gone->get_id() );
			}
		}
	}

	private static function set_item( $item, $part, $rates, $index ) {
		$taxes = self::taxes( isset( $part['taxes'] ) ? $part['taxes'] : array(), $rates );
		if ( $item instanceof \WC_Order_Item_Tax ) {
			$item->set_rate_id( $rates[ $index ] );
		}
		if ( isset( $part['tax_class'] ) && ! in_array( $part['tax_class'], \WC_Tax::get_tax_class_slugs(), true ) ) {
			$part['tax_class'] = '';
		}
		if ( ! empty( $part['product_id'] ) && 'product' !== get_post_type( $part['product_id'] ) ) {
			// Deleted here: the line stays what it says it is.
			$part['product_id']   = 0;
			$part['variation_id'] = 0;
		} elseif ( ! empty( $part['variation_id'] ) && 'product_variation' !== get_post_type( $part['variation_id'] ) ) {
			$part['variation_id'] = 0;
		}
		foreach ( array_intersect( self::FIELDS, array_keys( $part ) ) as $name ) {
			$item->{"set_$name"}( $part[ $name ] );
		}
		if ( isset( $part['taxes'] ) ) {
			$item->set_taxes( $taxes );
		}
		foreach ( isset( $part['meta_data'] ) ? $part['meta_data'] : array() as $meta ) {
			$item->update_meta_data( $meta['key'], $meta['value'] );
		}
		if ( isset( $part['part'] ) ) {
			$item->update_meta_data( PART, $part['part'] );
		}
		// What a later cancellation gives back to stock.
		if ( ! empty( $part['stock_taken'] ) ) {
			$item->update_meta_data( '_reduced_stock', (int) $part['stock_taken'] );
		} elseif ( isset( $part['stock_taken'] ) ) {
			$item->delete_meta_data( '_reduced_stock' );
		}
	}

	/** Taxes of a part by rate, from `[{line, total, subtotal}]`; `line` counts the order's tax lines. */
	private static function taxes( $parts, $rates, $sign = '' ) {
		$taxes = array(
			'total'    => array(),
			'subtotal' => array(),
		);
		foreach ( $parts as $each ) {
			$rate = isset( $rates[ $each['line'] ] ) ? $rates[ $each['line'] ] : self::UNKNOWN_RATE + (int) $each['line'];

			$taxes['total'][ $rate ]    = $sign . $each['total'];
			$taxes['subtotal'][ $rate ] = $sign . ( isset( $each['subtotal'] ) ? $each['subtotal'] : $each['total'] );
		}
		return $taxes;
	}

	/** The id of this shop's rate of the same code, else a number that belongs to none. */
	private static function rate( $line, $index ) {
		global $wpdb;
		$code = strtoupper( $line['rate_code'] );
		if ( '' !== $code && ! isset( self::$rates[ $code ] ) ) {
			self::$rates[ $code ] = (int) $wpdb->get_var(
				$wpdb->prepare(
					"SELECT tax_rate_id FROM {$wpdb->prefix}woocommerce_tax_rates WHERE UPPER(CONCAT_WS('-', NULLIF(tax_rate_country, ''), NULLIF(tax_rate_state, ''), COALESCE(NULLIF(tax_rate_name, ''), 'TAX'), NULLIF(tax_rate_priority, 0))) = %s ORDER BY tax_rate_id LIMIT 1",
					$code
				)
			);
		}
		return empty( self::$rates[ $code ] ) ? self::UNKNOWN_RATE + $index : self::$rates[ $code ];
	}

	/**
	 * Ours that the source has not any more go; those of other people stay as they are. One that
	 * another tool has brought over is named by its `id`, and becomes ours.
	 */
	private static function set_refunds( $order, $wanted ) {
		$there    = array();
		$unmarked = array();
		foreach ( $order->get_refunds() as $each ) {
			$mark = (string) $each->get_meta( REFUND );
			if ( '' === $mark ) {
				$unmarked[ $each->get_id() ] = $each;
			} else {
				$there[ $mark ] = $each;
			}
		}
		foreach ( $wanted as $data ) {
			$name = $data['refund'];
			$id   = isset( $data['id'] ) ? (int) $data['id'] : 0;
			if ( isset( $there[ $name ] ) ) {
				$refund = $there[ $name ];
			} else {
				$refund = isset( $unmarked[ $id ] ) ? $unmarked[ $id ] : self::new_refund( $order, $data );
			}
			unset( $there[ $name ] );
			$refund->set_amount( $data['amount'] );
			$refund->set_total( '-' . $data['amount'] );
			$refund->set_reason( $data['reason'] );
			if ( isset( $data['date_created_gmt'] ) ) {
				$refund->set_date_created( self::seconds( $data['date_created_gmt'] ) );
			}
			$refund->update_meta_data( REFUND, $name );
			if ( ! $refund->save() ) {
				throw new \WC_Data_Exception( 'woocommerce_rest_cannot_create_order_refund', 'The refund could not be saved.', 500 );
			}
		}
		foreach ( $there as $gone ) {
			$gone->delete( true );
		}
	}

	/** Money that went back already: no payment is touched, and nothing returns to stock. */
	private static function new_refund( $order, $data ) {
		$refund = new \WC_Order_Refund();
		$refund->set_parent_id( $order->get_id() );
		$refund->set_currency( $order->get_currency() );
		$refund->set_prices_include_tax( $order->get_prices_include_tax() );
		$refund->set_refunded_by( get_current_user_id() );
		$items  = $order->get_items( array( 'line_item', 'shipping', 'fee' ) );
		$marked = Lookup::marked( $items, PART );
		$rates  = array_values( wp_list_pluck( array_map( static function ( $tax ) { return array( 'id' => $tax->get_rate_id() ); }, $order->get_items( 'tax' ) ), 'id' ) );
		$taxes  = array( 'line_item' => 0.0, 'fee' => 0.0, 'shipping' => 0.0 );
		foreach ( $data['lines'] as $line ) {
			$id = isset( $marked[ $line['part'] ] ) ? $marked[ $line['part'] ] : ( isset( $line['id'] ) ? (int) $line['id'] : 0 );
			if ( ! isset( $items[ $id ] ) ) {
				continue;
			}
			$class = get_class( $items[ $id ] );
			$item  = new $class();
			$item->set_props( array_intersect_key( $items[ $id ]->get_data(), array_flip( self::REFUNDED ) ) );
			$item->add_meta_data( '_refunded_item_id', $id, true );
			$item->set_total( '-' . $line['total'] );
			$item->set_taxes( self::taxes( $line['taxes'], $rates, '-' ) );
			if ( $item instanceof \WC_Order_Item_Product ) {
				$item->set_subtotal( '-' . $line['total'] );
				$item->set_quantity( -1 * (int) $line['quantity'] );
			}
			$refund->add_item( $item );
			$taxes[ $item->get_type() ] += (float) $item->get_total_tax();
		}
		$refund->set_cart_tax( $taxes['line_item'] + $taxes['fee'] );
		$refund->set_shipping_tax( $taxes['shipping'] );
		return $refund;
	}

	/** A database that gives a transaction up does not say so to WooCommerce. */
	private static function prove( $order, $data ) {
		foreach ( array_intersect_key( self::ITEMS, $data ) as $field => $kind ) {
			if ( count( $order->get_items( $kind[0] ) ) !== count( $data[ $field ] ) ) {
				throw new \RuntimeException( "The order was not saved as a whole: $field" );
			}
		}
	}

	/** What a status brings with it in the shop, and disturbs nobody. */
	private static function settled( $id ) {
		$order = wc_get_order( $id );
		if ( $order->has_status( array( 'processing', 'completed' ) ) ) {
			wc_downloadable_product_permissions( $order->get_id() );
		}
		if ( $order->has_status( array( 'on-hold', 'processing', 'completed' ) ) ) {
			wc_update_total_sales_counts( $order->get_id() );
		}
		return $order;
	}

	/** An order in the words of the REST API, and our names of its refunds. */
	private static function shown( $order ) {
		$controller = new \WC_REST_Orders_Controller();
		$response   = $controller->prepare_object_for_response( $order, new \WP_REST_Request( 'GET' ) );
		return array(
			'order'   => $response->get_data(),
			'refunds' => (object) Lookup::marked( $order->get_refunds(), REFUND ),
		);
	}

	private static function refused( $error ) {
		if ( $error instanceof \WC_Data_Exception ) {
			return self::refusal( $error->getErrorCode(), $error->getMessage(), $error->getCode() );
		}
		wc_get_logger()->error( 'recent-sync: ' . get_class( $error ) . ': ' . $error->getMessage(), array( 'source' => 'recent-sync' ) );
		return self::refusal( 'recent_sync_failed', 'The order could not be written; the log of WooCommerce says why.', 500 );
	}

	private static function refusal( $code, $message, $status ) {
		return array(
			'error' => array(
				'code'    => $code,
				'message' => $message,
				'data'    => array( 'status' => $status ? $status : 400 ),
			),
		);
	}
}

/**
 * An order that changes its status without anybody hearing of it: gateways capture and refund,
 * extensions write and ship when they hear. WooCommerce's classes are not there when this file is
 * read, therefore a function.
 */
function new_order( $id ) {
	if ( ! class_exists( __NAMESPACE__ . '\Imported_Order', false ) ) {
		/** An order as it was. */
		class Imported_Order extends \WC_Order { // phpcs:ignore
			/** Nobody is told. */
			protected function status_transition() {
				$this->status_transition = false;
			}
			/** Dates come from the source. */
			public function maybe_set_date_paid() {}
			/** The same. */
			protected function maybe_set_date_completed() {}
			/** WooCommerce would log the error and go on with half an order. */
			protected function handle_exception( $e, $message = 'Error' ) {
				throw $e;
			}
		}
	}
	return new Imported_Order( $id );
}

/**
 * What changed and what was deleted, with ids. One row for each record and kind of event, the last
 * event of it; rows are numbered in the order in which they were written. A row that is written in
 * a long transaction shows after later ones: whoever reads asks from a little before the last time.
 */
final class Feed {

	const KINDS = array( 'category', 'product', 'customer', 'order' );

	const SCHEMA = 1;

	/** Meta data of products that other programs write without WooCommerce. */
	const SILENT = array( '_stock', '_stock_status', '_manage_stock', '_backorders', '_price', '_regular_price', '_sale_price', '_sku' );

	/** Everything that a change can be seen by. */
	public static function listen() {
		add_action( 'init', array( __CLASS__, 'install' ) );
		$hear = static function ( $hooks, $kind, $event ) {
			foreach ( $hooks as $hook ) {
				add_action(
					$hook,
					static function ( $id ) use ( $kind, $event ) {
						self::note( $kind, $id, $event );
					}
				);
			}
		};
		$hear( array( 'woocommerce_new_product', 'woocommerce_update_product', 'woocommerce_updated_product_stock' ), 'product', 'changed' );
		$hear( array( 'woocommerce_new_product_variation', 'woocommerce_update_product_variation' ), 'product', 'changed' );
		$hear( array( 'woocommerce_new_order', 'woocommerce_update_order' ), 'order', 'changed' );
		$hear( array( 'woocommerce_delete_order' ), 'order', 'deleted' );
		$hear( array( 'user_register', 'profile_update', 'woocommerce_new_customer', 'woocommerce_update_customer' ), 'customer', 'changed' );
		$hear( array( 'deleted_user' ), 'customer', 'deleted' );
		$hear( array( 'created_product_cat', 'edited_product_cat' ), 'category', 'changed' );
		$hear( array( 'delete_product_cat' ), 'category', 'deleted' );
		add_action( 'before_delete_post', array( __CLASS__, 'post_deleted' ), 10, 2 );
		add_filter( 'woocommerce_pre_delete_order', array( __CLASS__, 'refund_deleted' ), PHP_INT_MAX, 2 );
		add_filter( 'woocommerce_pre_delete_order_refund', array( __CLASS__, 'refund_deleted' ), PHP_INT_MAX, 2 );
		foreach ( array( 'added_post_meta', 'updated_post_meta', 'deleted_post_meta' ) as $hook ) {
			add_action( $hook, array( __CLASS__, 'meta_written' ), 10, 3 );
		}
	}

	/** The feed's table. A must-use plugin is never activated. */
	public static function install() {
		global $wpdb;
		if ( (int) get_option( 'recent_sync_schema' ) === self::SCHEMA ) {
			return;
		}
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		dbDelta(
			'CREATE TABLE ' . self::table() . " (
			seq bigint(20) unsigned NOT NULL AUTO_INCREMENT,
			kind varchar(20) NOT NULL,
			record_id bigint(20) unsigned NOT NULL,
			event varchar(10) NOT NULL,
			at bigint(20) unsigned NOT NULL,
			PRIMARY KEY  (seq),
			UNIQUE KEY record (kind, record_id, event)
			) {$wpdb->get_charset_collate()}"
		);
		add_option( 'recent_sync_complete_from', time(), '', false );
		update_option( 'recent_sync_schema', self::SCHEMA );
	}

	private static function table() {
		global $wpdb;
		return $wpdb->prefix . 'recent_sync_changes';
	}

	/** A post that is deleted may be a product, a part of one, or an order among the posts. */
	public static function post_deleted( $id, $post ) {
		switch ( $post->post_type ) {
			case 'product':
			case 'shop_order':
				self::note( 'product' === $post->post_type ? 'product' : 'order', $id, 'deleted' );
				break;
			case 'product_variation':
				self::note( 'product', $post->post_parent, 'changed' );
				break;
			case 'shop_order_refund':
				self::note( 'order', $post->post_parent, 'changed' );
		}
	}

	/** A refund goes without a trace at its order, and in tables of their own without any event. */
	public static function refund_deleted( $check, $order ) {
		if ( $order instanceof \WC_Order_Refund ) {
			self::note( 'order', $order->get_parent_id(), 'changed' );
		}
		return $check;
	}

	/** Stock and prices that were written past WooCommerce. */
	public static function meta_written( $meta_id, $id, $key ) {
		if ( in_array( $key, self::SILENT, true ) ) {
			self::note( 'product', $id, 'changed' );
		}
	}

	/** Keep one event. What happens to a variation happens to its product. */
	public static function note( $kind, $id, $event ) {
		global $wpdb;
		$id = is_object( $id ) ? $id->get_id() : (int) $id;
		if ( 'product' === $kind && 'changed' === $event ) {
			$type = get_post_type( $id );
			$id   = 'product_variation' === $type ? wp_get_post_parent_id( $id ) : ( 'product' === $type ? $id : 0 );
		}
		if ( ! $id || (int) get_option( 'recent_sync_schema' ) !== self::SCHEMA ) {
			return;
		}
		// phpcs:ignore WordPress.DB.PreparedSQL -- the table's name is ours.
		$wpdb->query( $wpdb->prepare( 'REPLACE INTO ' . self::table() . ' (kind, record_id, event, at) VALUES (%s, %d, %s, %d)', $kind, $id, $event, time() ) );
		if ( $wpdb->insert_id && 0 === $wpdb->insert_id % 1000 ) {
			self::trim( $wpdb->insert_id - MAX_ROWS );
		}
	}

	/** Forget what is older than the rows that are kept. */
	private static function trim( $last ) {
		global $wpdb;
		$table = self::table();
		$newest = $wpdb->get_var( $wpdb->prepare( "SELECT MAX(at) FROM $table WHERE seq <= %d", $last ) ); // phpcs:ignore WordPress.DB.PreparedSQL
		if ( $newest ) {
			update_option( 'recent_sync_complete_from', max( (int) $newest + 1, (int) get_option( 'recent_sync_complete_from' ) ), false );
			$wpdb->query( $wpdb->prepare( "DELETE FROM $table WHERE seq <= %d", $last ) ); // phpcs:ignore WordPress.DB.PreparedSQL
		}
	}

	/** From when on the feed holds everything. */
	public static function complete_from() {
		return moment( (int) get_option( 'recent_sync_complete_from' ) );
	}

	/**
	 * One page: `{changes: [{seq, id, event, at}], more, complete_from}`, by number. `since` is a time
	 * in GMT, `after` the number of the last row of the page before.
	 */
	public static function answer( $request ) {
		global $wpdb;
		$since = ( new \DateTime( $request['since'], new \DateTimeZone( 'UTC' ) ) )->getTimestamp();
		$rows  = $wpdb->get_results(
			$wpdb->prepare(
				'SELECT seq, record_id, event, at FROM ' . self::table() . ' WHERE kind = %s AND at >= %d AND seq > %d ORDER BY seq LIMIT %d', // phpcs:ignore WordPress.DB.PreparedSQL
				$request['kind'],
				$since,
				$request['after'],
				$request['limit'] + 1
			)
		);
		$shown = static function ( $row ) {
			return array(
				'seq'   => (int) $row->seq,
				'id'    => (int) $row->record_id,
				'event' => $row->event,
				'at'    => moment( (int) $row->at ),
			);
		};
		return array(
			'changes'       => array_map( $shown, array_slice( $rows, 0, $request['limit'] ) ),
			'more'          => count( $rows ) > $request['limit'],
			'complete_from' => self::complete_from(),
		);
	}
}
