import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as Resp from "../../src/Resp.ts"
import { bulk, latin1, plain, toLatin1 } from "../fixtures/reference.ts"

const chunks = (...texts: ReadonlyArray<string>): Stream.Stream<Uint8Array> => Stream.fromIterable(texts.map(latin1))

/** The values that came, then how it ended. */
const observe = <E>(stream: Stream.Stream<Resp.Value, E>) =>
  Effect.gen(function*() {
    const values: Array<unknown> = []
    const error = yield* stream.pipe(
      Stream.runForEach((value) => Effect.sync(() => values.push(plain(value)))),
      Effect.flip,
      Effect.orElseSucceed(() => undefined)
    )
    return { values, error }
  })

describe("Resp.decode", () => {
  it.effect("turns bytes into values, however they are cut", () =>
    Effect.gen(function*() {
      const text = "+OK\r\n*2\r\n:1\r\n$3\r\nabc\r\n%1\r\n+a\r\n_\r\n"
      const expected = ["OK", [1, { bulk: "abc" }], { map: ["a", null] }]
      for (const size of [1, 2, 3, 5, 100]) {
        const parts = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []
        const one = yield* observe(chunks(...parts).pipe(Stream.rechunk(1), Resp.decode()))
        assert.deepStrictEqual(one, { values: expected, error: undefined })
        const many = yield* observe(chunks(...parts).pipe(Stream.rechunk(4), Resp.decode()))
        assert.deepStrictEqual(many, { values: expected, error: undefined })
      }
    }))

  it.effect("emits the values before malformed bytes, then fails", () =>
    Effect.gen(function*() {
      for (const rechunk of [1, 10]) {
        const { error, values } = yield* observe(
          chunks("+OK\r\n:1", "\r\n:2\r\nx", "+OK\r\n").pipe(Stream.rechunk(rechunk), Resp.decode())
        )
        assert.deepStrictEqual(values, ["OK", 1, 2])
        assert.strictEqual(error?._tag, "ProtocolError")
        assert.strictEqual(error?.detail, `no type of a value begins with "x"`)
      }
    }))

  it.effect("fails when the input ends in the middle of a value", () =>
    Effect.gen(function*() {
      const { error, values } = yield* observe(chunks("+OK\r\n*2\r\n:1\r\n").pipe(Resp.decode()))
      assert.deepStrictEqual(values, ["OK"])
      assert.strictEqual(error?.detail, "the input ended in the middle of a reply")
      assert.deepStrictEqual(yield* observe(chunks().pipe(Resp.decode())), { values: [], error: undefined })
    }))

  it.effect("keeps to its limits", () =>
    Effect.gen(function*() {
      const { error } = yield* observe(chunks("$10\r\n").pipe(Resp.decode({ maxBulkLength: 9 })))
      assert.strictEqual(error?.detail, "a string of 10 bytes; the limit is 9")
    }))

  it.effect("passes a failure of the input on, after the values before it", () =>
    Effect.gen(function*() {
      const input = Stream.concat(chunks("+OK\r\n:1"), Stream.fail("gone"))
      assert.deepStrictEqual(yield* observe(input.pipe(Resp.decode())), { values: ["OK"], error: "gone" })
    }))

  it.effect("starts afresh for each run of one stream", () =>
    Effect.gen(function*() {
      const stream = chunks("+OK\r\n:1").pipe(Stream.rechunk(1), Resp.decode(), Stream.take(1))
      assert.deepStrictEqual(yield* Stream.runCollect(stream), ["OK"])
      assert.deepStrictEqual(yield* Stream.runCollect(stream), ["OK"])
    }))
})

describe("Resp.encode", () => {
  it.effect("turns commands into bytes, those of one chunk together", () =>
    Effect.gen(function*() {
      const commands = Stream.make(["GET", "k"], ["SET", latin1("\xff"), 1.5], ["INCRBY", "n", 2n])
      const bytes = yield* Stream.runCollect(Resp.encode(commands))
      assert.deepStrictEqual(bytes.map(toLatin1), [
        "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*3\r\n$3\r\nSET\r\n$1\r\n\xff\r\n$3\r\n1.5\r\n*3\r\n$6\r\nINCRBY\r\n$1\r\nn\r\n$1\r\n2\r\n"
      ])
    }))

  it.effect("is undone by Resp.decode", () =>
    Effect.gen(function*() {
      const commands = Array.from({ length: 500 }, (_, i) => ["SET", `key:${i}`, "é".repeat(i)])
      const values = yield* Stream.fromIterable(commands).pipe(
        Stream.rechunk(7),
        Resp.encode,
        Resp.decode(),
        Stream.runCollect
      )
      assert.deepStrictEqual(values.map((value) => Array.isArray(value) ? value.map(String) : value), commands)
    }))

  it.effect("passes a failure of the input on", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Stream.runDrain(Resp.encode(Stream.fail("gone"))))
      assert.deepStrictEqual(exit, Exit.fail("gone"))
    }))
})

describe("Resp.format", () => {
  const values: ReadonlyArray<readonly [value: Resp.Value, text: string]> = [
    ["OK", `"OK"`],
    [12, "12"],
    [5n, "5n"],
    [true, "true"],
    [null, "null"],
    [bulk("a\nb"), `"a\\nb"`],
    [new Resp.Verbatim("txt", bulk("hi")), `txt:"hi"`],
    [new Resp.ErrorReply("ERR no"), `error "ERR no"`],
    [[1, [bulk("x")], []], `[1, ["x"], []]`],
    [new Resp.MapReply([bulk("a"), 1, "b", null]), `{"a": 1, "b": null}`],
    [new Resp.SetReply([1, 2]), "set[1, 2]"],
    [new Resp.Push(["message", 1]), `push["message", 1]`],
    [new Resp.Attributed(new Resp.MapReply(["ttl", 1]), "OK"), `"OK" with {"ttl": 1}`],
    [Array.from({ length: 1000 }, (_, i) => i), "[0, 1, 2, 3, 4, 5, 6, 7, … 992 more]"],
    [[[[[[[1]]]]]], "[[[[[…]]]]]"]
  ]

  it("prints every type", () => {
    for (const [value, text] of values) assert.strictEqual(Resp.format(value), text)
  })

  it("stays short", () => {
    let deep: Resp.Value = bulk("x".repeat(10_000))
    assert.strictEqual(Resp.format(deep), `"${"x".repeat(64)}"…`)
    for (let i = 0; i < 50; i++) deep = [deep]
    assert.strictEqual(Resp.format(deep), "[[[[[…]]]]]")
    assert.isBelow(Resp.format(2n ** 5000n).length, 80)
    assert.isBelow(
      Resp.format(new Resp.MapReply(Array.from({ length: 1000 }, () => bulk("y".repeat(100))))).length,
      1500
    )
  })
})
