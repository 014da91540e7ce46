/**
 * Feature flags: every process has a copy in its memory, which costs nothing to read, and hears of each change. Where it may have
 * missed one, it reads all of them again.
 */
import { Redis } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { run } from "../support/server.ts"

const key = "flags"
const channel = "flags:changed"

class Flags extends Context.Service<Flags, {
  readonly isOn: (flag: string) => Effect.Effect<boolean>
}>()("app/Flags") {
  /** Has all flags when it is built, and follows their changes until its scope is closed. */
  static readonly layer: Layer.Layer<Flags, RedisError.RedisError, RedisClient.RedisClient> = Layer.effect(Flags)(
    Effect.gen(function*() {
      const flags = yield* Ref.make<Readonly<Record<string, string>>>(yield* Redis.hgetall(key))
      const reload = Effect.flatMap(Redis.hgetall(key), (all) => Ref.set(flags, all)).pipe(
        Effect.retry({ schedule: Schedule.exponential("50 millis"), times: 8 })
      )
      yield* Redis.subscribe(channel, { events: true }).pipe(
        Stream.filter(({ _tag }) => _tag !== "Lost"),
        // After `Subscribed` and `Restored` too: what came before them was not heard.
        Stream.runForEach(() => reload),
        Effect.tapError((error) => Effect.logError("flags are no longer followed", error.message)),
        Effect.retry(Schedule.spaced("1 second")),
        Effect.forkScoped
      )
      return { isOn: (flag) => Effect.map(Ref.get(flags), (all) => all[flag] === "on") }
    })
  )
}

const set = (flag: string, on: boolean) =>
  Redis.transaction([Redis.hset(key, { [flag]: on ? "on" : "off" }), Redis.publish(channel, flag)])

await run(
  Effect.gen(function*() {
    const flags = yield* Flags
    const until = (flag: string, on: boolean) =>
      Effect.repeat(flags.isOn(flag), { until: (is) => is === on, schedule: Schedule.spaced("5 millis") })

    yield* Console.log("new-checkout is", (yield* flags.isOn("new-checkout")) ? "on" : "off")
    yield* set("new-checkout", true)
    yield* until("new-checkout", true)
    yield* Console.log("it was turned on, and this process knows")

    // The server dies and comes back without the flags; nobody publishes that.
    const server = yield* RedisServer.RedisServer
    yield* server.restart
    yield* until("new-checkout", false)
    yield* Console.log("the server came back empty: the gap was noticed, and the copy was read again")
  }).pipe(Effect.provide(Flags.layer), Effect.scoped)
)
