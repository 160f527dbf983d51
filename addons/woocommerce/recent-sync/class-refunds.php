<?php
/**
 * Money that went back.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

/** Refunds of an order, as they were. */
final class Refunds {

	/** What a refunded part has in common with the part of the order. */
	const REFUNDED = array( 'name', 'product_id', 'variation_id', 'tax_class', 'tax_status', 'method_title', 'method_id', 'instance_id' );

	/**
	 * Ours that the source has not any more go; those of other people stay as they are. One that
	 * another tool has brought over is named by its `id`, and becomes ours.
	 */
	public static function set( $order, $wanted ) {
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
				$refund->set_date_created( seconds( $data['date_created_gmt'] ) );
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
			$item->set_total( Parts::given_back( $line['total'] ) );
			$item->set_taxes( Parts::taxes( $line['taxes'], $rates, true ) );
			if ( $item instanceof \WC_Order_Item_Product ) {
				$item->set_subtotal( Parts::given_back( $line['total'] ) );
				$item->set_quantity( -1 * (int) $line['quantity'] );
			}
			$refund->add_item( $item );
			$taxes[ $item->get_type() ] += (float) $item->get_total_tax();
		}
		$refund->set_cart_tax( $taxes['line_item'] + $taxes['fee'] );
		$refund->set_shipping_tax( $taxes['shipping'] );
		return $refund;
	}
}
