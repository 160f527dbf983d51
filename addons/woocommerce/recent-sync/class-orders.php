<?php
/**
 * Orders that are imported.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

/** Orders as they were in the shop they come from. */
final class Orders {

	/** Fields that are set as they come. What a request leaves out stays. */
	const PROPS = array( 'currency', 'prices_include_tax', 'customer_id', 'customer_note', 'payment_method', 'payment_method_title', 'transaction_id' );
	const DATES = array( 'date_created', 'date_paid', 'date_completed' );
	/** In this order: each of the taxes sets their sum. */
	const SUMS  = array( 'discount_total', 'discount_tax', 'shipping_total', 'shipping_tax', 'cart_tax', 'total' );

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
		require_once __DIR__ . '/class-imported-order.php';
		$order = new Imported_Order( $id );
		if ( ! $id ) {
			$order->set_created_via( $key );
		}
		self::set_fields( $order, $data );
		Parts::set( $order, $data );
		foreach ( array_intersect( self::SUMS, array_keys( $data ) ) as $name ) {
			$order->{"set_$name"}( $data[ $name ] );
		}
		$saved = $order->save();
		if ( isset( $data['refunds'] ) ) {
			Refunds::set( $order, $data['refunds'] );
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
				$order->{"set_$name"}( seconds( $data[ "{$name}_gmt" ] ) );
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

	/** A database that gives a transaction up does not say so to WooCommerce. */
	private static function prove( $order, $data ) {
		foreach ( array_intersect_key( Parts::ITEMS, $data ) as $field => $kind ) {
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
