import type { RedisClient, Resp } from "@redfx/core"
import { Redis, RedisArg, RedisCommand, RedisReply } from "@redfx/core"
import type { CommandError } from "@redfx/core/RedisError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import { describe, expectTypeOf, it } from "vitest"

type Value<T> = T extends Effect.Effect<infer A, unknown, unknown> ? A : never
type Success<C> = RedisCommand.Success<C>

/** What a value that is an effect succeeds with. */
const valueOf = <A>(_effect: Effect.Effect<A, unknown, RedisClient.RedisClient>): A => undefined as A

describe("RedisCommand types", () => {
  it("ENT-17: a command is an effect of its reply", () => {
    expectTypeOf(valueOf(Redis.get("k"))).toEqualTypeOf<string | undefined>()
    expectTypeOf(valueOf(Redis.set("k", "v"))).toEqualTypeOf<boolean>()
    expectTypeOf(valueOf(Redis.incr("k"))).toEqualTypeOf<number>()
    expectTypeOf(valueOf(Redis.hgetall("k"))).toEqualTypeOf<Readonly<Record<string, string>>>()
    expectTypeOf(valueOf(Redis.send("X"))).toEqualTypeOf<RedisReply.Raw>()
    expectTypeOf<Resp.ErrorReply>().toExtend<RedisReply.Raw>()
  })

  it("a type of one argument is that of every command with such a reply", () => {
    expectTypeOf(Redis.get("k")).toExtend<RedisCommand.RedisCommand<string | undefined>>()
    expectTypeOf(Redis.xadd("k", { a: "b" })).toExtend<RedisCommand.RedisCommand<string | undefined>>()
    expectTypeOf(Redis.get("k")).not.toExtend<RedisCommand.RedisCommand<string>>()
    const run = <A>(command: RedisCommand.RedisCommand<A>): Effect.Effect<A, CommandError, RedisClient.RedisClient> =>
      command
    expectTypeOf(valueOf(run(Redis.incr("k")))).toEqualTypeOf<number>()
    // Nothing is known of its other views.
    const one: RedisCommand.RedisCommand<number> = Redis.incr("k")
    expectTypeOf(valueOf(Redis.asBigInt(one))).toEqualTypeOf<unknown>()
  })

  it("CFG-16, NCO-01: a view changes the type", () => {
    expectTypeOf(valueOf(Redis.asBytes(Redis.get("k")))).toEqualTypeOf<Uint8Array | undefined>()
    expectTypeOf(valueOf(Redis.asBytes(Redis.incr("k")))).toEqualTypeOf<number>()
    expectTypeOf(valueOf(Redis.asBytes(Redis.hgetall("k")))).toEqualTypeOf<
      ReadonlyArray<readonly [Uint8Array, Uint8Array]>
    >()
    expectTypeOf(valueOf(Redis.asBytes(Redis.smembers("k")))).toEqualTypeOf<ReadonlyArray<Uint8Array>>()
    expectTypeOf(valueOf(Redis.asBigInt(Redis.incr("k")))).toEqualTypeOf<bigint>()
    expectTypeOf(valueOf(Redis.asBigInt(Redis.get("k")))).toEqualTypeOf<string | undefined>()
    expectTypeOf<Success<ReturnType<typeof Redis.incr>>>().toEqualTypeOf<number>()
    expectTypeOf<Success<Effect.Effect<number>>>().toEqualTypeOf<never>()
    // @ts-expect-error a view is of a command
    void Redis.asBytes(Effect.succeed("a"))
  })

  it("views of views have the type of both, in either order", () => {
    const both = <A, B, I>(command: RedisCommand.RedisCommand<A, B, I>) =>
      [valueOf(Redis.asBytes(Redis.asBigInt(command))), valueOf(Redis.asBigInt(Redis.asBytes(command)))] as const
    type Both<A> = readonly [A, A]
    expectTypeOf(both(Redis.get("k"))).toEqualTypeOf<Both<Uint8Array | undefined>>()
    expectTypeOf(both(Redis.incr("k"))).toEqualTypeOf<Both<bigint>>()
    expectTypeOf(both(Redis.hgetall("k"))).toEqualTypeOf<Both<ReadonlyArray<readonly [Uint8Array, Uint8Array]>>>()
    expectTypeOf(both(Redis.commandGetkeysandflags("GET", "k"))).toExtend<
      Both<ReadonlyArray<{ readonly key: Uint8Array; readonly flags: ReadonlySet<string> }>>
    >()
    expectTypeOf(both(Redis.functionStats())[0].runningScript).toExtend<
      { readonly command: ReadonlyArray<Uint8Array>; readonly durationMs: bigint } | undefined
    >()
    expectTypeOf(valueOf(Redis.asBytes(Redis.asBytes(Redis.get("k"))))).toEqualTypeOf<Uint8Array | undefined>()
    expectTypeOf(valueOf(Redis.asBigInt(Redis.asBigInt(Redis.incr("k"))))).toEqualTypeOf<bigint>()
  })

  it("a view fits into a pipe and a map, and stays a command that can be cached", () => {
    expectTypeOf(valueOf(Redis.get("k").pipe(Redis.asBytes))).toEqualTypeOf<Uint8Array | undefined>()
    expectTypeOf(valueOf(Redis.incr("k").pipe(Redis.asBigInt, Effect.map((n) => n + 1n)))).toEqualTypeOf<bigint>()
    const views = ["a", "b"].map((key) => Redis.get(key)).map(Redis.asBytes)
    expectTypeOf(views).toEqualTypeOf<
      Array<
        ReturnType<
          typeof Redis.asBytes<string | undefined, Uint8Array | undefined, string | undefined, typeof Redis.get.spec>
        >
      >
    >()
    expectTypeOf(valueOf(Redis.pipeline(views))).toEqualTypeOf<ReadonlyArray<Uint8Array | undefined>>()
    void Redis.cached(Redis.asBytes(Redis.get("k")), { ttl: "1 minute" })
    // @ts-expect-error a view of a command that cannot be cached
    void Redis.cached(Redis.asBigInt(Redis.incr("k")), { ttl: "1 minute" })
  })

  it("the parameters of commands can be named", () => {
    const wrap = (...keys: Parameters<typeof Redis.del>) => Redis.del(...keys)
    expectTypeOf(wrap).parameters.toEqualTypeOf<Array<RedisArg.Key> | [ReadonlyArray<RedisArg.Key>]>()
    void wrap("a", "b")
    void wrap(["a", "b"] as const)
    expectTypeOf<Parameters<typeof Redis.get>>().toEqualTypeOf<[key: RedisArg.Key]>()
    expectTypeOf<Parameters<typeof Redis.sadd>>().toEqualTypeOf<
      [key: RedisArg.Key, ReadonlyArray<RedisArg.Value>] | [key: RedisArg.Key, ...members: Array<RedisArg.Value>]
    >()
    expectTypeOf<Parameters<typeof Redis.configSet>>().toEqualTypeOf<Redis.ConfigEntries>()
    expectTypeOf<["k", "f", "v"]>().toExtend<Parameters<typeof Redis.hset>>()
    expectTypeOf<Parameters<typeof Redis.send>>().toEqualTypeOf<[name: string, ...args: Array<RedisArg.Arg>]>()
    // No command is without parameters that can be named.
    type Unnamed = {
      [K in keyof typeof Redis]: (typeof Redis)[K] extends (...parameters: never) => unknown
        ? [Parameters<(typeof Redis)[K]>] extends [never] ? K : never
        : never
    }[keyof typeof Redis]
    expectTypeOf<Unnamed>().toEqualTypeOf<never>()
  })

  it("a definition lists what it sends, and an array of a caller's is no list", () => {
    RedisCommand.define("X", (words: ReadonlyArray<string>) => [...words], RedisReply.ok)
    RedisCommand.define("X", (words: ReadonlyArray<string>) => [new RedisArg.List(words)], RedisReply.ok)
    // @ts-expect-error an array as one argument
    RedisCommand.define("X", (words: ReadonlyArray<string>) => [words], RedisReply.ok)
    // @ts-expect-error an array as one argument
    void Redis.send("X", ["a"])
  })

  it("ERR-09: what cannot be sent does not compile", () => {
    // @ts-expect-error a boolean
    void Redis.send("X", true)
    // @ts-expect-error null
    void Redis.send("X", null)
    // @ts-expect-error undefined
    void Redis.send("X", undefined)
    // @ts-expect-error an object
    void Redis.send("X", { a: 1 })
    // @ts-expect-error a key is no number
    void Redis.get(1)
    // @ts-expect-error several values
    void Redis.set("k", ["v"])
    // @ts-expect-error no value
    void Redis.set("k")
  })

  it("a definition keeps the names and types of its parameters", () => {
    const exists = RedisCommand.define(
      "BF.EXISTS",
      (key: RedisArg.Key, item: RedisArg.Value) => [RedisArg.key(key), item],
      RedisReply.boolean,
      "readonly"
    )
    expectTypeOf(exists).parameters.toEqualTypeOf<[key: RedisArg.Key, item: RedisArg.Value]>()
    expectTypeOf(valueOf(exists("k", 1))).toEqualTypeOf<boolean>()
    // @ts-expect-error no such trait
    RedisCommand.define("X", () => [], RedisReply.ok, "fast")
    // @ts-expect-error a definition lists what can be sent
    RedisCommand.define("X", () => [true], RedisReply.ok)
  })

  it("via runs a command on another client, and needs that one", () => {
    class Other extends Context.Service<Other, RedisClient.RedisClient["Service"]>()("Other") {}
    const effect = Redis.via(Other)(Redis.get("k"))
    expectTypeOf(effect).toEqualTypeOf<Effect.Effect<string | undefined, CommandError, Other>>()
    expectTypeOf(Redis.via(Redis.get("k"), Other)).toEqualTypeOf(effect)
    expectTypeOf(Redis.get("k").pipe(Redis.via(Other))).toEqualTypeOf(effect)
  })

  it("withConnection keeps the types of what runs inside", () => {
    const effect = Redis.withConnection(Redis.get("k"))
    expectTypeOf<Value<typeof effect>>().toEqualTypeOf<string | undefined>()
  })
})

describe("RedisPipeline types", () => {
  it("PIP-01: a tuple of commands gives a tuple, a record a record, an array an array", () => {
    const tuple = Redis.pipeline([Redis.incr("n"), Redis.get("k"), Redis.asBytes(Redis.get("k"))])
    expectTypeOf<Value<typeof tuple>>().toEqualTypeOf<
      readonly [number, string | undefined, Uint8Array | undefined]
    >()
    const record = Redis.pipeline({ n: Redis.incr("n"), done: Redis.set("k", "v") })
    expectTypeOf<Value<typeof record>>().toEqualTypeOf<{ readonly n: number; readonly done: boolean }>()
    const array = Redis.pipeline(["a", "b"].map((key) => Redis.get(key)))
    expectTypeOf<Value<typeof array>>().toEqualTypeOf<ReadonlyArray<string | undefined>>()
    const empty = Redis.pipeline([])
    expectTypeOf<Value<typeof empty>>().toEqualTypeOf<readonly []>()
  })

  it("PIP-06: settled gives a result a command, and does not fail", () => {
    const settled = Redis.pipelineSettled([Redis.incr("n"), Redis.get("k")])
    expectTypeOf<Value<typeof settled>>().toEqualTypeOf<
      readonly [Result.Result<number, CommandError>, Result.Result<string | undefined, CommandError>]
    >()
    expectTypeOf(settled).toExtend<Effect.Effect<unknown, never, RedisClient.RedisClient>>()
  })

  it("PIP-13: only commands are allowed in a pipeline", () => {
    // @ts-expect-error an effect that is no command
    void Redis.pipeline([Effect.succeed(1)])
    // @ts-expect-error a command that was mapped is an effect like others
    void Redis.pipeline([Effect.map(Redis.get("k"), String)])
    // @ts-expect-error a pipeline in a pipeline
    void Redis.pipeline([Redis.pipeline([Redis.get("k")])])
    // @ts-expect-error something that needs a connection of its own
    void Redis.pipeline({ a: Redis.withConnection(Redis.get("k")) })
    // @ts-expect-error an effect that is no command
    void Redis.pipelineSettled([Effect.void])
  })
})
