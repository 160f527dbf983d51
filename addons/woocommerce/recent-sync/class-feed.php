<?php
/**
 * What changed and what was deleted.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

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
