import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisError, RedisJson, RedisTimeSeries } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import * as Resp from "@redfx/core/RespValue"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { splits } from "../src/internal/multiKey/crossSlot.ts"
import { slotOf } from "../src/internal/topology/slot.ts"
import { keyOn, lost, makeFake, run, words } from "./fixtures/FakeCluster.ts"
import { bulk, Model } from "./fixtures/Model.ts"

const { n1, n1too, n2, n3 } = keyOn

/** Answers by what is sent. */
const answering = (replies: Readonly<Record<string, Resp.Value>>) =>
  makeFake((_, [name = "", ...args]) => replies[[name, ...args].join(" ")] ?? replies[name] ?? null)

interface Row {
  readonly title: string
  readonly command: RedisCommand.Any
  readonly replies: Readonly<Record<string, Resp.Value>>
  readonly sent: ReadonlyArray<string>
  readonly result: unknown
}

const rows: ReadonlyArray<Row> = [
  {
    title: "CMK-01: MGET, with the values in the order of the keys",
    command: Redis.mget(n3, n1, n1too, n2, n3),
    replies: {
      "MGET foo foo": [bulk("3"), bulk("3")],
      "MGET hello": [null],
      "MGET bar": [bulk("1")],
      "MGET z": [bulk("2")]
    },
    sent: ["n3 MGET foo foo", "n1 MGET hello", "n1 MGET bar", "n2 MGET z"],
    result: ["3", undefined, "1", "2", "3"]
  },
  {
    title: "CMK-02: MSET",
    command: Redis.mset([[n1, "1"], [n2, "2"], [n1, "3"]]),
    replies: { MSET: "OK" },
    sent: ["n1 MSET hello 1 hello 3", "n2 MSET z 2"],
    result: true
  },
  {
    title: "CMK-04: DEL",
    command: Redis.del(n1, n2, n1too),
    replies: { DEL: 1 },
    sent: ["n1 DEL hello", "n2 DEL z", "n1 DEL bar"],
    result: 3
  },
  {
    title: "UNLINK",
    command: Redis.unlink(n1, n2),
    replies: { UNLINK: 1 },
    sent: ["n1 UNLINK hello", "n2 UNLINK z"],
    result: 2
  },
  {
    title: "EXISTS, a key as often as it is given",
    command: Redis.exists(n1, n2, n1),
    replies: { "EXISTS hello hello": 2, "EXISTS z": 0 },
    sent: ["n1 EXISTS hello hello", "n2 EXISTS z"],
    result: 2
  },
  {
    title: "TOUCH",
    command: Redis.touch(n1, n2),
    replies: { TOUCH: 1 },
    sent: ["n1 TOUCH hello", "n2 TOUCH z"],
    result: 2
  },
  {
    title: "MSETEX without a condition",
    command: Redis.msetex([[n1, "NX"], [n2, "2"]], { ex: 5 }),
    replies: { MSETEX: 1 },
    sent: ["n1 MSETEX 1 hello NX EX 5", "n2 MSETEX 1 z 2 EX 5"],
    result: true
  },
  {
    title: "JSON.MGET",
    command: RedisJson.jsonMget([n1, n2], "$.a"),
    replies: { "JSON.MGET hello $.a": [bulk("[1]")], "JSON.MGET z $.a": [null] },
    sent: ["n1 JSON.MGET hello $.a", "n2 JSON.MGET z $.a"],
    result: [[1], undefined]
  },
  {
    title: "JSON.MSET",
    command: RedisJson.jsonMset({ key: n1, value: 1 }, { key: n2, value: 2 }),
    replies: { "JSON.MSET": "OK" },
    sent: ["n1 JSON.MSET hello $ 1", "n2 JSON.MSET z $ 2"],
    result: true
  },
  {
    title: "TS.MADD, with what became of each sample",
    command: RedisTimeSeries.tsMadd({ key: n1, timestamp: 1, value: 2 }, { key: n2, timestamp: 3, value: 4 }),
    replies: { "TS.MADD hello 1 2": [1], "TS.MADD z 3 4": [new Resp.ErrorReply("ERR TSDB: refused")] },
    sent: ["n1 TS.MADD hello 1 2", "n2 TS.MADD z 3 4"],
    result: [
      Result.succeed(1),
      Result.fail(new RedisError.ResponseError({ code: "ERR", detail: "TSDB: refused", command: "TS.MADD" }))
    ]
  },
  {
    title: "CMK-09: SDIFF, with the union of what is elsewhere",
    command: Redis.sdiff(n1, n2, n3),
    replies: {
      "SDIFF hello": [bulk("x"), bulk("y"), bulk("z")],
      "SUNION z": [bulk("x")],
      "SUNION foo": [bulk("y"), bulk("w")]
    },
    sent: ["n1 SDIFF hello", "n2 SUNION z", "n3 SUNION foo"],
    result: new Set(["z"])
  },
  {
    title: "CMK-11: SINTER",
    command: Redis.sinter(n1, n2),
    replies: { "SINTER hello": [bulk("x"), bulk("y")], "SINTER z": [bulk("y"), bulk("z")] },
    sent: ["n1 SINTER hello", "n2 SINTER z"],
    result: new Set(["y"])
  },
  {
    title: "SINTERCARD, by the members",
    command: Redis.sintercard([n1, n2], { limit: 1 }),
    replies: { "SINTER hello": [bulk("x"), bulk("y")], "SINTER z": [bulk("x"), bulk("y")] },
    sent: ["n1 SINTER hello", "n2 SINTER z"],
    result: 1
  },
  {
    title: "SDIFFCARD, by the members",
    command: Redis.sdiffcard([n1, n2]),
    replies: { "SDIFF hello": [bulk("x"), bulk("y")], "SUNION z": [bulk("x")] },
    sent: ["n1 SDIFF hello", "n2 SUNION z"],
    result: 1
  },
  {
    title: "SUNIONCARD, by the members",
    command: Redis.sunioncard([n1, n2], { approx: true, limit: 2 }),
    replies: { "SUNION hello": [bulk("x"), bulk("y")], "SUNION z": [bulk("z")] },
    sent: ["n1 SUNION hello", "n2 SUNION z"],
    result: 2
  },
  {
    title: "CMK-13: SUNION",
    command: Redis.sunion(n1, n2),
    replies: { "SUNION hello": [bulk("x"), bulk("y")], "SUNION z": [bulk("y"), bulk("z")] },
    sent: ["n1 SUNION hello", "n2 SUNION z"],
    result: new Set(["x", "y", "z"])
  }
]

describe("Split commands", () => {
  for (const { command, replies, result, sent, title } of rows) {
    it.effect(title, () =>
      Effect.gen(function*() {
        const cluster = answering(replies)
        assert.deepStrictEqual(yield* run(cluster, command), result)
        assert.deepStrictEqual(cluster.sent, sent)
      }))

    it.effect(`CKR-03, CLR-13: ${command.spec.name} is refused unsent when nothing may be split`, () =>
      Effect.gen(function*() {
        const cluster = answering(replies)
        const error = yield* Effect.flip(run(cluster, command, "reject"))
        assert.deepStrictEqual(error, new RedisError.CrossSlotError({ command: command.spec.name }))
        assert.deepStrictEqual(cluster.sent, [])
      }))
  }

  it.effect("a part that is no integer is refused as one reply would be, and is no defect", () =>
    Effect.gen(function*() {
      const pairs = { [n1]: "1", [n2]: "2" }
      for (
        const [command, right, wrong] of [
          [Redis.exists(n1, n2), 1, [1.5, NaN, Infinity, "OK", null, [1]]],
          [Redis.del(n1, n2), 1, [1.5, NaN, Infinity, "OK", null, [1]]],
          [Redis.msetex(pairs), 1, [[1]]],
          [Redis.msetnx(pairs), 0, [1.5, NaN, Infinity, "OK", null, [1]]]
        ] as const
      ) {
        for (const reply of wrong) {
          const cluster = makeFake((address) => address === "n1" ? right : reply)
          const error = yield* Effect.flip(run<unknown>(cluster, command, "emulate"))
          assert.strictEqual(error._tag, "DecodeError")
        }
      }
    }))

  it.effect("a part that is no array, or has not an element for each key, is refused and not read as keys that are absent", () =>
    Effect.gen(function*() {
      for (const wrong of [1, "OK", null, [], [null, null]] as const) {
        const cluster = makeFake((address) => address === "n1" ? [bulk("1")] : wrong)
        const error = yield* Effect.flip(run(cluster, Redis.mget(n1, n2)))
        assert.strictEqual(error._tag, "DecodeError")
      }
      for (const wrong of [1, "OK", null] as const) {
        for (const command of [Redis.sunion([n1, n2]), Redis.sinter([n1, n2]), Redis.keys("*")]) {
          const cluster = makeFake((address) => address === "n1" ? [bulk("1")] : wrong)
          const error = yield* Effect.flip(run<unknown>(cluster, command))
          assert.strictEqual(error._tag, "DecodeError")
        }
      }
    }))

  it("all have a row here", () => {
    assert.deepStrictEqual([...splits.keys()].sort(), rows.map(({ command }) => command.spec.name).sort())
  })

  it.effect("CMK-23: keys of one slot use the command itself, whatever the policy", () =>
    Effect.gen(function*() {
      const cluster = answering({ DEL: 2 })
      for (const policy of ["split", "emulate", "reject"] as const) {
        assert.strictEqual(yield* run(cluster, Redis.del("{x}1", "{x}2"), policy), 2)
      }
      assert.deepStrictEqual(cluster.sent, Array(3).fill("n3 DEL {x}1 {x}2"))
    }))

  it.effect("CMK-01, CMK-04: no keys cost no round trip", () =>
    Effect.gen(function*() {
      const cluster = answering({})
      assert.deepStrictEqual(yield* run(cluster, Redis.mget()), [])
      assert.strictEqual(yield* run(cluster, Redis.del()), 0)
      assert.deepStrictEqual(cluster.sent, [])
    }))

  it.effect("CKR-03, CMK-22, CLR-13: what cannot be split is refused unsent", () =>
    Effect.gen(function*() {
      const cluster = answering({})
      const commands: ReadonlyArray<RedisCommand.Any> = [
        Redis.rename(n1, n2),
        Redis.msetnx({ [n1]: "1", [n2]: "2" }),
        Redis.msetex({ [n1]: "1", [n2]: "2" }, { nx: true }),
        Redis.blpop([n1, n2]),
        Redis.zunionstore(n1, [n2, n3]),
        Redis.sunionstore(n1, n2),
        Redis.bitop("and", n1, n2, n3),
        Redis.pfcount(n1, n2),
        Redis.sortStore(n1, n2),
        Redis.xread({ [n1]: "0", [n2]: "0" }),
        Redis.eval("return 1", [n1, n2])
      ]
      for (const command of commands) {
        const error = yield* Effect.flip(run(cluster, command))
        assert.strictEqual(error._tag, "CrossSlotError", command.spec.name)
      }
      assert.deepStrictEqual(cluster.sent, [])
    }))

  it.effect("ESC-05: also when sent by name, with its keys marked", () =>
    Effect.gen(function*() {
      const cluster = answering({ "mget hello": [bulk("1")], "mget z": [bulk("2")] })
      const command = Redis.send("mget", RedisArg.key(n1), RedisArg.key(n2))
      assert.deepStrictEqual(yield* run(cluster, command), ["1", "2"])
    }))

  it.effect("views are those of the command", () =>
    Effect.gen(function*() {
      const cluster = answering({ "MGET hello": [bulk("\xff")], "MGET z": [bulk("2")], EXISTS: 2n ** 60n })
      assert.deepStrictEqual(
        yield* run(cluster, Redis.asBytes(Redis.mget(n1, n2))),
        [Uint8Array.of(255), Uint8Array.of(50)]
      )
      assert.strictEqual((yield* Effect.flip(run(cluster, Redis.mget(n1, n2))))._tag, "DecodeError")
      assert.strictEqual(yield* run(cluster, Redis.asBigInt(Redis.exists(n1, n2))), 2n ** 61n)
    }))

  it.effect("sets of bytes that are no text", () =>
    Effect.gen(function*() {
      const cluster = answering({
        "SINTER hello": [bulk("\xff"), bulk("\xfe"), bulk("255")],
        "SINTER z": [bulk("\xff"), bulk("255")]
      })
      assert.deepStrictEqual(
        yield* run(cluster, Redis.asBytes(Redis.sinter(n1, n2))),
        [Uint8Array.of(255), new TextEncoder().encode("255")]
      )
    }))

  it.effect("CMK-02: a part that fails fails the whole, and the others run all the same", () =>
    Effect.gen(function*() {
      const cluster = makeFake((address) => (address === "n1" ? lost("not-sent") : "OK"))
      const error = yield* Effect.flip(run(cluster, Redis.mset({ [n1]: "1", [n2]: "2" })))
      assert.deepStrictEqual(cluster.sent, ["n1 MSET hello 1", "n2 MSET z 2"])
      assert.strictEqual(error._tag, "ConnectionError")
      // The other part was run, so this is not safe to repeat.
      assert.isFalse(RedisError.isSafeToRetry(error))
    }))

  it.effect("that nothing was sent is said when no part was", () =>
    Effect.gen(function*() {
      const cluster = makeFake(() => lost("not-sent"))
      const error = yield* Effect.flip(run(cluster, Redis.mset({ [n1]: "1", [n2]: "2" })))
      assert.isTrue(RedisError.isSafeToRetry(error))
    }))

  it.effect("a part of a command that reads is safe to repeat", () =>
    Effect.gen(function*() {
      const cluster = makeFake((address) => (address === "n1" ? lost("not-sent", true) : [null]))
      assert.isTrue(RedisError.isSafeToRetry(yield* Effect.flip(run(cluster, Redis.mget(n1, n2)))))
    }))
})

// -----------------------------------------------------------------------------
// Against one server
// -----------------------------------------------------------------------------

const key = fc.oneof(fc.constantFrom("k1", "k2", "k3", "k4", "k5", "{t}1", "{t}2", "é"), fc.string({ maxLength: 3 }))
const keys = fc.array(key, { minLength: 1, maxLength: 6 })
const value = fc.string({ maxLength: 3 })
const pairs = fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 6 })
const member = fc.constantFrom("m1", "m2", "m3", "m4")

const commands: fc.Arbitrary<RedisCommand.Any> = fc.oneof(
  fc.tuple(key, value).map(([key, value]) => Redis.set(key, value)),
  fc.tuple(key, fc.array(member, { minLength: 1 })).map(([key, members]) => Redis.sadd(key, members)),
  pairs.map((pairs) => Redis.mset(pairs)),
  keys.map((keys) => Redis.mget(keys)),
  keys.map((keys) => Redis.del(keys)),
  keys.map((keys) => Redis.unlink(keys)),
  keys.map((keys) => Redis.exists(keys)),
  keys.map((keys) => Redis.touch(keys)),
  keys.map((keys) => Redis.sdiff(keys)),
  keys.map((keys) => Redis.sinter(keys)),
  keys.map((keys) => Redis.sunion(keys)),
  fc.tuple(keys, fc.nat(3)).map(([keys, limit]) => Redis.sintercard(keys, { limit }))
)

it.effect("split commands do what one server would do", () =>
  Effect.promise(() =>
    fc.assert(
      fc.asyncProperty(fc.array(commands, { maxLength: 20 }), (commands) =>
        Effect.runPromise(Effect.gen(function*() {
          const one = new Model()
          const many = new Model()
          const cluster = makeFake((_, words) => many.run(words))
          const single = makeFake((_, words) => one.run(words))
          for (const command of commands) {
            const expected = yield* Effect.exit(alone(single, command))
            const actual = yield* Effect.exit(run(cluster, command))
            assert.deepStrictEqual(plain(actual), plain(expected), words(command).join(" "))
          }
          assert.deepStrictEqual(many.contents, one.contents)
        })))
    )
  ))

/** On one server, which has no slots. */
const alone = (single: ReturnType<typeof makeFake>, command: RedisCommand.Any) =>
  Effect.flatMap(
    single.masters,
    // In range: there are three.
    ([node]) => node!.client.execute(command)
  )

/** Sets have no order, and errors are of some key. */
const plain = (exit: Exit.Exit<unknown, RedisError.RedisError>): unknown =>
  Exit.isFailure(exit)
    ? exit.cause.reasons.map((reason) => (reason._tag === "Fail" ? reason.error._tag : reason))
    : exit.value instanceof Set
    ? [...exit.value].map(String).sort()
    : exit.value

it("keys of tests are where they are said to be", () => {
  const master = (key: string) => `n${Math.floor((slotOf(key) * 3) / 16384) + 1}`
  assert.deepStrictEqual([n1, n1too, n2, n3].map(master), ["n1", "n1", "n2", "n3"])
})
