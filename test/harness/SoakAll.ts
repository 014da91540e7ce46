/**
 * Everything at once, over connections that are cut, stalled and killed, on servers that fail, from callers that go
 * away at any moment. In the end the books must balance, and nothing may be left over.
 */
import { Redis, RedisError } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Amounts from "./Amounts.ts"
import * as Chance from "./Chance.ts"
import * as Chaos from "./Chaos.ts"
import { anything, consumer, counterKey, counters, follower, ledgerKey, lockTtl } from "./SoakActivities.ts"
import type { Count, Epoch, State } from "./SoakActivities.ts"
import * as SoakDeployment from "./SoakDeployment.ts"
import type { Deployment } from "./SoakDeployment.ts"
import { patiently } from "./SoakDeployment.ts"
import * as Resources from "./SoakResources.ts"

/**
 * - `seconds`: for how long, and until `enough` has happened. `fibers`: how many callers at a time. `seed`: of the choices that
 *   they make.
 * - `deployment`: what it runs on. Default: one server.
 */
export interface SoakAllOptions {
  readonly seconds: number
  readonly enough?: ((report: SoakAllReport) => Amounts.Amounts) | undefined
  readonly fibers: number
  readonly seed: number
  readonly deployment?: SoakDeployment.Kind | undefined
  /** Called now and then with a report of the run so far. */
  readonly onProgress?: ((report: SoakAllReport) => void) | undefined
}

/**
 * The counts of each activity, and what is wrong, which is nothing if all is well.
 *
 * - `strikes`: how often a server was felled. `lost`: acknowledged writes that went with it. `overlaps`: how often two were
 *   inside the lock then.
 * - `before`, `after`: what the process holds after a first short run, and after the long one.
 */
export interface SoakAllReport {
  readonly counts: Readonly<Record<string, Count>>
  readonly cuts: number
  readonly kills: number
  readonly strikes: number
  readonly checked: number
  readonly lost: number
  readonly overlaps: number
  readonly before: Resources.Held | undefined
  readonly after: Resources.Held | undefined
  readonly wrong: ReadonlyArray<string>
}

const newEpoch = (number: number): Epoch => ({ number, ledger: new Map(), pairs: [], watched: [] })

const epochSeconds = 10

/** How often it is asked what is to come about, 20 ms apart: 15 seconds where nothing else uses the machine. */
const questions = 700

/** Asks until an answer is as expected; reports a fault when that was asked for too often. */
const eventually = <A, E>(
  state: State,
  what: string,
  ask: Effect.Effect<A, E>,
  expected: (answer: A) => boolean,
  left = questions
): Effect.Effect<A> =>
  Effect.flatMap(Effect.orDie(ask), (answer) => {
    if (expected(answer)) return Effect.succeed(answer)
    if (left > 0) return Effect.andThen(Effect.sleep(20), eventually(state, what, ask, expected, left - 1))
    state.wrong.push(`${what}: still ${JSON.stringify(answer)}`)
    return Effect.succeed(answer)
  })

// -----------------------------------------------------------------------------
// Trouble
// -----------------------------------------------------------------------------

const cutting = (state: State, proxies: ReadonlyArray<Chaos.Chaos>): Effect.Effect<never> =>
  Effect.forever(Effect.gen(function*() {
    yield* Effect.sleep(5 + state.random() * 100)
    yield* Chance.cut(state.random, proxies[Math.floor(state.random() * proxies.length)]!)
  }))

/** Has servers end connections, from the side that a proxy cannot. */
const killing = (state: State, { probes }: Deployment, onKill: () => void): Effect.Effect<never> =>
  Effect.forever(
    Effect.gen(function*() {
      yield* Effect.sleep(20 + state.random() * 200)
      const probe = probes[Math.floor(state.random() * probes.length)]!
      const ids = yield* Resources.clientIds(probe)
      const id = ids[Math.floor(state.random() * ids.length)]
      if (id === undefined) return
      yield* probe.execute(Redis.send("CLIENT KILL", "ID", id))
      onKill()
      // The server itself may be away, and the connection to kill may have gone.
    }).pipe(Effect.ignore)
  )

/** Fells servers, with a time of peace after each. */
const striking = (state: State, { strike }: Deployment, onStrike: () => void): Effect.Effect<never> =>
  strike === undefined
    ? Effect.never
    : Effect.forever(Effect.gen(function*() {
      yield* Effect.sleep(5000 + state.random() * 5000)
      onStrike()
      yield* Effect.catch(
        strike(state.random),
        (error) => Effect.sync(() => void state.wrong.push(`the servers: ${error.message}`))
      )
    }))

const publishing = (
  state: State,
  outside: RedisClient.RedisClient["Service"],
  next: () => number
): Effect.Effect<never> =>
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

const checkEpoch = (state: State, outside: RedisClient.RedisClient["Service"], epoch: Epoch): Effect.Effect<number> =>
  Effect.gen(function*() {
    const keys = Array.from({ length: counters }, (_, index) => counterKey(epoch, index))
    // At one moment: what was given up may still come, and must not come in between.
    const [written, counted] = yield* patiently(
      Client.on(outside)(Redis.transaction([Redis.hgetall(ledgerKey(epoch)), Redis.mget(keys)]))
    )
    const applied = new Map(Object.entries(written))
    for (const [name, fate] of epoch.ledger) {
      const times = applied.get(name)
      if (times !== undefined && times !== "1") state.wrong.push(`${name} was applied ${times} times`)
      if (fate === "acknowledged" && times === undefined) {
        state.lost++
        if (!state.lossy) state.wrong.push(`${name} was acknowledged and is lost`)
      }
      if (fate === "not-sent" && times !== undefined) state.wrong.push(`${name} was not sent and is applied`)
    }
    for (const [first, second] of epoch.pairs) {
      if (applied.has(first) !== applied.has(second)) state.wrong.push(`of ${first} and ${second} one was applied`)
    }
    const sum = counted.reduce((sum, n) => sum + Number(n ?? 0), 0)
    const increments = epoch.watched.filter((name) => applied.has(name)).length
    if (sum !== increments) state.wrong.push(`${increments} increments made ${sum}: some were lost`)
    yield* patiently(outside.execute(Redis.del([ledgerKey(epoch), ...keys])))
    return epoch.ledger.size
  }).pipe(Effect.orDie)

/** Starts a new epoch now and then, and checks the one before the last. */
const bookkeeping = (state: State, outside: RedisClient.RedisClient["Service"], onChecked: (writes: number) => void) =>
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

/**
 * Checks the queue. A blocking pop that was given up or cut may have taken an element with it, but no more than one.
 */
const checkQueue = (state: State, outside: RedisClient.RedisClient["Service"]): Effect.Effect<void> =>
  Effect.gen(function*() {
    const left = new Set(yield* patiently(outside.execute(Redis.lrange("queue", 0, -1))))
    let lost = 0
    for (const [name, fate] of state.pushed) {
      const times = (state.popped.get(name) ?? 0) + (left.has(name) ? 1 : 0)
      // An element that a master has given away is back in the queue where its replica has not heard of that.
      if (times > 1 && !state.lossy) state.wrong.push(`${name} was popped ${times} times`)
      if (times > 0 && fate === "not-sent") state.wrong.push(`${name} was not sent and is in the queue`)
      if (times === 0 && fate === "acknowledged") lost++
    }
    const pops = state.counts.get("pop")
    const most = (pops?.failed ?? 0) + (pops?.interrupted ?? 0)
    if (lost > most && !state.lossy) state.wrong.push(`${lost} elements of the queue are lost with ${most} pops`)
  }).pipe(Effect.orDie)

const checkStream = (state: State, outside: RedisClient.RedisClient["Service"]): Effect.Effect<void> =>
  Effect.gen(function*() {
    const stored = state.lossy
      ? new Set((yield* patiently(outside.execute(Redis.xrange("stream")))).map(({ fields }) => fields["name"]!))
      : undefined
    const unhandled = () =>
      [...state.added].filter(([name, fate]) =>
        (stored?.has(name) ?? fate === "acknowledged") && !state.handled.has(name)
      ).length
    yield* eventually(state, "entries without a handler", Effect.sync(unhandled), (count) => count === 0)
    const pending = Effect.map(patiently(outside.execute(Redis.xpending("stream", "group"))), ({ pending }) => pending)
    yield* eventually(state, "entries pending", pending, (count) => count === 0)
    for (const [name, fate] of state.added) {
      if (fate === "not-sent" && state.handled.has(name)) state.wrong.push(`${name} was not sent and is in the stream`)
    }
  }).pipe(Effect.orDie)

// -----------------------------------------------------------------------------
// What is left over
// -----------------------------------------------------------------------------

/** Asks every server, each with its own client, until all answers are as expected. */
const everywhere = <A>(
  state: State,
  what: string,
  ask: (probe: RedisClient.RedisClient["Service"]) => Effect.Effect<A, RedisError.RedisError>,
  expected: (answer: A) => boolean
) =>
(probes: ReadonlyArray<RedisClient.RedisClient["Service"]>) =>
  Effect.forEach(probes, (probe) => eventually(state, what, patiently(ask(probe)), expected), { discard: true })

const checkServers = Effect.fnUntraced(function*(state: State, { probes }: Deployment) {
  yield* everywhere(state, "connections", Resources.clientIds, (ids) => ids.length === 0)(probes)
  const channels = (probe: RedisClient.RedisClient["Service"]) => probe.execute(Redis.pubsubChannels())
  const own = (list: ReadonlyArray<string>) => list.filter((channel) => !channel.startsWith("__sentinel__"))
  yield* everywhere(state, "subscriptions", channels, (list) => own(list).length === 0)(probes)
  yield* everywhere(state, "patterns", (probe) => probe.execute(Redis.pubsubNumpat()), (count) => count === 0)(probes)
  // A lock whose release did not reach the server ends with its time to live, and no later.
  yield* Effect.sleep(lockTtl)
  yield* everywhere(state, "locks", (probe) => probe.execute(Redis.keys("lock:*")), (keys) => keys.length === 0)(probes)
})

// -----------------------------------------------------------------------------
// Running it
// -----------------------------------------------------------------------------

const newState = ({ seed }: SoakAllOptions, { lossy, strike, without }: Deployment): State => ({
  random: Chance.generator(seed),
  isExpected: strike === undefined
    ? ({ _tag }) => _tag === "ConnectionError" || _tag === "TimeoutError"
    : RedisError.isRetryable,
  lossy,
  without,
  wrong: [],
  counts: new Map(),
  handled: new Map(),
  added: new Map(),
  pushed: new Map(),
  popped: new Map(),
  epoch: newEpoch(0),
  token: 0,
  inside: 0,
  feed: 0,
  lost: 0,
  overlaps: 0
})

/** The counts of each kind of trouble, and of the checks. */
const newTally = () => ({ cuts: 0, kills: 0, strikes: 0, checked: 0, published: 0 })

const reportOf = (
  { counts, lost, overlaps, wrong }: State,
  { checked, cuts, kills, strikes }: ReturnType<typeof newTally>
): SoakAllReport => ({
  counts: Object.fromEntries(counts),
  cuts,
  kills,
  strikes,
  checked,
  lost,
  overlaps,
  before: undefined,
  after: undefined,
  wrong
})

const prepare = Effect.fnUntraced(function*(deployment: Deployment) {
  yield* SoakDeployment.empty(deployment)
  const outside = yield* deployment.client({ clientName: "outside" })
  yield* patiently(outside.execute(Redis.set("marker", "zero")))
  yield* patiently(outside.execute(Redis.xgroupCreate("stream", "group", "0", { mkstream: true })))
  if (!deployment.without.has("session")) {
    yield* patiently(
      Client.on(outside)(Redis.withConnection(Effect.andThen(Redis.select(1), Redis.set("marker", "one"))))
    )
  }
  return outside
})

/** Runs once; nothing of the run is left when it is over. */
const round = Effect.fnUntraced(function*(options: SoakAllOptions, deployment: Deployment) {
  const state = newState(options, deployment)
  const tally = newTally()
  const outside = yield* prepare(deployment)
  const proxies = yield* Effect.forEach(deployment.servers, Chaos.make)
  const client = deployment.through(proxies)
  const clients = [
    yield* client(),
    yield* client({ commandTimeout: deployment.lossy ? "500 millis" : "100 millis", protocol: 2 }),
    yield* client({ pool: { shared: 2, max: 20, acquireTimeout: "50 millis" }, commandTimeout: "2 seconds" })
  ] as const
  const report = () => reportOf(state, { ...tally, cuts: proxies.reduce((sum, { cuts }) => sum + cuts(), 0) })
  const books = yield* bookkeeping(state, outside, (writes) => tally.checked += writes)
  const publisher = yield* Effect.forkChild(publishing(state, outside, () => ++tally.published))
  const strikes = yield* Effect.forkChild(striking(state, deployment, () => tally.strikes++))
  const background = yield* Effect.forEach(
    [
      cutting(state, proxies),
      killing(state, deployment, () => tally.kills++),
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

  let isOver = false
  const caller = Effect.suspend(() => anything(state, clients[Math.floor(state.random() * 3)]!)).pipe(
    Effect.repeat({ while: () => !isOver })
  )
  const callers = yield* Effect.forkChild(
    Effect.all(Array.from({ length: options.fibers }, () => caller), { concurrency: "unbounded", discard: true })
  )
  yield* Effect.sleep(options.seconds * 1000)
  yield* Amounts.reached(Effect.sync(() => options.enough?.(report()) ?? {}))
  isOver = true
  yield* Fiber.interruptAll(background)
  for (const proxy of proxies) proxy.resume()
  const haveEnded = yield* eventually(
    state,
    "whether all callers have ended",
    Effect.sync(() => callers.pollUnsafe() !== undefined),
    (haveEnded) => haveEnded,
    deployment.strike === undefined ? questions : 3 * questions
  )
  if (haveEnded) yield* Fiber.join(callers)
  yield* settle(state, deployment, strikes)
  yield* checkStream(state, outside)
  yield* Fiber.interruptAll(consumers)
  yield* eventually(state, "the feed", Effect.sync(() => tally.published - state.feed), (behind) => behind < 5)
  yield* Fiber.interrupt(publisher)
  yield* Fiber.interrupt(following)
  yield* books.rest
  yield* checkQueue(state, outside)
  if (state.inside !== 0) state.wrong.push(`${state.inside} are still inside the lock`)
  return { state, report }
}, Effect.scoped)

/** Ends the strikes. A server that was felled is mended first. */
const settle = (state: State, { strike }: Deployment, strikes: Fiber.Fiber<unknown>) =>
  Effect.andThen(
    Fiber.interrupt(strikes),
    strike === undefined ?
      Effect.void :
      Effect.catch(
        strike(() => 0.7),
        (error) => Effect.sync(() => void state.wrong.push(`the servers: ${error.message}`))
      )
  )

/** The seconds that the first run lasts. After it the process holds what it always will. */
const warmUp = 10

const soak = Effect.fnUntraced(function*(options: SoakAllOptions, fibers: () => number) {
  const deployment = yield* SoakDeployment.make(options.deployment ?? "standalone")
  const unhandled: Array<string> = []
  const onUnhandled = (reason: unknown) => void unhandled.push(`unhandled rejection: ${String(reason)}`)
  process.on("unhandledRejection", onUnhandled)
  yield* Effect.addFinalizer(() => Effect.sync(() => process.off("unhandledRejection", onUnhandled)))

  const held = Resources.held(deployment.probes, fibers)
  const first = yield* round(
    { ...options, seconds: Math.min(options.seconds, warmUp), enough: undefined, onProgress: undefined },
    deployment
  )
  yield* checkServers(first.state, deployment)
  // The first measurement is made like the one at the end, because asking takes fibers and a timer itself.
  const before = yield* eventually(first.state, "what is held", held, () => true)
  const { report, state } = yield* round(options, deployment)
  yield* checkServers(state, deployment)
  const { wrong } = state
  const after = yield* eventually(
    state,
    "what is held",
    held,
    (now) => Resources.grown(before, now).length === 0
  )
  // The report itself must not count as memory that is held.
  const result: SoakAllReport = { ...report(), before, after, wrong: [...first.state.wrong, ...wrong, ...unhandled] }
  return result
}, Effect.scoped)

/** Runs the soak on servers of its own. */
export const run = (options: SoakAllOptions) => {
  const counter = Resources.fiberCounter()
  return Effect.provideService(soak(options, counter.running), Metric.FiberRuntimeMetrics, counter.service)
}
