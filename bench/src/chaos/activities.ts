/** What redfx does besides single writes: each use writes tokens in its own way, and says what its caller was told. */
import { Redis, RedisLock, RedisReply, RedisScript, RedisStream } from "@redfx/core"
import type { RedisError } from "@redfx/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { setTimeout as sleep } from "node:timers/promises"
import { fateOfError, fateOfExit, keyAt } from "./clients.ts"
import type { Caller, Deployment, Fate, Run, Written } from "./clients.ts"
import { places, until } from "./ledger.ts"

/** A place and two others, in other slots. */
const three = (place: string): readonly [string, string, string] => {
  const index = places.indexOf(place)
  const other = (step: number) => places[(index + step) % places.length] ?? place
  return [place, other(1), other(2)]
}

/** Writes one token to one hash, in a way of its own. */
const one = (
  run: Run,
  label: string,
  write: (key: string, token: string) => Parameters<Run>[0]
): Caller => ({
  label,
  write: async (place, token) => {
    const key = keyAt(place, label)
    // Whatever fails here, fails with an error of redfx.
    const exit = await run(write(key, token)) as Exit.Exit<unknown, RedisError.RedisError>
    return [{ place, key, token, ...fateOfExit(exit) }]
  }
})

/** What the books are balanced with: no balance without it. */
const valueOf = <A, E>(exit: Exit.Exit<A, E>): A => {
  if (Exit.isFailure(exit)) throw new Error(Cause.pretty(exit.cause))
  return exit.value
}

const increment = (key: string, token: string) => Redis.hincrby(key, token, 1)

const pipelines = (run: Run): Caller => ({
  label: "pipelines",
  write: async (place, token) => {
    const written = three(place).map((place) => ({ place, key: keyAt(place, "pipelines"), token }))
    const exit = await run(Redis.pipelineSettled(written.map(({ key }) => increment(key, token))))
    return written.map((each, index): Written => {
      if (Exit.isFailure(exit)) return { ...each, fate: "unknown", tag: `Defect: ${Cause.pretty(exit.cause)}` }
      const result = exit.value[index]
      return result?._tag === "Failure"
        ? { ...each, ...fateOfError(result.failure) }
        : { ...each, fate: "acknowledged" }
    })
  }
})

/** Keys of their own, in three slots: what is split has one outcome for the whole. */
const splits = (run: Run): Caller => {
  const keyOf = ({ key, token }: { readonly key: string; readonly token: string }) => `${key}:${token}`
  return {
    label: "split MSET",
    write: async (place, token) => {
      const written = three(place).map((place) => ({ place, key: keyAt(place, "mset"), token }))
      const exit = await run(Redis.mset(Object.fromEntries(written.map((each) => [keyOf(each), 1]))))
      return written.map((each) => ({ ...each, ...fateOfExit(exit) }))
    },
    applied: async (written) => {
      if (written.length === 0) return []
      const values = valueOf(await run(Redis.mget(written.map(keyOf))))
      return values.map((value) => value === undefined ? 0 : Number(value))
    }
  }
}

const twice = RedisScript.make({
  name: "chaos",
  lua: "redis.call('HINCRBY', KEYS[1], ARGV[1], 1) return redis.call('HLEN', KEYS[1])",
  keys: (key: string, _token: string) => [key],
  args: (_key, token) => [token],
  result: RedisReply.integer
})

/** The write is what is counted: a lock can be refused before it, or turn out to be lost after it. */
const locks = (run: Run): Caller => ({
  label: "locks",
  write: async (place, token) => {
    const key = keyAt(place, "locks")
    let inside: Fate = { fate: "refused" }
    const write = Effect.gen(function*() {
      inside = { fate: "unknown" }
      inside = fateOfExit(yield* Effect.exit(increment(key, token)))
    })
    const lock = RedisLock.make(`${key}:lock`, { ttl: "5 seconds", waitTimeout: "5 seconds" })
    const exit = await run(lock.withLock(write))
    const failure = Exit.isFailure(exit)
      ? exit.cause.reasons.find(Cause.isFailReason)?.error._tag ?? "Defect"
      : undefined
    return [{ place, key, token, ...inside, tag: inside.tag ?? failure }]
  }
})

/**
 * Pushes a token, and pops one, be it another's. What was popped when its reply was lost is gone. What was popped before
 * a failover, but not on the new master, is popped again: that is the loss of a write, and no doubling.
 */
const queues = (run: Run): Caller => {
  const popped = new Set<string>()
  let gone = 0
  return {
    label: "blocking pops",
    write: async (place, token) => {
      const key = keyAt(place, "queue")
      const pushed = fateOfExit(await run(Redis.rpush(key, token)))
      const exit = await run(Redis.blpop(key, "1 second"))
      if (Exit.isSuccess(exit)) {
        if (exit.value !== undefined) popped.add(exit.value.value)
      } else if (fateOfExit(exit).fate === "unknown") gone++
      return [{ place, key, token, ...pushed }]
    },
    applied: async (written) => {
      for (const key of new Set(written.map(({ key }) => key))) {
        for (const token of valueOf(await run(Redis.lrange(key, 0, -1)))) popped.add(token)
      }
      return written.map(({ fate, token }) => popped.has(token) || (fate === "acknowledged" && gone-- > 0) ? 1 : 0)
    }
  }
}

/**
 * What is published arrives once; servers do not keep it, so that some is lost with the node that it was on. Servers of a
 * cluster get it from each other, each in its own time. So there the subscription may hear again from its next server what the
 * one before has told, but from no server twice: between the two there must be a Lost.
 */
const subscriptions = async (run: Run, mode: Deployment["mode"]): Promise<Caller> => {
  /** How often each message came from the same server: the most of all servers. */
  const received = new Map<string, number>()
  /** How often each came from the present server. */
  let present = new Map<string, number>()
  const channel = "chaos:feed"
  const ready = Promise.withResolvers<void>()
  void run(
    Redis.subscribe(channel, { events: true }).pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          if (event._tag === "Lost" && mode === "cluster") present = new Map()
          if (event._tag !== "Message") return
          const times = (present.get(event.data) ?? 0) + 1
          present.set(event.data, times)
          received.set(event.data, Math.max(received.get(event.data) ?? 0, times))
          ready.resolve()
        })
      ),
      Effect.retry(Schedule.spaced("100 millis"))
    )
  )
  while (received.size === 0) {
    await run(Redis.publish(channel, "first"))
    await Promise.race([ready.promise, sleep(100)])
  }
  return {
    label: "subscriptions",
    write: async (place, token) => [
      { place, key: channel, token, ...fateOfExit(await run(Redis.publish(channel, token))) }
    ],
    applied: async (written) => written.map(({ token }) => received.get(token) ?? 0)
  }
}

/** Entries are in the stream once, and each is handled, at least once. */
const consumers = (run: Run): Caller => {
  const handled = new Set<string>()
  // One stream, where the victim is looked for.
  const [place = ""] = places
  const stream = keyAt(place, "stream")
  const options = { stream, group: "chaos", consumer: "one", createGroup: "0", concurrency: 10 } as const
  const consume = RedisStream.consume(
    { ...options, claimIdle: "1 second" },
    ({ fields }) => Effect.sync(() => void handled.add(fields["token"] ?? ""))
  )
  void run(Effect.retry(consume, Schedule.spaced("100 millis")))
  return {
    label: "consumer",
    write: async (_place, token) => [
      { place, key: stream, token, ...fateOfExit(await run(Redis.xadd(stream, { token }))) }
    ],
    applied: async (written) => {
      const stored = valueOf(await run(Redis.xrange(stream, "-", "+")))
      const entries = stored.map(({ fields }) => String(fields["token"]))
      await until(() => entries.every((token) => handled.has(token)), 5000)
      return written.map(({ token }) =>
        handled.has(token) ? Math.max(1, entries.filter((each) => each === token).length) : 0
      )
    }
  }
}

/** All of them, for one client. */
export const activities = async (run: Run, mode: Deployment["mode"]): Promise<ReadonlyArray<Caller>> => [
  pipelines(run),
  one(run, "transactions", (key, token) => Redis.transaction([increment(key, token), Redis.hlen(key)])),
  one(
    run,
    "watches",
    (key, token) => Redis.watch(key, Effect.map(Redis.hlen(key), () => [increment(key, token)] as const))
  ),
  one(run, "reserved connections", (key, token) => Redis.withConnection(increment(key, token))),
  one(run, "scripts", (key, token) => twice(key, token)),
  splits(run),
  locks(run),
  queues(run),
  await subscriptions(run, mode),
  consumers(run)
]
