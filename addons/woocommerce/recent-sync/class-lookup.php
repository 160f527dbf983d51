<?php
/**
 * Finding what is there already.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

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
