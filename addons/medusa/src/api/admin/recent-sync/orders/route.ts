/**
 * Takes orders of another shop as they were: with their numbers, dates, sums, payments and refunds,
 * and without telling anybody. Medusa's own routes can only place new orders.
 *
 * `order`, `payments` and `fulfillments` are what the services of Medusa's modules take; their ids
 * are the caller's, the same for the same order every time. So sending one again changes nothing,
 * and after a failure, half-way or not, it is sent again until it is whole.
 */
import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http"
import { ContainerRegistrationKeys, Modules } from "@medusajs/framework/utils"
import { gunzipSync } from "node:zlib"

type Row = Record<string, any> & { id: string }
type Import = {
  digest: string
  order: Row
  /** Name of a service's rows, such as `PaymentCollections`, with those of this order. */
  payments: Record<string, Row[]>
  fulfillments: Row[]
  /** How many pieces of each line have left, by the line's id. */
  sent: Record<string, number>
}

const VERSION = 2
const LARGEST = 50_000_000
const TAKEN = / with ([a-z_]+): .*already exists/s
/** Kinds of rows of the payment module, and by what those of an order are found. */
const OWNERS: Record<string, string> = {
  PaymentCollections: "id",
  PaymentSessions: "payment_collection_id",
  Payments: "payment_collection_id",
  Captures: "payment_id",
  Refunds: "payment_id",
}
const PAYMENT_ROWS = Object.keys(OWNERS)

export const GET = async (_: MedusaRequest, res: MedusaResponse) => {
  res.json({ version: VERSION })
}

/**
 * `packed` is a list of orders: JSON, gzipped, in base64. Of plain JSON Medusa takes no more than
 * 100 KB.
 */
export const POST = async (req: MedusaRequest<{ packed: string }>, res: MedusaResponse) => {
  const unpacked = gunzipSync(Buffer.from(req.body.packed, "base64"), { maxOutputLength: LARGEST })
  const imports: Import[] = JSON.parse(unpacked.toString())
  const orders: object[] = []
  for (const each of imports) {
    try {
      orders.push({ id: each.order.id, outcome: await put(req.scope, each) })
    } catch (error: any) {
      const taken = TAKEN.exec(error.message)
      const reason = taken ? `${taken[1]}_taken` : error.type ?? error.name
      orders.push({ id: each.order.id, outcome: "refused", reason })
    }
  }
  await passNumbers(req.scope, imports)
  res.json({ orders })
}

async function put(scope: any, each: Import): Promise<string> {
  const { order, payments, fulfillments } = each
  const there = await found(scope, order.id)
  if (there?.metadata?.recent_sync_digest === each.digest) return "unchanged"
  const metadata = { ...order.metadata, recent_sync_came_as: order.status }
  const isOurs = !there || !isWorkedOn(there)
  if (!isOurs || !(await putOrder(scope, { ...order, metadata }, each.sent, there))) return "worked_on"
  await putPayments(scope, order, payments, there)
  await putFulfillments(scope, order, fulfillments, there)
  // Last of all: only a whole order carries its digest.
  const whole = { ...metadata, recent_sync_digest: each.digest }
  await scope.resolve(Modules.ORDER).updateOrders([{ id: order.id, metadata: whole }])
  return there ? "replaced" : "created"
}

/**
 * One transaction: an order is replaced as a whole, or not at all. False where people of this store
 * are at work on it.
 */
async function putOrder(
  scope: any,
  { custom_display_id, ...order }: Row,
  sent: Import["sent"],
  there: any
): Promise<boolean> {
  const service = scope.resolve(Modules.ORDER)
  return service.baseRepository_.transaction(async (transactionManager: any) => {
    if (there && !(await isHeld(transactionManager, there))) return false
    const context = { transactionManager, manager: transactionManager }
    if (there) await service.deleteOrders([order.id], context)
    // What was just deleted is to be forgotten: its ids come again.
    transactionManager.clear()
    await service.createOrders([order], context)
    for (const [item_id, pieces] of Object.entries(sent)) {
      await service.updateOrderItem({ item_id }, quantities(pieces), context)
    }
    const number = { custom_display_id: custom_display_id ?? null }
    await service.updateOrders([{ id: order.id, ...number }], undefined, context)
    return true
  })
}

/**
 * Waits for whoever is changing the order now, and says whether it is still what was read, and
 * nobody has begun an edit or a return of it.
 */
async function isHeld(transactionManager: any, there: any): Promise<boolean> {
  const table = transactionManager.getTransactionContext()
  const orders = table("order").where({ id: there.id })
  const [row] = await orders.forUpdate().select("version", "status")
  const open = await table("order_change")
    .where({ order_id: there.id, deleted_at: null })
    .whereIn("status", ["pending", "requested"])
    .select("id")
  return row?.version === there.version && row.status === there.status && !open.length
}

async function found(scope: any, id: string): Promise<any> {
  const query = scope.resolve(ContainerRegistrationKeys.QUERY)
  const moved = ["captures", "refunds"].map((name) => `payment_collections.payments.${name}.*`)
  const own = ["id", "version", "status", "metadata"]
  const fields = [...own, "payment_collections.*", ...moved, "fulfillments.*"]
  const { data } = await query.graph({ entity: "order", fields, filters: { id } })
  return data[0]
}

/** Whether people of this store have edited, paid or sent it: then it is theirs. */
function isWorkedOn(there: any): boolean {
  const collections = (there.payment_collections ?? []).filter(Boolean)
  const parts = [...collections, ...(there.fulfillments ?? []).filter(Boolean)]
  const came = there.metadata?.recent_sync_came_as
  return (
    there.version > 1 ||
    (came != null && came !== there.status) ||
    parts.some((part) => !part.metadata?.recent_sync) ||
    // Money that moved here carries the name of who moved it; what came in carries nobody's.
    collections.flatMap(moves).some(({ created_by }: Row) => created_by)
  )
}

function moves(collection: any): Row[] {
  return (collection.payments ?? []).flatMap(({ captures, refunds }: any) => [
    ...(captures ?? []),
    ...(refunds ?? []),
  ])
}

function quantities(sent: number) {
  return { fulfilled_quantity: sent, shipped_quantity: sent, delivered_quantity: sent }
}

/** No payment provider hears of it: these are rows about money that has moved long ago. */
async function putPayments(scope: any, order: Row, payments: Import["payments"], there: any) {
  const service = scope.resolve(Modules.PAYMENT)
  const wanted = (name: string) => (payments[name] ?? []).map(({ id }) => id)
  const linked: string[] = (there?.payment_collections ?? []).filter(Boolean).map(({ id }: Row) => id)
  const collections = [...new Set([...linked, ...wanted("PaymentCollections")])]
  if (!collections.length) return
  const known: Record<string, string[]> = {}
  for (const name of PAYMENT_ROWS) {
    const owners = OWNERS[name] === "payment_id" ? known.Payments : collections
    const filter = { [OWNERS[name]]: owners }
    // A filter of nothing might find everything.
    const rows: Row[] = owners.length ? await service[`list${name}`](filter, { take: null }) : []
    known[name] = rows.map(({ id }) => id)
    const made = (payments[name] ?? []).filter(({ id }) => !known[name].includes(id))
    if (made.length) await service[`create${name}`](made)
    for (const { id, ...data } of (payments[name] ?? []).filter((row) => !made.includes(row))) {
      if (name === "PaymentCollections") await service.updatePaymentCollections(id, data)
      else await service[`update${name}`]({ id, ...data })
    }
  }
  // What the other shop has deleted goes, parts before what they are of.
  for (const name of [...PAYMENT_ROWS].reverse()) {
    const gone = known[name].filter((id) => !wanted(name).includes(id))
    if (gone.length) await service[`delete${name}`](gone)
  }
  for (const id of collections) {
    const part = { payment_collection_id: id }
    const isWanted = wanted("PaymentCollections").includes(id)
    if (!isWanted) await unlink(scope, order.id, Modules.PAYMENT, part)
    else if (!linked.includes(id)) await link(scope, order.id, Modules.PAYMENT, part)
  }
}

async function putFulfillments(scope: any, order: Row, fulfillments: Row[], there: any) {
  const service = scope.resolve(Modules.FULFILLMENT)
  const linked: string[] = (there?.fulfillments ?? []).filter(Boolean).map(({ id }: Row) => id)
  for (const each of fulfillments) {
    const { id, packed_at, shipped_at, delivered_at, canceled_at } = each
    const dates = { packed_at, shipped_at, delivered_at, canceled_at }
    const [known] = await service.listFulfillments({ id })
    if (known) await service.updateFulfillment(id, dates)
    else await service.createFulfillment({ ...each, order })
    if (!linked.includes(id)) await link(scope, order.id, Modules.FULFILLMENT, { fulfillment_id: id })
  }
  const kept = fulfillments.map(({ id }) => id)
  for (const id of linked.filter((each) => !kept.includes(each))) {
    await dropFulfillment(scope, order.id, id)
  }
}

/** One that the other shop has no more goes. Medusa deletes none that is not cancelled. */
async function dropFulfillment(scope: any, order_id: string, id: string) {
  const service = scope.resolve(Modules.FULFILLMENT)
  await service.updateFulfillment(id, { canceled_at: new Date() })
  await service.deleteFulfillment(id)
  await unlink(scope, order_id, Modules.FULFILLMENT, { fulfillment_id: id })
}

async function link(scope: any, order_id: string, module: string, part: Record<string, string>) {
  const links = scope.resolve(ContainerRegistrationKeys.LINK)
  await links.create({ [Modules.ORDER]: { order_id }, [module]: part })
}

async function unlink(scope: any, order_id: string, module: string, part: Record<string, string>) {
  const links = scope.resolve(ContainerRegistrationKeys.LINK)
  await links.dismiss({ [Modules.ORDER]: { order_id }, [module]: part })
}

/** New orders get numbers behind those that came in. */
async function passNumbers(scope: any, imports: Import[]) {
  const last = Math.max(0, ...imports.map(({ order }) => order.display_id ?? 0))
  await scope.resolve(ContainerRegistrationKeys.PG_CONNECTION).raw(
    `SELECT setval('order_display_id_seq', :last) FROM order_display_id_seq
      WHERE last_value < :last`,
    { last }
  )
}
