"""The plugin's files themselves, and that the practice store plays the same version of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from connectors.woocommerce.addon import ROOT as ADDRESS
from connectors.woocommerce.addon import SPOKEN
from connectors.woocommerce.api import MARK
from connectors.woocommerce.parts import CUSTOMER_KEY_META, KEY_META, PART_META, REFUND_META
from sandbox import addon, exact_orders, feed

FOLDER = Path(__file__).parents[2] / "addons/woocommerce"
LOADER = FOLDER / "recent-sync.php"
PARTS = sorted((FOLDER / "recent-sync").glob("*.php"))
TEXT = "".join(each.read_text() for each in (LOADER, *PARTS))
# As much of WordPress as the plugin needs to be loaded: it tells what was hooked in.
_WORDPRESS = """
define( 'ABSPATH', '/' );
$hooked = array();
function add_filter( $hook, $callback ) {
    global $hooked;
    $hooked[ $hook ] = is_callable( $callback );
}
function add_action( $hook, $callback ) { add_filter( $hook, $callback ); }
require $argv[1];
echo json_encode( $hooked );
"""


def php(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("php")
    if program is None:
        pytest.skip("PHP is not installed (Debian: php-cli), so that nobody has read the plugin")
    given = [program, *map(str, arguments)]
    return subprocess.run(given, capture_output=True, text=True, check=False, timeout=60)


def loaded(folder: Path) -> dict[str, bool]:
    """Hooks that the plugin in a folder takes, and whether what it calls there is defined."""
    done = php("-d", "display_errors=stderr", "-r", _WORDPRESS, "--", folder / "recent-sync.php")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, bool] = json.loads(done.stdout)
    return found


def constant(name: str) -> str:
    [found] = re.findall(rf"^\s*const {name}\s*= (?:'([^']*)'|(\d+));", TEXT, re.MULTILINE)
    return "".join(found)


@pytest.mark.parametrize("file", [LOADER, *PARTS], ids=lambda file: file.name)
def test_php_understands_it(file: Path):
    done = php("-l", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_part_begins_with_a_guard_against_being_called_by_itself():
    for each in (LOADER, *PARTS):
        assert "namespace RecentSync;\n\ndefined( 'ABSPATH' ) || exit;\n" in each.read_text()


def test_the_loader_hooks_everything_in_and_all_of_it_is_there():
    hooked = loaded(FOLDER)
    assert {"rest_api_init", "rest_pre_dispatch", "init", "woocommerce_order_number"} <= set(hooked)
    assert all(hooked.values()), hooked


def test_with_half_a_copy_the_shop_goes_on_without_the_plugin(tmp_path: Path):
    shutil.copy(LOADER, tmp_path)
    assert loaded(tmp_path) == {"admin_notices": True}
    shutil.copytree(FOLDER / "recent-sync", tmp_path / "recent-sync")
    assert "rest_api_init" in loaded(tmp_path)
    for part in PARTS:
        (tmp_path / "recent-sync" / part.name).rename(tmp_path / "aside")
        assert loaded(tmp_path) == {"admin_notices": True}, part.name
        (tmp_path / "aside").rename(tmp_path / "recent-sync" / part.name)


def test_the_header_tells_the_version():
    assert f"* Version: {constant('VERSION')}\n" in TEXT
    assert "* License: GPL-2.0-or-later\n" in TEXT


def test_plugin_connector_and_practice_store_speak_of_the_same():
    assert constant("VERSION") == addon.VERSION
    assert f"/wp-json/{constant('ROUTES')}/" == ADDRESS == f"{addon.ROOT}/"
    assert f"'api'           => {SPOKEN}," in TEXT
    [(header, value)] = MARK.items()
    assert constant("MARK") == header.lower().replace("-", "_")
    assert f"'{value}' === $request->get_header( MARK )" in TEXT
    assert (constant("KEY"), constant("USER")) == (KEY_META, CUSTOMER_KEY_META)
    assert (constant("PART"), constant("REFUND")) == (PART_META, REFUND_META)
    assert (exact_orders.PART, exact_orders.REFUND) == (PART_META, REFUND_META)
    assert constant("NUMBER") == exact_orders.NUMBER
    assert int(constant("MAX_CHANGES")) == feed.MAX_PAGE
