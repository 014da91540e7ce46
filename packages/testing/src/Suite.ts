/**
 * Helpers that tests on real servers share: unique keys, waiting for what comes about by itself, and skipping tests for
 * features that a server does not have.
 */
import { assert } from "@effect/vitest"
import { Redis, RedisArg, RedisLock } from "@redfx/core"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import process from "node:process"

let count = 0
let group = 0

/**
 * A key that no other test uses. On a cluster, all keys of a test are in one slot if the suite calls {@link beginTest}.
 */
export const freshKey = (name = "key"): string => `${name}:{${process.pid}.${group}}:${++count}`

/** A prefix for keys that no other test uses. On a cluster these keys can be in any slot. */
export const freshPrefix = (): string => `prefix.${process.pid}.${++count}:`

/** Asks again and again until the answer is what is wanted, and returns that answer. */
export const until = <A, E, R>(ask: Effect.Effect<A, E, R>, wanted: (answer: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.flatMap(
    ask,
    (answer) => wanted(answer) ? Effect.succeed(answer) : Effect.andThen(Effect.sleep(5), until(ask, wanted))
  )

/** Has ten fibers enter a room under one lock at the same time, and checks that each is alone there. */
export const enterAlone = (name: string) =>
  Effect.gen(function*() {
    const lock = RedisLock.make(name, { ttl: "10 seconds", retryInterval: "5 millis" })
    const room = freshKey("room")
    const visit = lock.withLock(Effect.gen(function*() {
      assert.strictEqual(yield* Redis.incr(room), 1)
      yield* Effect.yieldNow
      yield* Redis.decr(room)
    }))
    yield* Effect.all(Array.from({ length: 10 }, () => visit), { concurrency: "unbounded" })
    assert.isUndefined(yield* Redis.get(name))
  })

/** Gives later keys another slot than the earlier ones. */
export const beginTest = (): void => {
  group++
}

/**
 * Skips the test when scripts have no cjson, as on servers that were built without it. The scripts of Effect's queue
 * need cjson.
 */
export const requireCjson = (context: Skippable) =>
  Effect.matchEffect(Redis.send("EVAL", "return cjson.encode({})", 1, RedisArg.key(freshKey())), {
    onFailure: (error) =>
      // Any other error must not pass for a missing cjson.
      error._tag === "ResponseError" && error.message.includes("script")
        ? Effect.sync(() => context.skip("the server's scripts have no cjson"))
        : Effect.fail(error),
    onSuccess: () => Effect.void
  })

interface Skippable {
  readonly skip: (reason?: string) => void
}

/** Whether the servers of this run are older than a version of Redis: for what they would not start with. */
export const serversAreBefore = (major: number, minor: number): boolean => {
  const told = execFileSync(process.env["REDIS_SERVER"] ?? "redis-server", ["--version"], { encoding: "utf8" })
  const [, ...version] = /v=(\d+)\.(\d+)/.exec(told) ?? []
  const [ownMajor = 0, ownMinor = 0] = version.map(Number)
  return ownMajor < major || ownMajor === major && ownMinor < minor
}

/** Skips the rest of the test when the server does not know the command. */
export const requireCommand = (context: Skippable, name: string) =>
  Effect.map(Redis.send("COMMAND", "INFO", name), (reply) => {
    if (!Array.isArray(reply) || reply[0] === undefined) context.skip(`the server has no ${name}`)
  })
