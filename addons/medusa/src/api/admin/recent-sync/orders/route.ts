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

const VERSION = 1
const LARGEST = 50_000_000
const PAYMENT_ROWS = ["PaymentCollections", "PaymentSessions", "Payments", "Captures", "Refunds"]

export const GET = async (_: MedusaRequest, res: MedusaResponse) => {
  res.json({ version: VERSION })
}

/** `packed` is a list of orders: JSON, gzipped, in base64. Medusa takes no more than 100 KB of plain JSON. */
export const POST = async (req: MedusaRequest<{ packed: string }>, res: MedusaResponse) => {
  const unpacked = gunzipSync(Buffer.from(req.body.packed, "base64"), { maxOutputLength: LARGEST })
  const imports: Import[] = JSON.parse(unpacked.toString())
  const orders: object[] = []
  for (const each of imports) {
    try {
      orders.push({ id: each.order.id, outcome: await put(req.scope, each) })
    } catch (error: any) {
      const taken = /\(([a-z_]+)\)=.*already exists|with ([a-z_]+): .*already exists/s.exec(error.message)
      const reason = taken ? `${taken[1] ?? taken[2]}_taken` : error.type ?? error.name
      orders.push({ id: each.order.id, outcome: "refused", reason })
    }
  }
  await passNumbers(req.scope, imports)
  res.json({ orders })
}

async function put(scope: any, each: Import): Promise<string> {
  const { order, payments, fulfillments } = each
  const service = scope.resolve(Modules.ORDER)
  const there = await found(scope, order.id)
  if (there?.metadata?.recent_sync_digest === each.digest) return "unchanged"
  if (there && isWorkedOn(there)) return "worked_on"
  const { custom_display_id, ...rest } = order
  // One transaction: an order is replaced as a whole, or not at all.
  await service.baseRepository_.transaction(async (transactionManager: any) => {
    const context = { transactionManager, manager: transactionManager }
    if (there) await service.deleteOrders([order.id], context)
    // What was just deleted is to be forgotten: its ids come again.
    transactionManager.clear()
    await service.createOrders([rest], context)
  })
  for (const [item_id, sent] of Object.entries(each.sent)) {
    await service.updateOrderItem({ item_id }, quantities(sent))
  }
  await putPayments(scope, order, payments, there)
  await putFulfillments(scope, order, fulfillments, there)
  // Last of all: only a whole order carries its digest.
  const metadata = { ...order.metadata, recent_sync_digest: each.digest }
  await service.updateOrders([{ id: order.id, metadata, custom_display_id: custom_display_id ?? null }])
  return there ? "replaced" : "created"
}

async function found(scope: any, id: string): Promise<any> {
  const query = scope.resolve(ContainerRegistrationKeys.QUERY)
  const fields = ["id", "version", "metadata", "payment_collections.*", "fulfillments.*"]
  const { data } = await query.graph({ entity: "order", fields, filters: { id } })
  return data[0]
}

/** Whether people of this store have edited, paid or sent it: then it is theirs. */
function isWorkedOn(there: any): boolean {
  const parts = [...(there.payment_collections ?? []), ...(there.fulfillments ?? [])].filter(Boolean)
  return there.version > 1 || parts.some((part: any) => !part.metadata?.recent_sync)
}

function quantities(sent: number) {
  return { fulfilled_quantity: sent, shipped_quantity: sent, delivered_quantity: sent }
}

/** No payment provider hears of it: these are rows about money that has moved long ago. */
async function putPayments(scope: any, order: Row, payments: Import["payments"], there: any) {
  const service = scope.resolve(Modules.PAYMENT)
  for (const name of PAYMENT_ROWS) {
    const rows = payments[name] ?? []
    const ids = rows.map(({ id }) => id)
    const known = ids.length ? await service[`list${name}`]({ id: ids }, { select: ["id"], take: null }) : []
    const old = new Set(known.map((row: Row) => row.id))
    const made = rows.filter(({ id }) => !old.has(id))
    if (made.length) await service[`create${name}`](made)
    for (const { id, ...data } of rows.filter((row) => old.has(row.id))) {
      await (name === "PaymentCollections" ? service.updatePaymentCollections(id, data) : service[`update${name}`]({ id, ...data }))
    }
  }
  const linked = new Set((there?.payment_collections ?? []).filter(Boolean).map((row: Row) => row.id))
  for (const { id } of payments.PaymentCollections ?? []) {
    if (!linked.has(id)) await link(scope, order.id, Modules.PAYMENT, { payment_collection_id: id })
  }
}

async function putFulfillments(scope: any, order: Row, fulfillments: Row[], there: any) {
  const service = scope.resolve(Modules.FULFILLMENT)
  const linked = new Set((there?.fulfillments ?? []).filter(Boolean).map((row: Row) => row.id))
  for (const each of fulfillments) {
    const { id, packed_at, shipped_at, delivered_at, canceled_at } = each
    const dates = { packed_at, shipped_at, delivered_at, canceled_at }
    const [known] = await service.listFulfillments({ id })
    if (known) await service.updateFulfillment(id, dates)
    else await service.createFulfillment({ ...each, order })
    if (!linked.has(id)) await link(scope, order.id, Modules.FULFILLMENT, { fulfillment_id: id })
  }
}

async function link(scope: any, order_id: string, module: string, part: Record<string, string>) {
  await scope.resolve(ContainerRegistrationKeys.LINK).create({ [Modules.ORDER]: { order_id }, [module]: part })
}

/** New orders get numbers behind those that came in. */
async function passNumbers(scope: any, imports: Import[]) {
  const last = Math.max(0, ...imports.map(({ order }) => order.display_id ?? 0))
  await scope.resolve(ContainerRegistrationKeys.PG_CONNECTION).raw(
    `SELECT setval('order_display_id_seq', :last) FROM order_display_id_seq WHERE last_value < :last`,
    { last }
  )
}
