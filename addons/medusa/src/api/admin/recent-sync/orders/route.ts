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
const TAKEN = / with ([a-z_]+): .*already exists/s
const PAYMENT_ROWS = ["PaymentCollections", "PaymentSessions", "Payments", "Captures", "Refunds"]

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
  const number = { custom_display_id: custom_display_id ?? null }
  await service.updateOrders([{ id: order.id, metadata, ...number }])
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
  const parts = [...(there.payment_collections ?? []), ...(there.fulfillments ?? [])]
  return there.version > 1 || parts.some((part) => part && !part.metadata?.recent_sync)
}

function quantities(sent: number) {
  return { fulfilled_quantity: sent, shipped_quantity: sent, delivered_quantity: sent }
}

/** No payment provider hears of it: these are rows about money that has moved long ago. */
async function putPayments(scope: any, order: Row, payments: Import["payments"], there: any) {
  const service = scope.resolve(Modules.PAYMENT)
  const payment_id = (payments.Payments ?? []).map(({ id }) => id)
  for (const name of PAYMENT_ROWS) {
    const rows = payments[name] ?? []
    const ids = rows.map(({ id }) => id)
    // A capture or a refund that the other shop has deleted goes with it.
    const filter = name === "Captures" || name === "Refunds" ? { payment_id } : { id: ids }
    const known: string[] = payment_id.length
      ? (await service[`list${name}`](filter, { take: null })).map(({ id }: Row) => id)
      : []
    const made = rows.filter(({ id }) => !known.includes(id))
    const gone = known.filter((id) => !ids.includes(id))
    if (made.length) await service[`create${name}`](made)
    if (gone.length) await service[`delete${name}`](gone)
    for (const { id, ...data } of rows.filter((row) => known.includes(row.id))) {
      if (name === "PaymentCollections") await service.updatePaymentCollections(id, data)
      else await service[`update${name}`]({ id, ...data })
    }
  }
  for (const { id } of payments.PaymentCollections ?? []) {
    const linked = there?.payment_collections?.some((row: Row | null) => row?.id === id)
    if (!linked) await link(scope, order.id, Modules.PAYMENT, { payment_collection_id: id })
  }
}

async function putFulfillments(scope: any, order: Row, fulfillments: Row[], there: any) {
  const service = scope.resolve(Modules.FULFILLMENT)
  for (const each of fulfillments) {
    const { id, packed_at, shipped_at, delivered_at, canceled_at } = each
    const dates = { packed_at, shipped_at, delivered_at, canceled_at }
    const [known] = await service.listFulfillments({ id })
    if (known) await service.updateFulfillment(id, dates)
    else await service.createFulfillment({ ...each, order })
    const linked = there?.fulfillments?.some((row: Row | null) => row?.id === id)
    if (!linked) await link(scope, order.id, Modules.FULFILLMENT, { fulfillment_id: id })
  }
}

async function link(scope: any, order_id: string, module: string, part: Record<string, string>) {
  const links = scope.resolve(ContainerRegistrationKeys.LINK)
  await links.create({ [Modules.ORDER]: { order_id }, [module]: part })
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
