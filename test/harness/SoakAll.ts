/**
 * Everything at once on the standalone client, over connections that are cut,
 * stalled and killed, by callers that go away at any moment. In the end the
 * books must balance, and nothing must be left over.
 */
import { Redis } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Chaos from "./Chaos.ts"
import * as Client from "./Client.ts"
import { generator } from "./Soak.ts"
import { anything, consumer, counterKey, counters, follower, ledgerKey, lockTtl } from "./SoakActivities.ts"
import type { Count, Epoch, State } from "./SoakActivities.ts"

/** `seconds`: for how long. `fibers`: how many callers at a time. `seed`: of the choices that they make. */
export interface SoakAllOptions {
  readonly seconds: number
  readonly fibers: number
  readonly seed: number
  /** Called now and then with what has happened so far. */
  readonly onProgress?: ((report: SoakAllReport) => void) | undefined
}

/** What there was of each activity, and what is wrong: nothing, if all is well. */
export interface SoakAllReport {
  readonly counts: Readonly<Record<string, Count>>
  readonly cuts: number
  readonly kills: number
  readonly checked: number
  readonly left: Readonly<Record<string, number>>
  readonly wrong: ReadonlyArray<string>
}

const newEpoch = (number: number): Epoch => ({ number, ledger: new Map(), pairs: [], watched: [] })

const epochSeconds = 10

/** Asks until an answer is as expected; complains when that takes too long. */
const eventually = <A, E>(
  state: State,
  what: string,
  ask: Effect.Effect<A, E>,
  expected: (answer: A) => boolean
): Effect.Effect<A | undefined> => {
  let last: A | undefined
  const loop: Effect.Effect<A> = Effect.flatMap(Effect.orDie(ask), (answer) => {
    last = answer
    return expected(answer) ? Effect.succeed(answer) : Effect.andThen(Effect.sleep(20), loop)
  })
  return Effect.timeoutOrElse(loop, {
    duration: "15 seconds",
    orElse: () =>
      Effect.sync(() => {
        state.wrong.push(`${what}: still ${JSON.stringify(last)}`)
        return last
      })
  })
}

// -----------------------------------------------------------------------------
// Trouble
// -----------------------------------------------------------------------------

const cutting = (state: State, chaos: Chaos.Chaos): Effect.Effect<never> =>
  Effect.forever(Effect.gen(function*() {
    yield* Effect.sleep(5 + state.random() * 100)
    if (state.random() < 0.1) {
      chaos.stall()
      yield* Effect.sleep(state.random() * 80)
      chaos.resume()
    }
    chaos.cut(state.random(), state.random() < 0.5 ? "reset" : "fin")
  }))

const clientIds = (outside: RedisClient.Service) =>
  Effect.map(
    outside.execute(Redis.send("CLIENT LIST")),
    (list) => Array.from(String(list).matchAll(/^id=(\d+)/gm), ([, id]) => Number(id))
  )

/** Lets the server end connections, from the side that a proxy cannot. */
const killing = (state: State, outside: RedisClient.Service, onKill: () => void): Effect.Effect<never> =>
  Effect.gen(function*() {
    const own = yield* outside.execute(Redis.clientId())
    while (true) {
      yield* Effect.sleep(20 + state.random() * 200)
      const others = (yield* clientIds(outside)).filter((id) => id !== own)
      const id = others[Math.floor(state.random() * others.length)]
      if (id === undefined) continue
      yield* outside.execute(Redis.send("CLIENT KILL", "ID", id))
      onKill()
    }
  }).pipe(Effect.orDie)

const publishing = (state: State, outside: RedisClient.Service, next: () => number): Effect.Effect<never> =>
  Effect.forever(Effect.gen(function*() {
    yield* Effect.sleep(2)
    yield* outside.pipeline([
      Redis.publish("feed", next()),
      Redis.publish(`brief${Math.floor(state.random() * 10)}`, "now")
    ])
  }))

// -----------------------------------------------------------------------------
// The books
// -----------------------------------------------------------------------------

const checkEpoch = (state: State, outside: RedisClient.Service, epoch: Epoch): Effect.Effect<number> =>
  Effect.gen(function*() {
    const applied = new Map(Object.entries(yield* outside.execute(Redis.hgetall(ledgerKey(epoch)))))
    for (const [name, fate] of epoch.ledger) {
      const times = applied.get(name)
      if (times !== undefined && times !== "1") state.wrong.push(`${name} was applied ${times} times`)
      if (fate === "acknowledged" && times === undefined) state.wrong.push(`${name} was acknowledged and is lost`)
      if (fate === "not-sent" && times !== undefined) state.wrong.push(`${name} was not sent and is applied`)
    }
    for (const [first, second] of epoch.pairs) {
      if (applied.has(first) !== applied.has(second)) state.wrong.push(`of ${first} and ${second} one was applied`)
    }
    const keys = Array.from({ length: counters }, (_, index) => counterKey(epoch, index))
    const sum = (yield* outside.execute(Redis.mget(keys))).reduce((sum, n) => sum + Number(n ?? 0), 0)
    const increments = epoch.watched.filter((name) => applied.has(name)).length
    if (sum !== increments) state.wrong.push(`${increments} increments made ${sum}: some were lost`)
    yield* outside.execute(Redis.del([ledgerKey(epoch), ...keys]))
    return epoch.ledger.size
  }).pipe(Effect.orDie)

/** Starts a new epoch now and then, and checks the one before the last. */
const bookkeeping = (state: State, outside: RedisClient.Service, onChecked: (writes: number) => void) =>
  Effect.gen(function*() {
    const past: Array<Epoch> = []
    const turn = Effect.gen(function*() {
      yield* Effect.sleep(epochSeconds * 1000)
      past.push(state.epoch)
      state.epoch = newEpoch(state.epoch.number + 1)
      if (past.length > 1) onChecked(yield* checkEpoch(state, outside, past.shift()!))
    })
    const rest = Effect.suspend(() =>
      Effect.forEach([...past, state.epoch], (epoch) => Effect.map(checkEpoch(state, outside, epoch), onChecked), {
        discard: true
      })
    )
    return { turning: Effect.forever(turn), rest }
  })

/** A blocking pop that was given up or cut may have taken something with it: no more than one each. */
const checkQueue = (state: State, outside: RedisClient.Service): Effect.Effect<void> =>
  Effect.gen(function*() {
    const left = new Set(yield* outside.execute(Redis.lrange("queue", 0, -1)))
    let lost = 0
    for (const [name, fate] of state.pushed) {
      const times = (state.popped.get(name) ?? 0) + (left.has(name) ? 1 : 0)
      if (times > 1) state.wrong.push(`${name} was popped ${times} times`)
      if (times > 0 && fate === "not-sent") state.wrong.push(`${name} was not sent and is in the queue`)
      if (times === 0 && fate === "acknowledged") lost++
    }
    const pops = state.counts.get("pop")
    const most = (pops?.failed ?? 0) + (pops?.interrupted ?? 0)
    if (lost > most) state.wrong.push(`${lost} elements of the queue are lost with ${most} pops`)
  }).pipe(Effect.orDie)

const checkStream = (state: State, outside: RedisClient.Service): Effect.Effect<void> =>
  Effect.gen(function*() {
    const unhandled = () =>
      [...state.added].filter(([name, fate]) => fate === "acknowledged" && !state.handled.has(name)).length
    yield* eventually(state, "entries without a handler", Effect.sync(unhandled), (count) => count === 0)
    const pending = Effect.map(outside.execute(Redis.xpending("stream", "group")), ({ pending }) => pending)
    yield* eventually(state, "entries pending", pending, (count) => count === 0)
    for (const [name, fate] of state.added) {
      if (fate === "not-sent" && state.handled.has(name)) state.wrong.push(`${name} was not sent and is in the stream`)
    }
  })

// -----------------------------------------------------------------------------
// What is left over
// -----------------------------------------------------------------------------

/** Counts the fibers that were started and have not ended. */
const fiberCounter = () => {
  let running = 0
  const service: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => void running++,
    recordFiberEnd: () => void running--
  }
  return { service, running: () => running }
}

const resources = (): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = { Timeout: 0, TCPSocketWrap: 0, TCPConnectWrap: 0, Immediate: 0 }
  for (const name of process.getActiveResourcesInfo()) if (name in counts) counts[name]!++
  return counts
}

const checkLeftovers = Effect.fnUntraced(function*(
  state: State,
  outside: RedisClient.Service,
  before: { readonly clients: number; readonly fibers: number; readonly resources: Readonly<Record<string, number>> },
  fibers: () => number
) {
  const clients = yield* eventually(
    state,
    "connections",
    Effect.map(clientIds(outside), (ids) => ids.length),
    (count) => count <= before.clients
  )
  const channels = outside.execute(Redis.send("PUBSUB CHANNELS"))
  yield* eventually(state, "subscriptions", channels, (list) => Array.isArray(list) && list.length === 0)
  const numpat = outside.execute(Redis.send("PUBSUB NUMPAT"))
  yield* eventually(state, "subscriptions by pattern", numpat, (count) => count === 0)
  // A lock whose release did not reach the server ends with its time to live, and no later.
  yield* Effect.sleep(lockTtl)
  const locks = outside.execute(Redis.keys("lock:*"))
  yield* eventually(state, "locks", locks, (keys) => keys.length === 0)
  const more = (now: Readonly<Record<string, number>>) =>
    Object.keys(now).filter((name) => now[name]! > before.resources[name]!)
  const after = yield* eventually(state, "resources", Effect.sync(resources), (now) => more(now).length === 0)
  const running = yield* eventually(state, "fibers", Effect.sync(fibers), (count) => count <= before.fibers)
  return { clients: clients ?? -1, fibers: running ?? -1, ...after }
})

// -----------------------------------------------------------------------------
// Running it
// -----------------------------------------------------------------------------

const soak = Effect.fnUntraced(function*(options: SoakAllOptions, fibers: () => number) {
  const state: State = {
    random: generator(options.seed),
    wrong: [],
    counts: new Map(),
    handled: new Map(),
    added: new Map(),
    pushed: new Map(),
    popped: new Map(),
    epoch: newEpoch(0),
    token: 0,
    inside: 0,
    feed: 0
  }
  const unhandled = (reason: unknown) => state.wrong.push(`unhandled rejection: ${String(reason)}`)
  process.on("unhandledRejection", unhandled)
  yield* Effect.addFinalizer(() => Effect.sync(() => process.off("unhandledRejection", unhandled)))

  const server = yield* RedisServer.make()
  const outside = yield* Client.make(server)
  yield* outside.pipeline([Redis.set("marker", "zero"), Redis.xgroupCreate("stream", "group", "0", { mkstream: true })])
  yield* Client.on(outside)(Redis.withConnection(Effect.andThen(Redis.select(1), Redis.set("marker", "one"))))
  // The reserved connection was closed, as its state had changed.
  yield* eventually(state, "connections at first", clientIds(outside), (ids) => ids.length === 1)
  // Counted in the same way as at the end, where the asking takes fibers and a timer itself.
  const count = <A>(what: Effect.Effect<A>) =>
    Effect.flatMap(eventually(state, "", what, () => true), Effect.fromNullishOr)
  const before = {
    clients: 1,
    fibers: yield* Effect.orDie(count(Effect.sync(fibers))),
    resources: yield* Effect.orDie(count(Effect.sync(resources)))
  }

  let kills = 0
  let checked = 0
  let published = 0
  let cuts = () => 0
  const report = (left: Readonly<Record<string, number>> = {}): SoakAllReport => ({
    counts: Object.fromEntries(state.counts),
    cuts: cuts(),
    kills,
    checked,
    left,
    wrong: state.wrong
  })

  yield* Effect.scoped(Effect.gen(function*() {
    const chaos = yield* Chaos.make(server)
    cuts = chaos.cuts
    const clients = [
      yield* Client.make(chaos),
      yield* Client.make(chaos, { commandTimeout: "100 millis", protocol: 2 }),
      yield* Client.make(chaos, {
        pool: { shared: 2, max: 20, acquireTimeout: "50 millis" },
        commandTimeout: "2 seconds"
      })
    ] as const
    const books = yield* bookkeeping(state, outside, (writes) => checked += writes)
    const publisher = yield* Effect.forkChild(publishing(state, outside, () => ++published))
    const background = yield* Effect.forEach(
      [
        cutting(state, chaos),
        killing(state, outside, () => kills++),
        books.turning,
        Effect.forever(Effect.delay(Effect.sync(() => options.onProgress?.(report())), "10 seconds"))
      ],
      (effect) => Effect.forkChild(effect)
    )
    const consumers = yield* Effect.forEach(
      [0, 1, 2],
      (index) => Effect.forkChild(consumer(state, clients[index % 2 === 0 ? 0 : 2], `consumer${index}`))
    )
    const following = yield* Effect.forkChild(follower(state, clients[0]))

    const end = performance.now() + options.seconds * 1000
    const caller = Effect.suspend(() => anything(state, clients[Math.floor(state.random() * 3)]!)).pipe(
      Effect.repeat({ while: () => performance.now() < end })
    )
    const callers = yield* Effect.forkChild(
      Effect.all(Array.from({ length: options.fibers }, () => caller), { concurrency: "unbounded", discard: true })
    )
    yield* Effect.sleep(options.seconds * 1000)
    yield* Fiber.interruptAll(background)
    chaos.resume()
    yield* Effect.timeoutOrElse(Fiber.join(callers), {
      duration: "15 seconds",
      orElse: () => Effect.sync(() => void state.wrong.push("there are callers that wait for ever"))
    })
    yield* checkStream(state, outside)
    yield* Fiber.interruptAll(consumers)
    yield* eventually(state, "the feed", Effect.sync(() => published - state.feed), (behind) => behind < 5)
    yield* Fiber.interrupt(publisher)
    yield* Fiber.interrupt(following)
    yield* books.rest
    yield* checkQueue(state, outside)
    if (state.inside !== 0) state.wrong.push(`${state.inside} are still inside the lock`)
  }))
  return report(yield* checkLeftovers(state, outside, before, fibers))
}, Effect.scoped)

/** Runs it, on a server of its own. */
export const run = (options: SoakAllOptions) => {
  const counter = fiberCounter()
  return Effect.provideService(soak(options, counter.running), Metric.FiberRuntimeMetrics, counter.service)
}
