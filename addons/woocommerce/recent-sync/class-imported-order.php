<?php
/**
 * An order whose status changes in silence.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

/**
 * An order that changes its status without anybody hearing of it: gateways capture and refund,
 * extensions write and ship when they hear. WooCommerce's classes are not there when the plugin is
 * loaded: this file is read when the first order is written.
 */
final class Imported_Order extends \WC_Order {

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
