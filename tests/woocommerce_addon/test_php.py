"""The plugin's file itself, and that the practice store plays the same version of it."""

from __future__ import annotations

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

FILE = Path(__file__).parents[2] / "addons/woocommerce/recent-sync.php"
TEXT = FILE.read_text()


def constant(name: str) -> str:
    [found] = re.findall(rf"^\s*const {name}\s*= (?:'([^']*)'|(\d+));", TEXT, re.MULTILINE)
    return "".join(found)


def test_php_understands_it():
    php = shutil.which("php")
    if php is None:
        pytest.skip("PHP is not installed (Debian: php-cli), so that nobody has read the plugin")
    done = subprocess.run([php, "-l", str(FILE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


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
