/** The office as it was: with ioredis. Its port to redfx stands beside it, method by method. */
import type { Result } from "ioredis"
import { Cluster, Redis, ReplyError } from "ioredis"
import { randomUUID } from "node:crypto"
import { setTimeout } from "node:timers/promises"
import type { Office, Server, Session } from "./office.ts"

declare module "ioredis" {
  interface RedisCommander<Context> {
    holdSeat: (seats: string, holds: string, seat: string, user: string, seconds: number) => Result<number, Context>
  }
}

const prefix = "office:"
const day = 86_400

const connect = ({ host, mode, port }: Server): Redis | Cluster => {
  const options = {
    keyPrefix: prefix,
    connectionName: "office",
    connectTimeout: 2000,
    commandTimeout: 2000,
    maxRetriesPerRequest: 3,
    retryStrategy: (times: number) => Math.min(times * 50, 1000),
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY")
  }
  return mode === "standalone" ? new Redis({ ...options, host, port }) : new Cluster([{ host, port }], {
    keyPrefix: prefix,
    clusterRetryStrategy: options.retryStrategy,
    redisOptions: { commandTimeout: 2000, maxRetriesPerRequest: 3 }
  })
}

export const open = (server: Server): Office => new IoredisOffice(server)

class IoredisOffice implements Office {
  readonly #server: Server
  readonly #redis: Redis | Cluster
  // What blocks and what subscribes needs a connection of its own.
  readonly #blocking: Redis | Cluster
  readonly #subscriber: Redis | Cluster
  readonly #listeners = new Map<string, Set<(seat: string) => void>>()
  #working: Promise<void> = Promise.resolve()
  #closing = false

  constructor(server: Server) {
    this.#server = server
    this.#redis = connect(server)
    this.#blocking = connect(server)
    this.#subscriber = connect(server)
    for (const client of [this.#redis, this.#blocking, this.#subscriber]) {
      client.on("error", (error: Error) => console.error("redis:", error.message))
    }
    this.#redis.defineCommand("holdSeat", {
      numberOfKeys: 2,
      lua: `
        if redis.call("HSETNX", KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
        redis.call("ZADD", KEYS[2], redis.call("TIME")[1] + ARGV[3], ARGV[1])
        return 1
      `
    })
    this.#subscriber.on("message", (channel: string, seat: string) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(seat)
    })
  }

  // Sessions: JSON in a string, whose time to live starts anew when it is read

  async login(user: string): Promise<string> {
    const id = randomUUID()
    const reply = await this.#redis.set(`session:${id}`, JSON.stringify({ user, cart: [] }), "EX", 1800, "NX")
    if (reply !== "OK") throw new Error("the id is taken")
    await this.#redis.sadd(`sessions-of:${user}`, id)
    return id
  }

  async session(id: string): Promise<Session | undefined> {
    const text = await this.#redis.getex(`session:${id}`, "EX", 1800)
    return text === null ? undefined : JSON.parse(text) as Session
  }

  async logoutEverywhere(user: string): Promise<number> {
    const ids = await this.#redis.smembers(`sessions-of:${user}`)
    // One by one, as neither a command nor a pipeline may go to several servers of a cluster.
    const removed = await Promise.all(ids.map((id) => this.#redis.unlink(`session:${id}`)))
    await this.#redis.del(`sessions-of:${user}`)
    return removed.reduce((sum, one) => sum + one, 0)
  }

  async openSessions(): Promise<ReadonlyArray<string>> {
    const nodes = this.#redis instanceof Cluster ? this.#redis.nodes("master") : [this.#redis]
    const ids: Array<string> = []
    for (const node of nodes) {
      // The prefix does not hold for patterns, nor for what is found.
      for await (const page of node.scanStream({ match: `${prefix}session:*`, count: 100 })) {
        ids.push(...(page as Array<string>).map((key) => key.slice(`${prefix}session:`.length)))
      }
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
    if (hit !== null) return hit
    const html = await render()
    await this.#redis.set(`page:${path}`, html, "EX", 60)
    return html
  }

  async forget(paths: ReadonlyArray<string>): Promise<number> {
    const removed = await Promise.all(paths.map((path) => this.#redis.del(`page:${path}`)))
    return removed.reduce((sum, one) => sum + one, 0)
  }

  async poster(id: string, picture?: Uint8Array): Promise<Uint8Array | undefined> {
    if (picture !== undefined) await this.#redis.set(`poster:${id}`, Buffer.from(picture))
    return await this.#redis.getBuffer(`poster:${id}`) ?? undefined
  }

  // Events and their seats

  async createEvent(id: string, price: number, seats: number): Promise<void> {
    await this.#redis.multi()
      .hset(`{event:${id}}`, { price, seats })
      .expire(`{event:${id}}`, day)
      .exec()
    await this.#redis.zadd("events", "NX", price, id)
  }

  async event(id: string): Promise<{ readonly price: number; readonly seats: number } | undefined> {
    const [price, seats] = await this.#redis.hmget(`{event:${id}}`, "price", "seats")
    return typeof price === "string" ? { price: Number(price), seats: Number(seats) } : undefined
  }

  async hold(id: string, seat: string, user: string): Promise<boolean> {
    return await this.#redis.holdSeat(`{event:${id}}:seats`, `{event:${id}}:holds`, seat, user, 600) === 1
  }

  async heldSeats(id: string): Promise<ReadonlyArray<readonly [seat: string, until: number]>> {
    const flat = await this.#redis.zrangebyscore(`{event:${id}}:holds`, "-inf", "+inf", "WITHSCORES", "LIMIT", 0, 10)
    return flat.flatMap((seat, index) => index % 2 === 0 ? [[seat, Number(flat[index + 1])] as const] : [])
  }

  async overview(id: string): Promise<{ readonly rank: number | undefined; readonly of: number }> {
    const results = await this.#redis.pipeline().zrank("events", id).zcard("events").exec() ?? []
    for (const [error] of results) if (error !== null) throw error
    const [rank, of] = results.map(([, value]) => value as number | null)
    return { rank: rank ?? undefined, of: of ?? 0 }
  }

  newest(count: number): Promise<ReadonlyArray<string>> {
    return this.#redis.zrevrange("events", 0, count - 1)
  }

  // Wallets

  async deposit(user: string, amount: number): Promise<number | "not a wallet"> {
    if (user === "broken") await this.#redis.rpush(`{wallet:${user}}`, "a list")
    try {
      return await this.#redis.incrby(`{wallet:${user}}`, amount)
    } catch (error) {
      if (error instanceof ReplyError && (error as Error).message.startsWith("WRONGTYPE")) return "not a wallet"
      throw error
    }
  }

  async pay(user: string, amount: number): Promise<number> {
    const key = `{wallet:${user}}`
    // Who watches needs a connection of its own.
    const own = connect(this.#server)
    try {
      for (let attempt = 0; attempt < 20; attempt++) {
        await own.watch(key)
        if (Number(await own.get(key) ?? 0) < amount) throw new Error("not enough money")
        const results = await own.multi().decrby(key, amount).lpush(`${key}:log`, -amount).ltrim(`${key}:log`, 0, 99)
          .exec()
        if (results !== null) return results[0]?.[1] as number
      }
      throw new Error("others were faster")
    } finally {
      own.disconnect()
    }
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
    while (!this.#closing) {
      try {
        const text = await this.#blocking.blmove("{mails}:todo", "{mails}:doing", "RIGHT", "LEFT", 1)
        if (text === null) continue
        await send((JSON.parse(text) as { readonly to: string }).to)
        await this.#redis.lrem("{mails}:doing", 1, text)
      } catch (error) {
        console.error("mailer:", error)
        await setTimeout(100)
      }
    }
  }

  async recoverMails(): Promise<number> {
    let moved = 0
    while (await this.#redis.lmove("{mails}:doing", "{mails}:todo", "LEFT", "RIGHT") !== null) moved++
    return moved
  }

  // A trail of what was done: a stream with a group

  audit(what: string, fields: Readonly<Record<string, string | number>>): Promise<unknown> {
    return this.#redis.xadd("audit", "MAXLEN", "~", 10_000, "*", "what", what, ...Object.entries(fields).flat())
  }

  async readAudit(reader: string, count: number): Promise<ReadonlyArray<Readonly<Record<string, string>>>> {
    await this.#redis.xgroup("CREATE", "audit", "archive", "0", "MKSTREAM").catch((error: Error) => {
      if (!error.message.startsWith("BUSYGROUP")) throw error
    })
    const replies = await this.#redis.xreadgroup("GROUP", "archive", reader, "COUNT", count, "STREAMS", "audit", ">") as
      | ReadonlyArray<[string, ReadonlyArray<[string, ReadonlyArray<string>]>]>
      | null
    const entries = replies?.[0]?.[1] ?? []
    if (entries.length > 0) await this.#redis.xack("audit", "archive", ...entries.map(([id]) => id))
    return entries.map(([, flat]) =>
      Object.fromEntries(flat.flatMap((name, index) => index % 2 === 0 ? [[name, flat[index + 1] ?? ""]] : []))
    )
  }

  // News

  async onSold(id: string, listener: (seat: string) => void): Promise<() => void> {
    const channel = `sold:${id}`
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(listener))
    if (listeners.size === 1) await this.#subscriber.subscribe(channel)
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0) return
      this.#listeners.delete(channel)
      void this.#subscriber.unsubscribe(channel)
    }
  }

  announceSold(id: string, seat: string): Promise<number> {
    return this.#redis.publish(`sold:${id}`, seat)
  }

  // Life

  ready(): Promise<boolean> {
    return Promise.resolve(this.#redis.status === "ready")
  }

  async close(): Promise<void> {
    this.#closing = true
    await this.#working
    this.#subscriber.disconnect()
    this.#blocking.disconnect()
    await this.#redis.quit()
  }
}
