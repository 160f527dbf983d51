<?php
/**
 * What an order consists of.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

/** Lines, shipping, fees, coupons and taxes of an order, as they were. */
final class Parts {

	const ITEMS = array(
		'line_items'     => array( 'line_item', \WC_Order_Item_Product::class ),
		'shipping_lines' => array( 'shipping', \WC_Order_Item_Shipping::class ),
		'fee_lines'      => array( 'fee', \WC_Order_Item_Fee::class ),
		'coupon_lines'   => array( 'coupon', \WC_Order_Item_Coupon::class ),
		'tax_lines'      => array( 'tax', \WC_Order_Item_Tax::class ),
	);

	/** What can be said of a part. `id`, `part`, `taxes`, `stock_taken` and `meta_data` come besides. */
	const FIELDS = array( 'name', 'product_id', 'variation_id', 'quantity', 'tax_class', 'subtotal', 'total', 'method_title', 'method_id', 'code', 'discount', 'discount_tax', 'rate_code', 'label', 'compound', 'rate_percent', 'tax_total', 'shipping_tax_total' );

	/** Rates that this shop does not know are numbered from here. */
	const UNKNOWN_RATE = 900000000;

	/** @var int[] Ids of tax rates by their codes. */
	private static $rates = array();

	/** Parts of an order, kind by kind: what a request does not name of a kind it does name is gone. */
	public static function set( $order, $data ) {
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

	/**
	 * Taxes of a part by rate, from `[{line, total, subtotal}]`; `line` counts the order's tax lines.
	 * `$is_back`: they are given back.
	 */
	public static function taxes( $parts, $rates, $is_back = false ) {
		$taxes = array(
			'total'    => array(),
			'subtotal' => array(),
		);
		foreach ( $parts as $each ) {
			$rate = isset( $rates[ $each['line'] ] ) ? $rates[ $each['line'] ] : self::UNKNOWN_RATE + (int) $each['line'];

			$subtotal = isset( $each['subtotal'] ) ? $each['subtotal'] : $each['total'];

			$taxes['total'][ $rate ]    = $is_back ? self::given_back( $each['total'] ) : $each['total'];
			$taxes['subtotal'][ $rate ] = $is_back ? self::given_back( $subtotal ) : $subtotal;
		}
		return $taxes;
	}

	/** What is given back counts below zero; a fee that was a discount is above it then. */
	public static function given_back( $amount ) {
		$amount = (string) $amount;
		return '-' === substr( $amount, 0, 1 ) ? substr( $amount, 1 ) : "-$amount";
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
}
