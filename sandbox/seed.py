"""Fill a store with the real shop as it was at a moment."""

from collections import defaultdict
from dataclasses import dataclass
from random import Random

from sandbox import seed_orders, shop
from sandbox.catalogue import Builder, Rows, State
from sandbox.customers import blank
from sandbox.people import Person, person
from sandbox.records import columns_of
from sandbox.seed_orders import Filled
from sandbox.shop import Invoice, Shop
from sandbox.store import Store
from sandbox.wire import SITE, Doc, encode

AS_OF = "2011-11-25T00:00:00"


@dataclass(frozen=True, slots=True)
class Plan:
    """What of the history goes into the store."""

    orders: list[Invoice]
    refunds: dict[int, list[Invoice]]  # by the position of the order they take back
    customers: dict[int, Invoice]  # by number in the data, with their first order


def fill(store: Store, *, as_of: str = AS_OF, scale: float = 1.0, seed: int = 7) -> dict[str, int]:
    """Load the shop into an empty store; `scale` takes a part of its orders. Gives the counts.

    Nothing is mailed and no stock moves: this is history.
    """
    history = shop.load()
    plan = _plan(history, as_of, scale, seed)
    with store.storage.bulk():
        catalogue = Builder(store, seed).build(*_articles(history, plan))
        counts = {"products": 0, "variations": 0}
        for columns, _, _ in catalogue.rows:
            counts[f"{columns.kind}s"] += 1
        store.storage.load(catalogue.rows)
        filled = Filled(history, catalogue, seed=seed)
        counts["customers"] = store.storage.load(_customers(store, plan, filled))
        made = seed_orders.Writer(store, filled, until=as_of)
        counts["orders"] = store.storage.load(made.orders(plan.orders, plan.refunds))
        counts["refunds"] = store.storage.load(made.refunds)
        store.storage.set_fact("shop", {"as_of": as_of, "scale": scale, "seed": seed})
    store.count("product", "seeded")  # category counts are counted anew
    return counts


def _plan(history: Shop, as_of: str, scale: float, seed: int) -> Plan:
    dice = Random(seed)  # noqa: S311 - which part of history, not a secret
    orders: list[Invoice] = []
    refunds: defaultdict[int, list[Invoice]] = defaultdict(list)
    customers: dict[int, Invoice] = {}
    kept: set[int] = set()
    for invoice in history.snapshot(as_of):
        if invoice.cancellation:
            if invoice.cancels in kept:
                refunds[invoice.cancels].append(invoice)
        elif scale >= 1 or dice.random() < scale:
            kept.add(invoice.position)
            orders.append(invoice)
            if invoice.customer:
                customers.setdefault(invoice.customer, invoice)
    return Plan(orders, dict(refunds), customers)


def _articles(history: Shop, plan: Plan) -> tuple[dict[int, shop.Article], dict[int, State]]:
    """The products the chosen orders need, in the order they first appeared."""
    states: dict[int, State] = {}
    for invoice in plan.orders:
        for line in invoice.lines:
            index = history.article[line]
            state = states.get(index)
            if state is None:
                states[index] = State(invoice.at, invoice.at, history.pence[line])
            else:
                state.last, state.pence = invoice.at, history.pence[line]
    products = {n: history.articles[n] for n in states if history.articles[n].is_product}
    return products, states


def _customers(store: Store, plan: Plan, filled: Filled) -> Rows:
    rows: Rows = []
    dice = Random(filled.seed)  # noqa: S311 - roles of made-up people
    for number, first in plan.customers.items():
        who = person(filled.seed, f"c{number}", first.country)
        doc = customer(store, who, first.at)
        # Some registered without buying rights, some were made by another plugin: no stamp.
        if dice.random() < 0.01:  # noqa: PLR2004
            doc["role"] = "subscriber"
        if dice.random() < 0.02:  # noqa: PLR2004
            doc["date_modified"] = doc["date_modified_gmt"] = None
        filled.people[number] = (doc["id"], who)
        rows.append((columns_of("customer", doc), encode(doc), None))
    return rows


def customer(store: Store, who: Person, at: int) -> Doc:
    """A customer's document, registered at a moment (epoch seconds)."""
    doc = blank()
    local, gmt = store.clock.stamps(at)
    doc.update(
        id=store.new_id("user"),
        date_created=local,
        date_created_gmt=gmt,
        date_modified=local,
        date_modified_gmt=gmt,
        email=who.email,
        first_name=who.first_name,
        last_name=who.last_name,
        username=who.username,
        billing=who.billing,
        shipping=who.shipping,
        is_paying_customer=True,
    )
    doc["avatar_url"] = f"{SITE}/avatar/{doc['id']}"
    doc["_links"] = store.links(f"customers/{doc['id']}")
    return doc
