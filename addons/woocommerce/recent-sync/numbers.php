<?php
/**
 * Old order numbers, and keys of categories.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

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
