/**
 * Callers of a client who are interrupted at each of their steps, on a real server: nothing of them is left.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import type { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { leavesNothing } from "@redfx/testing/Interrupted"
import type { Composite } from "@redfx/testing/Interrupted"
import { freshKey, until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

type Needs = RedisClient.RedisClient | RedisServer.RedisServer | Scope.Scope

const noChannel = (name: string) =>
  until(Redis.pubsubNumsub(name), (counts) => counts.every(({ subscribers }) => subscribers === 0))

/** Takes a connection that nobody has left in another state. */
const clean = Effect.gen(function*() {
  assert.include(yield* Redis.clientInfo(), { db: 0, multi: -1 })
})

const composites: Record<string, Effect.Effect<Composite, unknown, Needs>> = {
  "a transaction": Effect.sync(() => ({ run: Redis.transaction([Redis.incr(freshKey()), Redis.ping()]) })),
  "a watch": Effect.sync(() => {
    const key = freshKey()
    return { run: Redis.watch(key, Effect.as(clean, [Redis.incr(key)])) }
  }),
  "a session": Effect.sync(() => ({
    run: Redis.withConnection(Effect.gen(function*() {
      yield* clean
      yield* Redis.select(1)
      yield* Redis.send("MULTI")
    }))
  })),
  "sessions of a full pool": Effect.sync(() => {
    const session = Redis.withConnection(Effect.andThen(clean, Redis.select(1)))
    return { run: Effect.all([session, session, session], { concurrency: "unbounded" }) }
  }),
  "a blocking command": Effect.sync(() => {
    const list = freshKey("list")
    return { run: Effect.andThen(Redis.rpush(list, ["a"]), Redis.blpop(list, "1 second")), left: Redis.del(list) }
  }),
  "a subscription": Effect.map(Client.another, (other) => {
    const channel = freshKey("news")
    const publish = Effect.forever(Effect.delay(Client.on(other)(Redis.publish(channel, "x")), 1))
    return {
      run: Effect.raceFirst(Stream.runHead(Redis.subscribe(channel)), publish),
      left: noChannel(channel)
    }
  }),
  "handles of subscriptions": Effect.sync(() => {
    const [a, b] = [freshKey("a"), freshKey("b")]
    return {
      run: Effect.scoped(Effect.gen(function*() {
        const handle = yield* Redis.pubsub()
        yield* handle.subscribe(a, b)
        yield* handle.unsubscribe(a)
      })),
      left: Effect.andThen(noChannel(a), noChannel(b))
    }
  })
}

describe("A caller who is interrupted at any step", () => {
  layer(Client.live(3), { excludeTestServices: true })((it) => {
    for (const [name, composite] of Object.entries(composites)) {
      it.effect(`of ${name} leaves nothing behind`, () => Effect.scoped(leavesNothing(composite)))
    }
  })
})
