import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { RespDecoder } from "../../src/RespDecoder.ts"
import { LEND_FROM, LEND_SHORT_FROM, RespEncoder } from "../../src/RespEncoder.ts"
import type { Argument } from "../../src/RespEncoder.ts"
import { Attributed, Bulk, ErrorReply, MapReply, Push, SetReply, Verbatim } from "../../src/RespValue.ts"
import type { Value } from "../../src/RespValue.ts"
import { decode, encode2, encode3, latin1, plain, toLatin1, utf8 } from "../fixtures/reference.ts"

const encodeAll = (...commands: ReadonlyArray<ReadonlyArray<Argument>>): string => {
  const encoder = new RespEncoder()
  for (const command of commands) {
    encoder.array(command.length)
    for (const argument of command) encoder.argument(argument)
  }
  return encoder.takeBytes().map(toLatin1).join("")
}

/** What the server has to receive for an argument, one character per byte. */
const received = (argument: Argument): string =>
  typeof argument === "string"
    ? utf8(argument)
    : argument instanceof Uint8Array
    ? toLatin1(argument)
    : argument === Infinity
    ? "inf"
    : argument === -Infinity
    ? "-inf"
    : String(argument)

const framed = (command: ReadonlyArray<Argument>): string =>
  `*${command.length}\r\n${command.map(received).map((text) => `$${text.length}\r\n${text}\r\n`).join("")}`

describe("RespEncoder", () => {
  it("writes every kind of argument", () => {
    const big = 2n ** 70n
    const command: ReadonlyArray<Argument> = [
      "",
      "GET",
      "é",
      "€".repeat(40),
      "😀",
      "x".repeat(99) + "é",
      "\ud800",
      "\0\r\n",
      0,
      -0,
      7,
      10,
      99,
      100,
      9999,
      1e4,
      -1,
      1.5,
      1e21,
      .1,
      2 ** 53,
      Infinity,
      -Infinity,
      0n,
      -5n,
      big,
      new Uint8Array(0),
      latin1("\r\nÿ")
    ]
    assert.strictEqual(encodeAll(command), framed(command))
    assert.strictEqual(encodeAll(["SET", "k", 1]), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n")
    assert.strictEqual(encodeAll([-0]), "*1\r\n$1\r\n0\r\n")
  })

  it("writes text of every length around its limits, ASCII and not", () => {
    for (const length of [1, 9, 10, 19, 20, 21, 33, 34, 98, 99, 100, 333, 334, 999, 1000, 3334, 8191, 8192, 30_000]) {
      for (const unit of ["x", "é", "€", "😀"]) {
        const ends = [unit.repeat(length), "x".repeat(length) + unit, unit + "x".repeat(length)]
        for (const text of ends) assert.strictEqual(encodeAll([text]), framed([text]))
      }
    }
  })

  it("writes bytes of every length around its limits", () => {
    for (const length of [0, 1, 11, 12, 13, 63, 64, 8191, 8192, 8193, 65_535, 65_536, 200_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i)
      assert.strictEqual(encodeAll([bytes], ["a"]), framed([bytes]) + framed(["a"]))
    }
  })

  it("writes the number of arguments and bytes given as they are", () => {
    const encoder = new RespEncoder()
    for (const count of [0, 9, 10, 12_345, 1_000_000]) encoder.array(count)
    encoder.raw(latin1("*2\r\n$3\r\nGET\r\n"))
    encoder.argument("k")
    const expected = "*0\r\n*9\r\n*10\r\n*12345\r\n*1000000\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
    assert.strictEqual(encoder.size, expected.length)
    assert.strictEqual(encoder.takeBytes().map(toLatin1).join(""), expected)
  })

  it("hands over what was written since the last time, and counts it", () => {
    const encoder = new RespEncoder()
    assert.deepStrictEqual(encoder.takeBytes(), [])
    encoder.argument("a")
    assert.strictEqual(encoder.size, 7)
    assert.deepStrictEqual(encoder.takeBytes().map(toLatin1), ["$1\r\na\r\n"])
    assert.strictEqual(encoder.size, 0)
    assert.deepStrictEqual(encoder.takeBytes(), [])
    encoder.argument(new Uint8Array(50_000))
    assert.strictEqual(encoder.size, 50_010)
  })

  it("never writes again to what it handed over", () => {
    const encoder = new RespEncoder()
    const taken: Array<Uint8Array> = []
    let expected = ""
    for (let i = 0; i < 3000; i++) {
      const command = ["SET", `key:${i}`, "é".repeat(i % 300), i]
      encoder.array(command.length)
      for (const argument of command) encoder.argument(argument)
      expected += framed(command)
      if (i % 7 === 0) taken.push(...encoder.takeBytes())
    }
    taken.push(...encoder.takeBytes())
    assert.isTrue(taken.map(toLatin1).join("") === expected)
  })

  it("writes again to what was taken back, and to nothing else", () => {
    const size = fc.constantFrom(0, 12, 300, 5000, 8190, 20_000, 60_000, 65_536, 65_537)
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom("text", "bytes", "bytes", "refused"), size }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("take", "recycle"), size: fc.constant(0) }) }
    )
    let reused = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
        const encoder = new RespEncoder()
        const memory = new Set<ArrayBufferLike>()
        // What the socket has and is not done with, and what it must send of that.
        let held: Array<readonly [Uint8Array, string]> = []
        const take = () => {
          for (const chunk of encoder.takeBytes()) {
            if (memory.has(chunk.buffer)) reused++
            held.push([chunk, toLatin1(chunk)])
          }
        }
        let sent = ""
        const finish = () => {
          for (const [chunk, text] of held) {
            assert.isTrue(toLatin1(chunk) === text)
            memory.add(chunk.buffer)
            sent += text
          }
          held = []
        }
        let expected = ""
        for (const [i, { kind, size }] of steps.entries()) {
          const argument = kind === "text"
            ? String.fromCharCode(97 + i % 26).repeat(size)
            : new Uint8Array(size).fill(i)
          encoder.mark()
          if (kind === "take") take()
          else if (kind === "recycle") {
            take()
            finish()
            encoder.recycle()
          } else if (kind === "refused") {
            for (let j = 0; j < 3; j++) encoder.argument(argument)
            encoder.rollback()
          } else {
            encoder.argument(argument)
            const text = received(argument)
            expected += `$${text.length}\r\n${text}\r\n`
          }
        }
        take()
        finish()
        assert.isTrue(sent === expected)
      }),
      { numRuns: 200 }
    )
    assert.isAbove(reused, 0)
  })

  it("copies bytes unless it may lend them, and writes short commands in one chunk", () => {
    const encoder = new RespEncoder()
    for (
      const [size, from, lend, lent] of [
        [100_000, LEND_FROM, false, false],
        [64 * 1024, LEND_FROM, true, false],
        [100_000, LEND_FROM, true, true],
        [LEND_SHORT_FROM, LEND_SHORT_FROM, true, true]
      ] as const
    ) {
      const large = new Uint8Array(size).fill(65)
      encoder.lendFrom = from
      encoder.lend = lend
      encoder.lent = false
      encoder.argument("before")
      encoder.argument(large)
      encoder.argument("after")
      assert.strictEqual(encoder.lent, lent)
      const chunks = encoder.takeBytes()
      assert.strictEqual(chunks.length, 3)
      assert.deepStrictEqual(chunks[1], large)
      assert.strictEqual(chunks[1] === large, lent)
    }
    for (let i = 0; i < 100; i++) encoder.argument("short")
    assert.strictEqual(encoder.takeBytes().length, 1)
  })
})

const text = fc.string({ unit: "binary", maxLength: 40 })
/** A simple string and an error line have no line ends in them. */
const line = text.map((text) => text.replace(/[\r\n]/g, " ").toWellFormed())
const bytes = fc.uint8Array({ maxLength: 60 })
const toBulk = (bytes: Uint8Array): Bulk => new Bulk(bytes, 0, bytes.length)

const anyValue = fc.letrec<{ value: Value; items: Array<Value>; pairs: Array<Value> }>((tie) => ({
  items: fc.array(tie("value"), { maxLength: 5 }),
  pairs: fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((pairs) => pairs.flat()),
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      line,
      fc.maxSafeInteger(),
      fc.double(),
      fc.bigInt(),
      fc.boolean(),
      fc.constant(null),
      bytes.map(toBulk),
      line.map((line) => new ErrorReply(line)),
      bytes.map((bytes) => new Verbatim("txt", toBulk(bytes)))
    ),
    tie("items"),
    tie("pairs").map((pairs) => new MapReply(pairs)),
    tie("items").map((items) => new SetReply(items)),
    tie("items").map((items) => new Push(items)),
    fc.tuple(tie("pairs"), tie("value")).map(([pairs, value]) => new Attributed(new MapReply(pairs), value))
  )
}))

const decodeCut = (input: string, length: number): ReadonlyArray<unknown> => {
  const decoder = new RespDecoder()
  const values: Array<Value> = []
  const whole = latin1(input)
  for (let at = 0; at < whole.length; at += length) values.push(...decoder.push(whole.subarray(at, at + length)))
  decoder.end()
  assert.isUndefined(decoder.failure)
  return values.map(plain)
}

describe("any value", () => {
  it("comes back from what a server sends for it over RESP3, however it is cut", () => {
    fc.assert(
      fc.property(anyValue.value, anyValue.value, fc.integer({ min: 1, max: 100 }), (first, second, length) => {
        const input = encode3(first) + encode3(second)
        const expected = [plain(first), plain(second)]
        assert.deepStrictEqual(decodeCut(input, length), expected)
        assert.deepStrictEqual(decodeCut(input, input.length), expected)
      }),
      { numRuns: 300 }
    )
  })

  it("comes back over RESP2 as the reference decoder reads it, however it is cut", () => {
    fc.assert(
      fc.property(anyValue.value, fc.integer({ min: 1, max: 100 }), (value, length) => {
        const input = encode2(value)
        assert.deepStrictEqual(decodeCut(input, length), decode(input).map(plain))
      }),
      { numRuns: 300 }
    )
  })
})

describe("any command", () => {
  it("is an array of bulk strings with the bytes of its arguments", () => {
    const argument = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.string({ maxLength: 40 }),
      bytes,
      fc.double({ noNaN: true }),
      fc.integer(),
      fc.bigInt(),
      fc.integer({ min: 0, max: 20_000 }).map((length) => "xé".repeat(length)),
      fc.integer({ min: 0, max: 20_000 }).map((length) => new Uint8Array(length).fill(7))
    )
    fc.assert(
      fc.property(fc.array(fc.array(argument, { maxLength: 6 }), { minLength: 1, maxLength: 6 }), (commands) => {
        assert.deepStrictEqual(
          decodeCut(encodeAll(...commands), 5000),
          commands.map((command) => command.map((argument) => ({ bulk: received(argument) })))
        )
      }),
      { numRuns: 100 }
    )
  })
})
