/** The office as it is: with redfx and promises. What it was with ioredis stands beside it, method by method. */
import { Redis, RedisError, RedisPrefix, RedisPromise, RedisReply, RedisScript } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { randomUUID } from "node:crypto"
import { setTimeout } from "node:timers/promises"
import type { Office, Server, Session } from "./office.ts"

/** Of `maxRetriesPerRequest` and `retryStrategy`: for what is worth waiting for. It repeats no write that may have run. */
const patiently = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, { schedule: Schedule.exponential("50 millis"), times: 3, while: RedisError.isSafeToRetry })

const connect = ({ host, mode, port }: Server): RedisPromise.RedisPromise => {
  const options = { clientName: "office", connectTimeout: "2 seconds", commandTimeout: "2 seconds" } as const
  const client = mode === "standalone" ?
    NodeRedisClient.layer({ ...options, host, port }) :
    NodeRedisClient.layerCluster({ ...options, nodes: [{ host, port }] })
  return RedisPromise.make(Layer.provide(RedisPrefix.layer("office:"), client))
}

const holdSeat = RedisScript.make({
  lua: `
    if redis.call("HSETNX", KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
    redis.call("ZADD", KEYS[2], redis.call("TIME")[1] + ARGV[3], ARGV[1])
    return 1
  `,
  keys: (id: string, _seat: string, _user: string) => [`{event:${id}}:seats`, `{event:${id}}:holds`],
  args: (_id, seat, user) => [seat, user, 600],
  result: RedisReply.boolean
})

export const open = (server: Server): Office => new RedfxOffice(connect(server))

class RedfxOffice implements Office {
  // What blocks, subscribes or watches gets a connection of its own from it.
  readonly #redis: RedisPromise.RedisPromise
  readonly #closing = new AbortController()
  #working: Promise<void> = Promise.resolve()

  constructor(redis: RedisPromise.RedisPromise) {
    this.#redis = redis
  }

  // Sessions: JSON in a string, whose time to live starts anew when it is read

  async login(user: string): Promise<string> {
    const id = randomUUID()
    const session = JSON.stringify({ user, cart: [] })
    const stored = await this.#redis.set(`session:${id}`, session, { ex: 1800, nx: true })
    if (!stored) throw new Error("the id is taken")
    await this.#redis.sadd(`sessions-of:${user}`, id)
    return id
  }

  async session(id: string): Promise<Session | undefined> {
    const text = await this.#redis.getex(`session:${id}`, { ex: 1800 })
    return text === undefined ? undefined : JSON.parse(text) as Session
  }

  async logoutEverywhere(user: string): Promise<number> {
    const ids = [...await this.#redis.smembers(`sessions-of:${user}`)]
    // Keys of any slots, or none.
    const removed = await this.#redis.unlink(ids.map((id) => `session:${id}`))
    await this.#redis.del(`sessions-of:${user}`)
    return removed
  }

  async openSessions(): Promise<ReadonlyArray<string>> {
    const ids: Array<string> = []
    // Of all masters.
    for await (const key of this.#redis.iterate(Redis.scanStream({ match: "session:*", count: 100 }))) {
      ids.push(key.slice("session:".length))
    }
    return ids
  }

  // A limit, a cache, pictures

  async allowed(address: string): Promise<boolean> {
    const count = await this.#redis.incr(`limit:${address}`)
    if (count === 1) await this.#redis.expire(`limit:${address}`, 60)
    return count <= 3
  }

  async page(path: string, render: () => Promise<string>): Promise<string> {
    const hit = await this.#redis.get(`page:${path}`)
    if (hit !== undefined) return hit
    const html = await render()
    await this.#redis.set(`page:${path}`, html, { ex: 60 })
    return html
  }

  forget(paths: ReadonlyArray<string>): Promise<number> {
    return this.#redis.del(paths.map((path) => `page:${path}`))
  }

  async poster(id: string, picture?: Uint8Array): Promise<Uint8Array | undefined> {
    if (picture !== undefined) await this.#redis.set(`poster:${id}`, picture)
    return this.#redis.run(Redis.asBytes(Redis.get(`poster:${id}`)))
  }

  // Events and their seats

  async createEvent(id: string, price: number, seats: number): Promise<void> {
    await this.#redis.transaction([
      Redis.hset(`{event:${id}}`, { price, seats }),
      Redis.expire(`{event:${id}}`, "1 day")
    ])
    await this.#redis.zadd("events", { [id]: price }, { nx: true })
  }

  async event(id: string): Promise<{ readonly price: number; readonly seats: number } | undefined> {
    const [price, seats] = await this.#redis.hmget(`{event:${id}}`, ["price", "seats"])
    return price === undefined ? undefined : { price: Number(price), seats: Number(seats) }
  }

  hold(id: string, seat: string, user: string): Promise<boolean> {
    return this.#redis.run(holdSeat(id, seat, user))
  }

  async heldSeats(id: string): Promise<ReadonlyArray<readonly [seat: string, until: number]>> {
    const limit = { offset: 0, count: 10 }
    const held = await this.#redis.zrangebyscoreWithScores(`{event:${id}}:holds`, "-inf", "+inf", { limit })
    return held.map(({ member, score }) => [member, score])
  }

  async overview(id: string): Promise<{ readonly rank: number | undefined; readonly of: number }> {
    return this.#redis.pipeline({ rank: Redis.zrank("events", id), of: Redis.zcard("events") })
  }

  newest(count: number): Promise<ReadonlyArray<string>> {
    return this.#redis.zrevrange("events", 0, count - 1)
  }

  // Wallets

  async deposit(user: string, amount: number): Promise<number | "not a wallet"> {
    if (user === "broken") await this.#redis.rpush(`{wallet:${user}}`, "a list")
    try {
      return await this.#redis.run(patiently(Redis.incrby(`{wallet:${user}}`, amount)))
    } catch (error) {
      if (RedisError.isRedisError(error) && error._tag === "WrongTypeError") return "not a wallet"
      throw error
    }
  }

  async pay(user: string, amount: number): Promise<number> {
    const key = `{wallet:${user}}`
    const [left] = await this.#redis.watch(key, async (watched) => {
      if (Number(await watched.get(key) ?? 0) < amount) throw new Error("not enough money")
      return [Redis.decrby(key, amount), Redis.lpush(`${key}:log`, -amount), Redis.ltrim(`${key}:log`, 0, 99)]
    }, { times: 20 })
    return left
  }

  // A queue: what is being sent is kept in a second list

  sendTicket(to: string): Promise<number> {
    return this.#redis.lpush("{mails}:todo", JSON.stringify({ to }))
  }

  mailer(send: (to: string) => Promise<void>): Promise<void> {
    this.#working = this.#work(send)
    return this.#working
  }

  async #work(send: (to: string) => Promise<void>): Promise<void> {
    // Closing ends the wait for the next one, and nothing else.
    const waiting = this.#redis.withSignal(this.#closing.signal)
    while (!this.#closing.signal.aborted) {
      try {
        const text = await waiting.blmove("{mails}:todo", "{mails}:doing", "right", "left", 1)
        if (text === undefined) continue
        await send((JSON.parse(text) as { readonly to: string }).to)
        await this.#redis.lrem("{mails}:doing", 1, text)
      } catch (error) {
        if (this.#closing.signal.aborted) return
        console.error("mailer:", error)
        await setTimeout(100)
      }
    }
  }

  async recoverMails(): Promise<number> {
    let moved = 0
    while (await this.#redis.lmove("{mails}:doing", "{mails}:todo", "left", "right") !== undefined) {
      moved++
    }
    return moved
  }

  // A trail of what was done: a stream with a group

  audit(what: string, fields: Readonly<Record<string, string | number>>): Promise<unknown> {
    return this.#redis.xadd("audit", { what, ...fields }, { maxlen: 10_000, approximate: true })
  }

  async readAudit(reader: string, count: number): Promise<ReadonlyArray<Readonly<Record<string, string>>>> {
    await this.#redis.xgroupCreate("audit", "archive", "0", { mkstream: true }).catch((error: unknown) => {
      if (!RedisError.isRedisError(error) || error._tag !== "ResponseError" || error.code !== "BUSYGROUP") throw error
    })
    const streams = await this.#redis.xreadgroup("archive", reader, { ["audit"]: ">" }, { count })
    const entries = streams.flatMap((stream) => stream.entries)
    if (entries.length > 0) await this.#redis.xack("audit", "archive", entries.map(({ id }) => id))
    // Records have no prototype; a copy has one.
    return entries.map(({ fields }) => ({ ...fields }))
  }

  // News

  async onSold(id: string, listener: (seat: string) => void): Promise<() => void> {
    const stop = new AbortController()
    const ready = Promise.withResolvers<void>()
    const news = this.#redis.withSignal(AbortSignal.any([stop.signal, this.#closing.signal]))
      .iterate(Redis.subscribe(`sold:${id}`, { events: true }))
    const follow = async () => {
      for await (const event of news) {
        if (event._tag === "Subscribed") ready.resolve()
        if (event._tag === "Message") listener(event.data)
      }
    }
    // It ends with the abort, or fails when it cannot subscribe.
    follow().catch(ready.reject)
    await ready.promise
    return () => stop.abort()
  }

  announceSold(id: string, seat: string): Promise<number> {
    return this.#redis.publish(`sold:${id}`, seat)
  }

  // Life

  ready(): Promise<boolean> {
    return this.#redis.ping().then(() => true, () => false)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#working
    await this.#redis.close()
  }
}
