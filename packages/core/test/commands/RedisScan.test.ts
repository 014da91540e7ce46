import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient, RedisCommand } from "@redfx/core"
import { bulk } from "@redfx/testing/FakeClient"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** Pages by cursor; remembers what was asked for. */
const client = (
  pages: Readonly<Record<string, readonly [next: string, ...elements: ReadonlyArray<string>]>>,
  servers?: () => number
) => {
  const asked: Array<string> = []
  const service: Pick<RedisClient.RedisClient["Service"], "execute" | "servers"> = {
    servers,
    execute: (command) => {
      const cursor = String(command.parts[command.spec.name === "SCAN" ? 0 : 1])
      asked.push(cursor)
      const [next, ...elements] = pages[cursor] ?? ["0"]
      return Effect.suspend(() => RedisCommand.decode(command, [bulk(next), elements.map(bulk)]))
    }
  }
  // Scans execute commands, and do nothing else.
  return {
    asked,
    provide: Effect.provideService(RedisClient.RedisClient, service as RedisClient.RedisClient["Service"])
  }
}

describe("Scan streams", () => {
  it.effect("KEY-20: asks for the next page when it is wanted", () =>
    Effect.gen(function*() {
      const { asked, provide } = client({ 0: ["7", "a", "b"], 7: ["9", "c"], 9: ["0", "d"] })
      const keys = Redis.scanStream()
      assert.deepStrictEqual(asked, [])
      assert.deepStrictEqual(yield* provide(Stream.runHead(keys)), Option.some("a"))
      assert.deepStrictEqual(asked, ["0"])
      assert.deepStrictEqual(yield* provide(Stream.runCollect(Stream.take(keys, 3))), ["a", "b", "c"])
      assert.deepStrictEqual(asked, ["0", "0", "7"])
    }))

  it.effect("KEY-20: goes on after empty pages, to the end", () =>
    Effect.gen(function*() {
      const { asked, provide } = client({ 0: ["7"], 7: ["8"], 8: ["9", "a"], 9: ["0"] })
      assert.deepStrictEqual(yield* provide(Stream.runCollect(Redis.scanStream())), ["a"])
      assert.deepStrictEqual(asked, ["0", "7", "8", "9"])
    }))

  it.effect("KEY-20: keeps cursors of 64 bits exactly", () =>
    Effect.gen(function*() {
      const cursor = "18446744073709551615"
      const { asked, provide } = client({ 0: [cursor, "a"], [cursor]: ["0", "b"] })
      assert.deepStrictEqual(yield* provide(Stream.runCollect(Redis.scanStream())), ["a", "b"])
      assert.deepStrictEqual(asked, ["0", cursor])
    }))

  it.effect("begin again where another server has taken over between two pages, or during one", () =>
    Effect.gen(function*() {
      const pages = { 0: ["7", "a", "b"], 7: ["9", "c"], 9: ["0", "d"] } as const
      // Looked at before and after each page. The first look is before there is a connection.
      const counts = (...seen: ReadonlyArray<number>) => {
        let index = 0
        return () => seen[Math.min(index++, seen.length - 1)] ?? 0
      }
      for (
        const [seen, expected] of [
          [[0, 1], "0 7 9"],
          [[0, 1, 1, 1, 2], "0 7 0 7 9"],
          [[0, 1, 1, 2], "0 7 0 7 9"],
          [[0, 1, 1, 1, 1, 2], "0 7 9 0 7 9"],
          [[0, 2], "0 0 7 9"]
        ] as const
      ) {
        const { asked, provide } = client(pages, counts(...seen))
        const found = yield* provide(Stream.runCollect(Redis.scanStream()))
        assert.strictEqual(asked.join(" "), expected)
        assert.deepStrictEqual(new Set(found), new Set("abcd"))
      }
    }))

  it.effect("HSH-16, SET-16, ZST-26: yields fields with values, members, members with scores", () =>
    Effect.gen(function*() {
      const { asked, provide } = client({ 0: ["1", "a", "1"], 1: ["0", "b", "2"] })
      assert.deepStrictEqual(yield* provide(Stream.runCollect(Redis.hscanStream("k"))), [["a", "1"], ["b", "2"]])
      assert.deepStrictEqual(yield* provide(Stream.runCollect(Redis.sscanStream("k"))), ["a", "1", "b", "2"])
      assert.deepStrictEqual(yield* provide(Stream.runCollect(Redis.zscanStream("k"))), [
        { member: "a", score: 1 },
        { member: "b", score: 2 }
      ])
      const encoder = new TextEncoder()
      const [a, b, one] = [encoder.encode("a"), encoder.encode("b"), encoder.encode("1")]
      assert.deepStrictEqual(yield* provide(Stream.runCollect(Redis.hscanStreamBytes("k").pipe(Stream.take(1)))), [[
        a,
        one
      ]])
      assert.deepStrictEqual(yield* provide(Stream.runCollect(Redis.zscanStreamBytes("k"))), [
        { member: a, score: 1 },
        { member: b, score: 2 }
      ])
      assert.deepStrictEqual(yield* provide(Stream.runCollect(Redis.sscanStreamBytes("k").pipe(Stream.take(1)))), [a])
      assert.deepStrictEqual(yield* provide(Stream.runCollect(Redis.scanStreamBytes().pipe(Stream.take(1)))), [a])
      assert.strictEqual(asked.length, 11)
    }))

  it.effect("KEY-20: does not ask again after an interruption", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const asked = yield* Deferred.make<void>()
      let pages = 0
      const service = {
        execute: () =>
          Effect.suspend(() => {
            pages++
            return Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(gate))
          })
      }
      const fiber = yield* Stream.runDrain(Redis.scanStream()).pipe(
        // Only `execute` is called.
        Effect.provideService(RedisClient.RedisClient, service as never),
        Effect.forkChild
      )
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(pages, 1)
    }))
})
