import httpx

from sandbox.app import create_app
from sandbox.store import StoreConfig


async def test_requests_are_counted_by_route_and_status(shop):
    await shop.get("orders")
    await shop.get("orders/77")
    await shop.get("orders/78")
    counted = (await shop.control("GET", "records"))["requests"]
    assert counted == {"GET orders 200": 1, "GET orders/{id} 404": 2}


async def test_writes_are_counted_by_origin(shop):
    product = await shop.product()
    await shop.put(f"products/{product['id']}")
    await shop.control("POST", "edits", {"op": "bump", "id": product["id"]})
    writes = (await shop.control("GET", "records"))["writes"]
    assert writes["api"] == {"product created": 1, "product updated": 1}
    assert writes["control"] == {"product updated": 1}


async def test_side_effects_are_counted_and_forgotten(shop):
    await shop.make("customers", email="a@example.com")
    assert (await shop.control("GET", "records"))["mails"] == {"api": 1}
    await shop.control("POST", "records/reset")
    assert (await shop.control("GET", "records"))["mails"] == {}


async def test_no_address_reaches_the_records(shop):
    await shop.make("customers", email="ann@example.com", first_name="Ann")
    records = await shop.http.get("/_control/records?kind=mails")
    assert "ann@example.com" not in records.text


async def test_deliveries_of_active_webhooks_are_recorded(shop):
    hook = {"topic": "product.created", "delivery_url": "http://127.0.0.1:9/"}
    made = await shop.make("webhooks", **hook)
    await shop.product()
    await shop.put(f"webhooks/{made['id']}", {"status": "paused"})
    await shop.product()
    assert [entry["topic"] for entry in await shop.entries("webhooks")] == ["product.created"]


async def test_many_documents_are_loaded_without_mails(shop):
    wanted = {
        "customer": [{"email": f"c{n}@example.com"} for n in range(50)],
        "order": [{"total": "5.00", "date_modified_gmt": "2024-01-01T00:00:00"}],
    }
    made = await shop.control("POST", "load", wanted)
    assert len(await shop.ids("customers", per_page=100)) == 50
    loaded = (await shop.get(f"orders/{made['order'][0]}")).json()
    assert (loaded["total"], loaded["date_modified_gmt"]) == ("5.00", "2024-01-01T00:00:00")
    assert await shop.mails() == []


async def test_stamps_can_be_set_and_taken_away(shop):
    product = await shop.product()
    path = f"products/{product['id']}"
    edit = {"op": "set_modified", "id": product["id"], "gmt": "2031-01-01T00:00:00"}
    await shop.control("POST", "edits", {"edits": [edit]})
    assert await shop.modified(path) == "2031-01-01T00:00:00"
    await shop.control("POST", "edits", {**edit, "gmt": None})
    assert await shop.modified(path) is None


async def test_an_id_can_be_given_to_another_record(shop):
    first = await shop.product()
    await shop.control("POST", "edits", {"op": "reuse_id", "id": first["id"]})
    order = await shop.make("orders")
    assert order["id"] == first["id"]


async def test_an_edit_of_nothing_is_an_error(shop):
    for edit in ({"op": "bump", "id": 4711}, {"op": "wave", "id": 1}):
        answer = await shop.http.post("/_control/edits", json=edit)
        assert answer.status_code in (400, 404)


async def test_the_clock_can_be_moved_frozen_and_sent_abroad(shop):
    assert (await shop.control("POST", "clock", {"advance": 60}))["gmt"] == "2025-11-25T12:01:00"
    await shop.control("POST", "clock", {"freeze": True})
    shop.wait(600)
    assert (await shop.control("GET", "clock"))["gmt"] == "2025-11-25T12:01:00"
    moved = await shop.control("POST", "clock", {"timezone": "Europe/Berlin"})
    assert moved["local"] == "2025-11-25T13:01:00"
    answer = await shop.http.post("/_control/clock", json={"timezone": "Mars/Olympus"})
    assert answer.status_code == 400


async def test_a_control_token_keeps_others_out(open_shop):
    shop = open_shop(control_token="t0ken")
    assert (await shop.http.get("/_control/faults")).status_code == 401
    app = httpx.ASGITransport(app=shop.app)
    async with httpx.AsyncClient(transport=app, base_url="http://shop.test") as http:
        headers = {"Authorization": "Bearer t0ken"}
        assert (await http.get("/_control/faults", headers=headers)).status_code == 200


async def test_an_unknown_control_is_404(shop):
    assert (await shop.http.get("/_control/coffee")).status_code == 404


async def test_a_restart_keeps_everything(tmp_path):
    config = StoreConfig(folder=tmp_path)
    app = create_app(config)
    auth = {"X-Forwarded-Proto": "https"}

    def client(app):
        transport = httpx.ASGITransport(app=app)
        return httpx.AsyncClient(
            transport=transport,
            base_url="http://shop.test",
            auth=("ck_practice", "cs_practice"),
            headers=auth,
        )

    async with client(app) as http:
        made = (await http.post("/wp-json/wc/v3/products", json={"name": "Mug"})).json()
        await http.post("/wp-json/wc/v3/customers", json={"email": "a@example.com"})
        await http.put("/_control/faults", json={"clock_skew": {"seconds": 30}})
        await http.post("/_control/clock", json={"timezone": "Europe/Berlin"})
    await app.close()
    again = create_app(config)
    async with client(again) as http:
        assert (await http.get(f"/wp-json/wc/v3/products/{made['id']}")).json() == made
        assert (await http.get("/_control/records")).json()["mails"] == {"api": 1}
        clock = (await http.get("/_control/clock")).json()
        assert (clock["skew"], clock["timezone"]) == (30.0, "Europe/Berlin")
        second = (await http.post("/wp-json/wc/v3/products", json={"name": "Cup"})).json()
        assert second["id"] > made["id"]
    await again.close()


async def test_store_that_is_founded_anew_is_as_new(shop):
    before = await shop.control("GET", "")
    made = await shop.product()
    await shop.make("customers", email="a@example.com")
    await shop.put("settings/email_new_order/enabled", {"value": "no"})
    await shop.faults(error_before={"probability": 1.0, "route": "orders"})
    after = await shop.control("POST", "found")
    assert (after["records"], after["faults"]) == (before["records"], before["faults"])
    assert (await shop.get("settings/email_new_order/enabled")).json()["value"] == "yes"
    records = await shop.control("GET", "records")
    assert (records["mails"], records["writes"]) == ({}, {})
    assert (await shop.product())["id"] == made["id"]
