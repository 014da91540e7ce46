/**
 * A service that was written with ioredis and now is not: sessions, a cache, a queue, messages, an optimistic transaction, a script
 * and a scan, all with promises, on a cluster. docs/from-ioredis.md shows what each line was.
 */
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisError, RedisPromise, RedisReply, RedisScript } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { findRedisServer } from "../../scripts/redis-server.ts"

const scope = Scope.makeUnsafe()
const servers = await Effect.runPromise(Scope.provide(RedisClusterServers.make({ binary: findRedisServer() }), scope))

const redis = RedisPromise.make(NodeRedisClient.layerCluster({ nodes: servers.addresses, readFrom: "preferReplica" }))

// Sessions

const sessionKey = (id: string): string => `shop:session:{${id}}`

const saveSession = (id: string, data: Readonly<Record<string, string>>): Promise<unknown> =>
  redis.transaction([Redis.hset(sessionKey(id), data), Redis.expire(sessionKey(id), 1800)])

const loadSession = async (id: string): Promise<Readonly<Record<string, string>> | undefined> => {
  const session = await redis.hgetall(sessionKey(id))
  return Object.keys(session).length > 0 ? session : undefined
}

const touch = (id: string): Promise<boolean> => redis.expire(sessionKey(id), 1800)

// A cache

const cached = async (key: string, seconds: number, make: () => Promise<string>): Promise<string> => {
  const hit = await redis.get(`shop:cache:${key}`)
  if (hit !== undefined) return hit
  const value = await make()
  await redis.set(`shop:cache:${key}`, value, { ex: seconds, nx: true })
  return value
}

/** Keys of several slots: one DEL for each server. */
const invalidate = (keys: ReadonlyArray<string>): Promise<number> => redis.del(keys.map((key) => `shop:cache:${key}`))

// A queue

interface Job {
  readonly mail: string
}

const enqueue = (job: Job): Promise<number> => redis.lpush("shop:queue", JSON.stringify(job))

/** Waits on a connection of its own, which nobody has to make. */
const work = async (handler: (job: Job) => Promise<void>, signal: AbortSignal): Promise<void> => {
  const client = redis.withSignal(signal)
  while (!signal.aborted) {
    try {
      const taken = await client.brpop("shop:queue", 1)
      if (taken === undefined) continue
      await handler(JSON.parse(taken.value)).catch(() => redis.lpush("shop:queue:failed", taken.value))
    } catch (error) {
      // An outage: the next turn waits for the next connection. What is no error of redfx is the abort.
      if (!RedisError.isRedisError(error) || !RedisError.isRetryable(error)) return
    }
  }
}

// Messages

const onOrder = async (handler: (order: unknown) => void, ready: () => void, signal: AbortSignal): Promise<void> => {
  for await (const event of redis.withSignal(signal).iterate(Redis.subscribe("shop:orders", { events: true }))) {
    if (event._tag === "Subscribed") ready()
    if (event._tag === "Message") handler(JSON.parse(event.data))
    if (event._tag === "Lost") console.log("orders may be missing")
  }
}

const announce = (order: unknown): Promise<number> => redis.publish("shop:orders", JSON.stringify(order))

// The stock

/** Buys unless there is too little; tries again, up to five times, when somebody else was faster. */
const buy = async (sku: string, count: number): Promise<boolean> => {
  const stock = `shop:stock:{${sku}}`
  const bought = await redis.watch(stock, async (watched) => {
    const left = Number((await watched.get(stock)) ?? 0)
    return left < count ? [] : [Redis.decrby(stock, count), Redis.rpush(`shop:sold:{${sku}}`, count)]
  }, { times: 5 })
  return bought.length > 0
}

// A script, a pipeline, bytes, a scan

const capped = RedisScript.make({
  lua: `
    local n = redis.call("INCR", KEYS[1])
    if n <= tonumber(ARGV[1]) then return n end
    redis.call("DECR", KEYS[1])
    return false
  `,
  keys: (key: string, _limit: number) => [key],
  args: (_key, limit) => [limit],
  result: RedisReply.nullable(RedisReply.integer)
})

const stats = () => redis.pipeline({ stock: Redis.get("shop:stock:{pen}"), players: Redis.zcard("shop:board") })
const icon = (id: string): Promise<Uint8Array | undefined> => redis.run(Redis.asBytes(Redis.get(`shop:icon:${id}`)))

const allSessions = async (): Promise<ReadonlyArray<string>> => {
  const keys: Array<string> = []
  // Over all masters.
  for await (const key of redis.iterate(Redis.scanStream({ match: "shop:session:*" }))) keys.push(key)
  return keys
}

// A day in the shop

await saveSession("1", { user: "ada" })
await saveSession("2", { user: "grace" })
console.log("session:", await loadSession("1"), "nobody:", await loadSession("3"), "kept:", await touch("1"))
console.log("sessions:", (await allSessions()).toSorted())

console.log("cached:", await cached("a", 60, async () => "made"), await cached("a", 60, async () => "made again"))
await cached("b", 60, async () => "made")
console.log("invalidated:", await invalidate(["a", "b", "c"]))

const closing = new AbortController()
const mails: Array<string> = []
const twoMails = Promise.withResolvers<void>()
const worker = work(async ({ mail }) => {
  if (mail === "nobody") throw new Error("no such address")
  mails.push(mail)
  if (mails.length === 2) twoMails.resolve()
}, closing.signal)
for (const mail of ["ada", "nobody", "grace"]) await enqueue({ mail })
await twoMails.promise
console.log("mailed:", mails)

const ready = Promise.withResolvers<void>()
const order = Promise.withResolvers<unknown>()
const orders = onOrder(order.resolve, ready.resolve, closing.signal).catch((reason: unknown) => reason)
await ready.promise
await announce({ sku: "pen" })
console.log("heard of an order:", await order.promise)

await redis.set("shop:stock:{pen}", 10)
const sales = await Promise.all(Array.from({ length: 6 }, () => buy("pen", 2)))
console.log("sold:", sales.filter((sold) => sold).length, "of six; left:", (await stats()).stock)
console.log("at most two:", await redis.run(Effect.forEach([1, 2, 3], () => capped("shop:visitors", 2))))
await redis.set("shop:icon:pen", new Uint8Array([1, 2, 255]))
console.log("bytes:", await icon("pen"))
console.log("keys of each server:", [...(await redis.run(RedisCluster.perNode(Redis.dbsize()))).values()].length)

closing.abort()
await Promise.all([worker, orders])
await redis.close()
await Effect.runPromise(Scope.close(scope, Exit.void))
