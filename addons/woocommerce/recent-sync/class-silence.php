<?php
/**
 * Requests that disturb nobody.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

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
