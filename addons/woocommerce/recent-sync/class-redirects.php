<?php
/**
 * Old paths that lead to new ones.
 *
 * @package RecentSync
 */

namespace RecentSync;

defined( 'ABSPATH' ) || exit;

/**
 * Old paths that lead to new ones for good, each by one redirect. A page that is there answers as
 * ever and pays nothing: only where WordPress has found none is the path looked up, before
 * WordPress guesses. Where it leads is what somebody who manages the shop has said, and nothing
 * that a visitor asks for changes the host.
 */
final class Redirects {

	const SCHEMA = 1;

	/** What no page of WordPress answers, and what is no path: an address of its own programs. */
	const RESERVED = '#^/(wp-admin|wp-login\.php|wp-json)(/|$)#i';
	const PATH     = '#^/(?!/)[^\s?\#\\\\\x00-\x1f\x7f]*$#D';
	const TARGET   = '#^(/(?!/)|https?://[^\s/?\#\\\\@]+(?=[/?\#]|$))[^\s\\\\\x00-\x1f\x7f]*$#iD';

	/** One look at what is there already, where nothing was found. */
	public static function listen() {
		add_action( 'template_redirect', array( __CLASS__, 'lead' ), 1 );
	}

	/** Lead a visitor on who has found nothing. */
	public static function lead() {
		$method = isset( $_SERVER['REQUEST_METHOD'] ) ? $_SERVER['REQUEST_METHOD'] : '';
		if ( ! is_404() || ! self::is_ready() || ! in_array( $method, array( 'GET', 'HEAD' ), true ) || ! isset( $_SERVER['REQUEST_URI'] ) ) {
			return;
		}
		// As it came: whatever cleans text takes percent signs for something else.
		list( $path, $query ) = array_pad( explode( '?', wp_unslash( $_SERVER['REQUEST_URI'] ), 2 ), 2, '' ); // phpcs:ignore WordPress.Security.ValidatedSanitizedInput
		$target = self::target_of( self::key( $path ) );
		// phpcs:ignore WordPress.Security.SafeRedirect -- another host only where the shop's people said so.
		if ( null !== $target && wp_redirect( self::sendable( self::with_query( $target, $query ) ), 301, 'recent-sync' ) ) {
			exit;
		}
	}

	// --- routes

	/** Keep many. One that is refused spoils no other; the answers stand in their order. */
	public static function save( $request ) {
		if ( ! lock( 'redirects' ) ) {
			return new \WP_Error( 'recent_sync_busy', 'Redirects are being written by another request.', array( 'status' => 503 ) );
		}
		try {
			self::install();
			return array( 'redirects' => array_map( array( __CLASS__, 'save_one' ), $request['redirects'] ) );
		} finally {
			unlock( 'redirects' );
		}
	}

	/** One page, by number: `{redirects: [{id, path, target}], more}`. */
	public static function index( $request ) {
		global $wpdb;
		$rows = array();
		if ( self::is_ready() ) {
			// phpcs:ignore WordPress.DB.PreparedSQL -- the table's name is ours.
			$rows = $wpdb->get_results( $wpdb->prepare( 'SELECT id, path, target FROM ' . self::table() . ' WHERE id > %d ORDER BY id LIMIT %d', $request['after'], $request['limit'] + 1 ) );
		}
		foreach ( $rows as $row ) {
			$row->id = (int) $row->id;
		}
		return array(
			'redirects' => array_slice( $rows, 0, $request['limit'] ),
			'more'      => count( $rows ) > $request['limit'],
		);
	}

	/** Forget many: `{removed}`, how many were there. */
	public static function remove( $request ) {
		global $wpdb;
		$removed = 0;
		foreach ( self::is_ready() ? $request['paths'] : array() as $path ) {
			$removed += (int) $wpdb->delete( self::table(), array( 'path_key' => md5( self::key( $path ) ) ) );
		}
		return array( 'removed' => $removed );
	}

	// --- what is kept

	/** `{state, code}`: `made`, `kept`, or `refused` and why. What stands there stays. */
	private static function save_one( $data ) {
		global $wpdb;
		list( $path, $target ) = array( $data['path'], $data['target'] );
		if ( max( strlen( $path ), strlen( $target ) ) > MAX_PATH || ! preg_match( self::PATH, $path ) || ! preg_match( self::TARGET, $target ) || preg_match( self::RESERVED, rawurldecode( $path ) ) ) {
			return self::said( 'refused', 'path_invalid' );
		}
		$key   = self::key( $path );
		$end   = self::end( $target );
		$there = self::find( $key );
		if ( self::is_live( $path ) ) {
			return self::said( 'refused', 'path_live' );
		}
		if ( null !== $there && rtrim( $there, '/' ) !== rtrim( $target, '/' ) ) {
			return self::said( 'refused', 'redirect_differs' );
		}
		$next = null === $end ? null : self::find( $end );
		if ( $end === $key || ( null !== $next && self::end( $next ) === $key ) ) {
			return self::said( 'refused', 'redirect_loop' );
		}
		if ( null !== $next || ( null === $there && self::is_led_to( $key ) ) ) {
			return self::said( 'refused', 'redirect_chain' );
		}
		if ( null !== $there ) {
			return self::said( 'kept' );
		}
		$row = array(
			'path_key' => md5( $key ),
			'path'     => $path,
			'end_key'  => null === $end ? '' : md5( $end ),
			'target'   => $target,
		);
		return $wpdb->insert( self::table(), $row ) ? self::said( 'made' ) : self::said( 'refused', 'recent_sync_failed' );
	}

	private static function said( $state, $code = '' ) {
		return array(
			'state' => $state,
			'code'  => $code,
		);
	}

	/** Where a path leads; none where nobody has said, or where it would lead to itself. */
	private static function target_of( $key ) {
		$target = self::find( $key );
		return null === $target || self::end( $target ) === $key ? null : $target;
	}

	private static function find( $key ) {
		global $wpdb;
		// phpcs:ignore WordPress.DB.PreparedSQL -- the table's name is ours.
		return $wpdb->get_var( $wpdb->prepare( 'SELECT target FROM ' . self::table() . ' WHERE path_key = %s', md5( $key ) ) );
	}

	private static function is_led_to( $key ) {
		global $wpdb;
		// phpcs:ignore WordPress.DB.PreparedSQL -- the table's name is ours.
		return null !== $wpdb->get_var( $wpdb->prepare( 'SELECT id FROM ' . self::table() . ' WHERE end_key = %s LIMIT 1', md5( $key ) ) );
	}

	/** Whether there is a table: an option that every request has read already. */
	private static function is_ready() {
		return (int) get_option( 'recent_sync_redirects' ) === self::SCHEMA;
	}

	/** The table, when the first redirects come. */
	private static function install() {
		global $wpdb;
		if ( self::is_ready() ) {
			return;
		}
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		dbDelta(
			'CREATE TABLE ' . self::table() . " (
			id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
			path_key char(32) NOT NULL,
			path text NOT NULL,
			end_key char(32) NOT NULL,
			target text NOT NULL,
			PRIMARY KEY  (id),
			UNIQUE KEY path_key (path_key),
			KEY end_key (end_key)
			) {$wpdb->get_charset_collate()}"
		);
		update_option( 'recent_sync_redirects', self::SCHEMA, true );
	}

	private static function table() {
		global $wpdb;
		return $wpdb->prefix . 'recent_sync_redirects';
	}

	// --- addresses

	/** What two spellings of one path have in common: decoded, and without a slash behind it. */
	private static function key( $path ) {
		$key = rtrim( rawurldecode( $path ), '/' );
		return '' === $key ? '/' : $key;
	}

	/** The key of the path that a target leads to in this shop; none where it leads elsewhere. */
	private static function end( $target ) {
		$path = preg_split( '/[?#]/', $target )[0];
		if ( '/' === $path[0] ) {
			return self::key( $path );
		}
		list( , , $host, $path ) = array_pad( explode( '/', $path, 4 ), 4, '' );
		return strtolower( $host ) === strtolower( self::host() ) ? self::key( "/$path" ) : null;
	}

	/** The host of this shop, with its port. */
	private static function host() {
		return explode( '/', home_url( '/' ) )[2];
	}

	/** What a visitor asked for behind the path goes along; what the target says itself stands. */
	private static function with_query( $target, $query ) {
		list( $address, $fragment ) = array_pad( explode( '#', $target, 2 ), 2, null );
		list( $path, $own )         = array_pad( explode( '?', $address, 2 ), 2, '' );
		$name = static function ( $pair ) {
			return urldecode( explode( '=', $pair, 2 )[0] );
		};
		$pairs = array_filter( explode( '&', $own ), 'strlen' );
		$names = array_map( $name, $pairs );
		foreach ( array_filter( explode( '&', $query ), 'strlen' ) as $pair ) {
			if ( ! in_array( $name( $pair ), $names, true ) ) {
				$pairs[] = $pair;
			}
		}
		return $path . ( $pairs ? '?' . implode( '&', $pairs ) : '' ) . ( null === $fragment ? '' : "#$fragment" );
	}

	/** WordPress leaves out of an address what is not encoded, and some of what need not be. */
	private static function sendable( $address ) {
		$encode = static function ( $found ) {
			return rawurlencode( $found[0] );
		};
		return preg_replace_callback( '|[^a-z0-9-~+_.?#=&;,/:%!*\[\]()@]|i', $encode, $address );
	}

	/** Whether a path is a page's own: a post's, a product's, a category's, or a list's. */
	private static function is_live( $path ) {
		$key   = self::key( $path );
		$home  = explode( '/', home_url( '/' ) );
		$post  = url_to_postid( "{$home[0]}//{$home[2]}$path" );
		$terms = get_terms(
			array(
				'taxonomy'   => get_taxonomies( array( 'publicly_queryable' => true ) ),
				'slug'       => sanitize_title( basename( $key ) ),
				'hide_empty' => false,
			)
		);
		$links = array_merge(
			array( home_url( '/' ) ),
			$post && 'publish' === get_post_status( $post ) ? array( get_permalink( $post ) ) : array(),
			array_map( 'get_post_type_archive_link', array_values( get_post_types( array( 'publicly_queryable' => true ) ) ) ),
			array_map( 'get_term_link', is_array( $terms ) ? $terms : array() )
		);
		foreach ( array_filter( $links, 'is_string' ) as $link ) {
			if ( self::end( $link ) === $key ) {
				return true;
			}
		}
		return false;
	}
}
