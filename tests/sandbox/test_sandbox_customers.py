import asyncio


async def test_a_new_customer_is_mailed(shop):
    await shop.make("customers", email="a@example.com")
    assert await shop.mails() == ["customer_new_account"]


async def test_a_mail_type_can_be_switched_off(shop):
    setting = "settings/email_customer_new_account/enabled"
    assert (await shop.get(setting)).json()["value"] == "yes"
    assert (await shop.put(setting, {"value": "no"})).status_code == 200
    assert (await shop.get(setting)).json()["value"] == "no"
    await shop.make("customers", email="a@example.com")
    assert await shop.mails() == []


async def test_settings_take_only_yes_and_no_for_a_checkbox(shop):
    answer = await shop.put("settings/email_new_order/enabled", {"value": "off"})
    assert answer.status_code == 400
    assert (await shop.get("settings/email_nothing")).status_code == 404
    assert (await shop.get("settings/general/nothing")).status_code == 404


async def test_every_mail_type_has_a_settings_group(shop):
    groups = {item["id"] for item in await shop.items("settings")}
    assert {"general", "email_new_order", "email_customer_refunded_order"} <= groups


async def test_an_email_can_be_used_once_whatever_the_case(shop):
    await shop.make("customers", email="a@example.com")
    answer = await shop.post("customers", {"email": "A@example.com"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "registration-error-email-exists"


async def test_two_of_four_concurrent_creates_of_an_email_are_made(shop):
    payload = {"email": "a@example.com"}
    answers = await asyncio.gather(*(shop.post("customers", payload) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 400, 400]
    assert len(await shop.ids("customers", email="a@example.com")) == 2
    (twin,) = await shop.entries("duplicates")
    assert twin["what"] == "customer"


async def test_an_email_is_needed_and_checked(shop):
    assert (await shop.post("customers", {})).status_code == 400
    assert (await shop.post("customers", {"email": "nobody"})).status_code == 400


async def test_the_email_look_up_is_exact_and_whatever_the_case(shop):
    made = await shop.make("customers", email="Ann@example.com")
    await shop.make("customers", email="ann@example.com.example.org")
    assert await shop.ids("customers", email="ANN@example.com") == [made["id"]]


async def test_the_creation_date_cannot_be_set(shop):
    made = await shop.make(
        "customers", email="a@example.com", date_created_gmt="2020-01-01T00:00:00"
    )
    assert made["date_created_gmt"] == "2025-11-25T12:00:00"


async def test_customers_have_no_trash(shop):
    path = f"customers/{(await shop.make('customers', email='a@example.com'))['id']}"
    assert (await shop.delete(path)).status_code == 501
    assert (await shop.delete(path, force="true")).status_code == 200
    assert (await shop.get(path)).status_code == 404


async def test_addresses_are_merged_field_by_field(shop):
    made = await shop.make("customers", email="a@example.com", billing={"city": "Leeds"})
    path = f"customers/{made['id']}"
    changed = (await shop.put(path, {"billing": {"postcode": "LS1 1AA"}})).json()
    assert (changed["billing"]["city"], changed["billing"]["postcode"]) == ("Leeds", "LS1 1AA")


async def test_another_customers_email_cannot_be_taken(shop):
    await shop.make("customers", email="a@example.com")
    path = f"customers/{(await shop.make('customers', email='b@example.com'))['id']}"
    assert (await shop.put(path, {"email": "a@example.com"})).status_code == 400
