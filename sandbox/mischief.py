"""Changes that a shop makes behind everybody's back while it is being read."""

from sandbox import effects
from sandbox.store import ORIGIN, Store
from sandbox.wire import Request


def strike(store: Store, request: Request) -> None:
    """Do what the faults that change data want done during this request."""
    if request.method != "GET" or not request.path.startswith("/wp-json/wc"):
        return
    token = ORIGIN.set("fault")
    kind = "order" if "/orders" in request.path else "product"
    if params := store.faults.roll("spurious_bumps", request):
        for record_id in _some(store, kind, int(params["count"])):
            bump(store, kind, record_id)
    if params := store.faults.roll("move_on_update", request):
        sql = (
            "SELECT id FROM records WHERE kind = ? AND latest = 1 AND status <> 'trash'"
            " ORDER BY modified LIMIT ?"
        )
        for (record_id,) in store.storage.rows(sql, (kind, int(params["count"]))):
            bump(store, kind, record_id)
    if params := store.faults.roll("silent_children", request):
        for record_id in _some(store, "product", int(params["count"])):
            silent_stock(store, "product", record_id, store.faults.random.randrange(200))
    if params := store.faults.roll("hard_deletes", request):
        for record_id in _some(store, str(params["kind"]), int(params["count"])):
            store.erase(str(params["kind"]), record_id)
    ORIGIN.reset(token)


def bump(store: Store, kind: str, record_id: int) -> None:
    """Move a stamp while nothing else changes."""
    effects.touch(store, kind, record_id)


def silent_stock(store: Store, kind: str, record_id: int, quantity: int) -> bool:
    """Write stock as a direct `_stock` meta write does: no stamp moves."""
    doc = store.read(kind, record_id)
    if doc is None:
        return False
    doc["manage_stock"] = True
    effects.set_stock(doc, quantity)
    store.save(kind, doc, touch=False)
    return True


def _some(store: Store, kind: str, count: int) -> list[int]:
    rows = store.storage.rows(
        "SELECT id FROM records WHERE kind = ? AND latest = 1 AND status <> 'trash' ORDER BY id",
        (kind,),
    )
    chosen = store.faults.random.sample(range(len(rows)), min(count, len(rows)))
    return [int(rows[n][0]) for n in chosen]
