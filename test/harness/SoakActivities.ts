/**
 * The activities of the callers of the mixed soak, each with a way to tell whether it went right.
 */
import { Redis, RedisError, RedisLock, RedisStream } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { impatient } from "./Chance.ts"
import { twice } from "./ledger/programs.ts"
import type { Fate } from "./Soak.ts"

/** The writes of a span of time. They are checked long after its end, and then forgotten. */
export interface Epoch {
  readonly number: number
  readonly ledger: Map<string, Fate>
  /** Writes that were made together, in a transaction or a script. */
  readonly pairs: Array<readonly [string, string]>
  /** Writes that each came with an increment of a watched counter. */
  readonly watched: Array<string>
}

/** The counts of each kind of outcome, by activity. */
export interface Count {
  answered: number
  failed: number
  interrupted: number
}

/**
 * - `isExpected`: whether an error is one that the trouble which is made accounts for.
 * - `lossy`: whether acknowledged writes may get lost, as the masters of a group are killed. `without`: what is not done.
 */
export interface State {
  readonly random: () => number
  readonly isExpected: (error: RedisError.RedisError) => boolean
  readonly lossy: boolean
  readonly without: ReadonlySet<string>
  readonly wrong: Array<string>
  readonly counts: Map<string, Count>
  readonly handled: Map<string, number>
  readonly added: Map<string, Fate>
  readonly pushed: Map<string, Fate>
  readonly popped: Map<string, number>
  epoch: Epoch
  token: number
  inside: number
  feed: number
  /**
   * The acknowledged writes that are not there, and the number of times that two callers were inside the lock. Both are
   * none unless `lossy`.
   */
  lost: number
  overlaps: number
}

export const counters = 4

/** The key of an epoch. All keys of an epoch are in one slot of a cluster. */
export const ledgerKey = (epoch: Epoch): string => `ledger:{${epoch.number}}`
export const counterKey = (epoch: Epoch, index: number): string => `counter:{${epoch.number}}:${index}`

const token = (state: State, kind: string): string => `${kind}${state.token++}`

const countOf = (state: State, activity: string): Count => {
  const count = state.counts.get(activity) ?? { answered: 0, failed: 0, interrupted: 0 }
  state.counts.set(activity, count)
  return count
}

/** Runs an activity, and returns what its caller knows about it. */
const attempt = <A>(
  state: State,
  activity: string,
  effect: Effect.Effect<A, RedisError.RedisError>,
  allowed: ReadonlyArray<string> = []
): Effect.Effect<{ readonly fate: Fate; readonly value: A | undefined }> =>
  Effect.map(impatient(state.random, effect), (exit) => {
    const count = countOf(state, activity)
    if (Exit.isSuccess(exit)) {
      count.answered++
      return { fate: "acknowledged", value: exit.value }
    }
    const failure = exit.cause.reasons.find(Cause.isFailReason)
    if (failure === undefined) {
      count.interrupted++
      if (!exit.cause.reasons.every(Cause.isInterruptReason)) state.wrong.push(`${activity}: a defect: ${exit.cause}`)
      return { fate: "unknown", value: undefined }
    }
    count.failed++
    const { error } = failure
    if (!state.isExpected(error) && !allowed.includes(error._tag)) state.wrong.push(`${activity}: ${error}`)
    return { fate: "delivery" in error ? error.delivery : "unknown", value: undefined }
  })

const expect = (state: State, what: string, actual: unknown, wanted: unknown): void => {
  if (actual !== undefined && actual !== wanted) {
    state.wrong.push(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(wanted)}`)
  }
}

type Activity = (state: State, client: RedisClient.RedisClient["Service"]) => Effect.Effect<void>

// -----------------------------------------------------------------------------
// Single commands, pipelines, transactions, scripts
// -----------------------------------------------------------------------------

const write = (epoch: Epoch, name: string) => Redis.hincrby(ledgerKey(epoch), name, 1)

const asks: Activity = (state, client) =>
  Effect.suspend(() => {
    const text = token(state, "t")
    return Effect.map(attempt(state, "ask", client.execute(Redis.send("ECHO", text))), ({ value }) =>
      expect(state, "ECHO", value, text))
  })

const writes: Activity = (state, client) =>
  Effect.suspend(() => {
    const { epoch } = state
    const name = token(state, "w")
    return Effect.map(attempt(state, "write", client.execute(write(epoch, name))), ({ fate, value }) => {
      epoch.ledger.set(name, fate)
      expect(state, "HINCRBY", value, 1)
    })
  })

const pipelines: Activity = (state, client) =>
  Effect.suspend(() => {
    const text = token(state, "p")
    const commands = [Redis.send("ECHO", text), Redis.get("marker"), Redis.send("ECHO", `${text}!`)]
    return Effect.map(
      attempt(state, "pipeline", Effect.all(commands.map(client.execute), { concurrency: 3 })),
      ({ value }) => expect(state, "a pipeline", value?.join(), value && `${text},zero,${text}!`)
    )
  })

const transactions: Activity = (state, client) =>
  Effect.suspend(() => {
    const { epoch } = state
    const [first, second] = [token(state, "x"), token(state, "x")]
    const both = Client.on(client)(Redis.transaction([write(epoch, first), write(epoch, second)]))
    return Effect.map(attempt(state, "transaction", both), ({ fate, value }) => {
      epoch.ledger.set(first, fate).set(second, fate)
      epoch.pairs.push([first, second])
      expect(state, "a transaction", value?.join(), value && "1,1")
    })
  })

const scripts: Activity = (state, client) =>
  Effect.suspend(() => {
    const { epoch } = state
    const [first, second] = [token(state, "s"), token(state, "s")]
    return Effect.map(
      attempt(state, "script", Client.on(client)(twice(ledgerKey(epoch), first, second))),
      ({ fate, value }) => {
        epoch.ledger.set(first, fate).set(second, fate)
        epoch.pairs.push([first, second])
        expect(state, "a script", value?.join(), value && `1,1,${first}`)
      }
    )
  })

/** Reads a counter and sets it one higher. No increment may get lost. */
const watches: Activity = (state, client) =>
  Effect.suspend(() => {
    const { epoch } = state
    const name = token(state, "c")
    const key = counterKey(epoch, Math.floor(state.random() * counters))
    const body = Effect.map(Redis.get(key), (n) => [Redis.set(key, Number(n ?? 0) + 1), write(epoch, name)] as const)
    // Also what its caller has not heard of yet may be there when the books are checked.
    epoch.watched.push(name)
    return Effect.map(
      attempt(state, "watch", Client.on(client)(Redis.watch(key, body)), ["WatchError"]),
      ({ fate }) => void epoch.ledger.set(name, fate)
    )
  })

// -----------------------------------------------------------------------------
// Exclusive connections
// -----------------------------------------------------------------------------

/** Reserves a connection, whose state must be the expected one, whatever the caller before did to it. */
const sessions: Activity = (state, client) =>
  Effect.gen(function*() {
    const session = Redis.withConnection(Effect.gen(function*() {
      const before = yield* Redis.get("marker")
      if (state.random() < 0.5) return [before, "one"]
      yield* Redis.select(1)
      return [before, yield* Redis.get("marker")]
    }))
    const { value } = yield* attempt(state, "session", Client.on(client)(session))
    expect(state, "a session", value?.join(), value && "zero,one")
  })

const pushes: Activity = (state, client) =>
  Effect.suspend(() => {
    const name = token(state, "q")
    return Effect.map(attempt(state, "push", client.execute(Redis.rpush("queue", name))), ({ fate }) => {
      state.pushed.set(name, fate)
    })
  })

const pops: Activity = (state, client) =>
  Effect.map(attempt(state, "pop", client.execute(Redis.blpop("queue", "100 millis"))), ({ value }) => {
    if (value !== undefined) state.popped.set(value.value, (state.popped.get(value.value) ?? 0) + 1)
  })

// -----------------------------------------------------------------------------
// Locks
// -----------------------------------------------------------------------------

export const lockTtl = 3000

const lock = RedisLock.make("lock:soak", { ttl: `${lockTtl} millis`, retryInterval: 5, waitTimeout: "100 millis" })

/** Takes the lock. At most one caller is inside. */
const locks: Activity = (state, client) =>
  Effect.asVoid(attempt(
    state,
    "lock",
    Client.on(client)(lock.withLock(Effect.acquireUseRelease(
      Effect.sync(() => {
        if (++state.inside > 1) {
          state.overlaps++
          // A lock that its replica has not heard of is gone with its master.
          if (!state.lossy) state.wrong.push(`${state.inside} have the lock at a time`)
        }
      }),
      () => Effect.sleep(state.random() * 3),
      () => Effect.sync(() => state.inside--)
    ))),
    ["LockError", "LockNotOwnedError"]
  ))

// -----------------------------------------------------------------------------
// Streams, subscriptions, feeds
// -----------------------------------------------------------------------------

const adds: Activity = (state, client) =>
  Effect.suspend(() => {
    const name = token(state, "e")
    return Effect.map(attempt(state, "add", client.execute(Redis.xadd("stream", { name }))), ({ fate }) => {
      state.added.set(name, fate)
    })
  })

/** Runs a consumer that comes and goes. */
export const consumer = (
  state: State,
  client: RedisClient.RedisClient["Service"],
  name: string
): Effect.Effect<never> =>
  Effect.forever(Effect.suspend(() =>
    RedisStream.consume(
      {
        stream: "stream",
        group: "group",
        consumer: name,
        createGroup: "0",
        concurrency: 5,
        block: "200 millis",
        claimIdle: "1 second",
        drain: state.random() < 0.5 ? 0 : "1 second"
      },
      ({ fields }) =>
        Effect.delay(
          Effect.sync(() => state.handled.set(fields["name"]!, (state.handled.get(fields["name"]!) ?? 0) + 1)),
          state.random() * 3
        )
    ).pipe(
      Client.on(client),
      Effect.timeoutOption(100 + state.random() * 2000),
      Effect.catch((error) =>
        Effect.sync(() => {
          // The consumer reports that it begins without a connection.
          const isWithoutRoom = error._tag === "ConnectionError" && error.reason.startsWith("Pool")
          if (!isWithoutRoom) state.wrong.push(`a consumer: ${error}`)
        })
      )
    )
  ))

const subscribes: Activity = (state, client) =>
  Effect.asVoid(attempt(
    state,
    "subscribe",
    Redis[state.random() < 0.5 ? "subscribe" : "psubscribe"](`brief${Math.floor(state.random() * 10)}`).pipe(
      Stream.take(1),
      Stream.runDrain,
      // Some go away, and some wait for what a busy machine is late with, so that they are cut.
      Effect.timeoutOption(state.random() < 0.5 ? state.random() * 20 : 1000),
      Client.on(client)
    )
  ))

const monitors: Activity = (state, client) =>
  Effect.asVoid(attempt(
    state,
    "monitor",
    Redis.monitor().pipe(
      Stream.take(50),
      Stream.runDrain,
      Effect.timeoutOption(state.random() < 0.5 ? 50 : 1000),
      Client.on(client)
    )
  ))

const scans: Activity = (state, client) =>
  Effect.asVoid(attempt(
    state,
    "scan",
    Redis.scanStream({ count: 5 }).pipe(Stream.take(20), Stream.runDrain, Client.on(client))
  ))

/**
 * Follows a channel on which numbers are published one after the other. They arrive in order, none twice, and none is
 * missing but in a reported gap.
 */
export const follower = (state: State, client: RedisClient.RedisClient["Service"]): Effect.Effect<void> => {
  let gap = true
  let gaps = 0
  return Redis.subscribe("feed", { events: true }).pipe(
    Stream.runForEach((element) =>
      Effect.sync(() => {
        if (element._tag === "Lost") {
          gap = true
          countOf(state, "feed").failed = ++gaps
        }
        if (element._tag !== "Message") return
        const number = Number(element.data)
        if (state.lossy) {
          // Servers that pass messages on to each other do so in no order, and lose some when a server is away.
          countOf(state, "feed").answered++
          state.feed = Math.max(state.feed, number)
          return
        }
        if (number <= state.feed) state.wrong.push(`the feed gave ${number} after ${state.feed}`)
        if (!gap && number !== state.feed + 1) {
          state.wrong.push(`the feed lost ${state.feed + 1} to ${number - 1} in silence`)
        }
        gap = false
        state.feed = number
        countOf(state, "feed").answered++
      })
    ),
    Client.on(client),
    // The connection that the feed begins with may be cut like any other.
    Effect.retry({ while: (error) => state.feed === 0 && RedisError.isSafeToRetry(error) }),
    Effect.catch((error) => Effect.sync(() => void state.wrong.push(`the feed: ${error}`)))
  )
}

/** The activities, with their weights. */
const activities: ReadonlyArray<readonly [weight: number, activity: Activity, name?: string]> = [
  [20, asks],
  [20, writes],
  [8, pipelines],
  [8, transactions],
  [8, scripts],
  [6, watches],
  [6, sessions, "session"],
  [6, pushes],
  [6, pops],
  [4, locks],
  [4, adds],
  [4, subscribes],
  [1, monitors, "monitor"],
  [2, scans]
]

/** Runs an activity that is chosen at random. */
export const anything: Activity = (state, client) =>
  Effect.suspend(() => {
    const possible = activities.filter(([, , name]) => name === undefined || !state.without.has(name))
    let choice = state.random() * possible.reduce((sum, [weight]) => sum + weight, 0)
    const [, activity] = possible.find(([weight]) => (choice -= weight) < 0) ?? possible[0]!
    return activity(state, client)
  })
