<?php
// Installs WordPress and WooCommerce in a scratch folder: php install.php FOLDER STEP.
// Three steps, a process each: a plugin is only there in the process after the one that activates it.
$step = $argv[2];
if ( 'wordpress' === $step ) {
	define( 'WP_INSTALLING', true );
}
$_SERVER['HTTP_HOST'] = 'shop.example';
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';

if ( 'wordpress' === $step ) {
	wp_install( 'Practice', 'owner', 'owner@shop.example', true, '', 'practice' );
	update_option( 'permalink_structure', '/%postname%/' );
} elseif ( 'woocommerce' === $step ) {
	$failure = activate_plugin( 'woocommerce/woocommerce.php' );
	if ( is_wp_error( $failure ) ) {
		fwrite( STDERR, $failure->get_error_message() );
		exit( 1 );
	}
} else {
	wc_get_container()->get( Automattic\WooCommerce\Internal\DataStores\Orders\DataSynchronizer::class )->create_database_tables();
	update_option( 'woocommerce_custom_orders_table_enabled', getenv( 'SITE_ORDERS_TABLE' ) );
	update_option( 'woocommerce_calc_taxes', 'yes' );
	update_option( 'woocommerce_coming_soon', 'no' );
	update_option( 'timezone_string', getenv( 'SITE_TIMEZONE' ) );
	update_option( 'woocommerce_currency', 'USD' );
	WC_Tax::_insert_tax_rate(
		array(
			'tax_rate_country'  => 'US',
			'tax_rate_state'    => 'NY',
			'tax_rate'          => '7.25',
			'tax_rate_name'     => 'Tax',
			'tax_rate_priority' => 1,
			'tax_rate_shipping' => 1,
		)
	);
	$editor = wp_insert_user( array( 'user_login' => 'writer', 'user_pass' => 'practice', 'role' => 'editor', 'user_email' => 'writer@shop.example' ) );
	foreach ( array( 'owner' => 'read_write', 'reader' => 'read', 'writer' => 'read_write' ) as $name => $permissions ) {
		$GLOBALS['wpdb']->insert(
			$GLOBALS['wpdb']->prefix . 'woocommerce_api_keys',
			array(
				'user_id'         => 'writer' === $name ? $editor : 1,
				'permissions'     => $permissions,
				'consumer_key'    => wc_api_hash( "ck_$name" ),
				'consumer_secret' => "cs_$name",
				'truncated_key'   => substr( "ck_$name", -7 ),
			)
		);
	}
}
