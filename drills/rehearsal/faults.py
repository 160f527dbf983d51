"""A pair that agrees, and one fault after the other."""

from __future__ import annotations

from app.cli.display import note
from drills.rehearsal.plants import PLANTS, Chosen
from drills.rehearsal.report import Plant, Report
from drills.rehearsal.stage import Stage

SCALE = 0.02
_PLENTY = 50
"""Stock that orders of the replay do not use up."""


def prepare(stage: Stage, *, seed: int) -> Chosen:
    """Fill the source, copy it, and have some records changed by the last run.

    What a run has just changed is looked at by every check.
    """
    stage.source.store.seed(scale=SCALE, seed=seed)
    for desk in (stage.source, stage.target):
        desk.load("page", {"title": "Terms of sale", "content": "<p>All that holds.</p>"})
    stage.run({"kind": "full"}, "full")
    chosen = _choose(stage)
    job = stage.run({"kind": "recent", "cutover": True}, "recent, cutover")
    if job["status"] != "succeeded":
        raise AssertionError(f"the last run ended {job['status']}: {job['error']}")
    return chosen


def _choose(stage: Stage) -> Chosen:
    """Change some records at the source; their ids on the target."""
    products, orders = stage.links("products"), stage.links("orders")
    customers, categories = stage.links("customers"), stage.links("categories")
    simple = [
        each
        for each in stage.source.get("/products", type="simple", per_page=100, orderby="id")
        if each["sku"] and each["manage_stock"] and (each["stock_quantity"] or 0) > _PLENTY
    ]
    [one, other] = [each["id"] for each in simple if each["categories"]][:2]
    processing = stage.source.get("/orders", status="processing", per_page=50)
    order = next(
        each
        for each in processing
        if each["customer_id"] in customers
        and any(line["product_id"] for line in each["line_items"])
    )
    refunded = next(
        each
        for each in stage.source.get("/orders", status="completed", per_page=100)
        if each["refunds"]
    )
    for product in (one, other, *(line["product_id"] for line in order["line_items"])):
        if product:
            text = stage.source.get(f"/products/{product}")["description"]
            stage.source.send("PUT", f"/products/{product}", {"description": f"{text} Now."})
    for each in (order, refunded):
        stage.source.send("PUT", f"/orders/{each['id']}", {"customer_note": "Please ring."})
    buyer = order["customer_id"]
    stage.source.send("PUT", f"/customers/{buyer}", {"first_name": "Robin"})
    category = stage.source.get(f"/products/{one}")["categories"][0]["id"]
    return Chosen(
        product=products[one],
        other=products[other],
        source_product=one,
        category=categories[category],
        customer=customers[buyer],
        order=orders[order["id"]],
        refunded=orders[refunded["id"]],
    )


def play(stage: Stage, report: Report, *, seed: int, only: str | None = None) -> None:
    """Verify the clean pair, then plant each fault, verify, and take it back."""
    chosen = prepare(stage, seed=seed)
    report.clean_alarms = sorted(stage.failing())
    note(f"A clean pair: {', '.join(report.clean_alarms) or 'no alarm'}.")
    for fault in PLANTS:
        if only is not None and only not in fault.name:
            continue
        undo = fault.plant(stage, chosen)
        try:
            failing = stage.failing()
        finally:
            undo()
        known = {fault.expected, *fault.related, *report.clean_alarms}
        found = Plant(
            name=fault.name,
            expected=fault.expected,
            found=sorted(failing & {fault.expected, *fault.related}),
            strange=sorted(failing - known),
        )
        report.plants.append(found)
        words = "found" if found.is_found else "NOT found"
        note(f"{fault.name}: {words} ({', '.join(sorted(failing)) or 'no alarm'})")
