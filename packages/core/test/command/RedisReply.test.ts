import { assert, describe, it } from "@effect/vitest"
import { RedisReply, Resp } from "@redfx/core"
import { RespDecoder } from "@redfx/core/RespDecoder"
import { bulk } from "@redfx/testing/ReplyText"
import * as fc from "fast-check"

const text = RedisReply.textView
const bytesView: RedisReply.View = { blob: "bytes", integer: "number" }
const bigintView: RedisReply.View = { blob: "text", integer: "bigint" }

/** The value that bytes of a server stand for. */
const parse = (reply: string): Resp.Value => {
  const [value] = new RespDecoder().push(new TextEncoder().encode(reply))
  assert.isDefined(value)
  return value
}

const read = <A>(reply: RedisReply.Reply<A, unknown, unknown>, bytes: string, view = text): unknown =>
  reply.decode(parse(bytes), view)

/** Why a value is refused. */
const refusal = (reply: RedisReply.Reply<unknown, unknown, unknown>, bytes: string, view = text): string => {
  try {
    return `decoded to ${String(read(reply, bytes, view))}`
  } catch (error) {
    return error instanceof RedisReply.Mismatch ? error.detail : assert.fail(String(error))
  }
}

const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value)

describe("numbers", () => {
  it("CNV-03, CNV-04: a double is read from its text and as RESP3 sends it, with every spelling of infinity", () => {
    const rows: ReadonlyArray<readonly [string, number]> = [
      ["$3\r\n1.5\r\n", 1.5],
      [",1.5\r\n", 1.5],
      ["$2\r\n-0\r\n", -0],
      [",-0\r\n", -0],
      [":3\r\n", 3],
      ["$3\r\ninf\r\n", Infinity],
      ["$4\r\n+inf\r\n", Infinity],
      ["$4\r\n-inf\r\n", -Infinity],
      [",inf\r\n", Infinity],
      [",-inf\r\n", -Infinity],
      ["$8\r\nInfinity\r\n", Infinity],
      ["$9\r\n+Infinity\r\n", Infinity],
      ["$3\r\nnan\r\n", NaN],
      ["$4\r\n-nan\r\n", NaN],
      [",nan\r\n", NaN],
      ["+2.5e-3\r\n", 0.0025],
      ["+1.7976931348623157e+308\r\n", Number.MAX_VALUE]
    ]
    for (const [reply, expected] of rows) {
      const value = read(RedisReply.double, reply)
      assert.isTrue(Object.is(value, expected), `${JSON.stringify(reply)} is ${String(value)}`)
    }
    for (const reply of ["$0\r\n\r\n", "$3\r\nabc\r\n", "$4\r\n1,5 \r\n", "$-1\r\n", "*0\r\n"]) {
      assert.match(refusal(RedisReply.double, reply), /^expected a number, got/)
    }
  })

  it("a double is the nearest one to its digits, whichever protocol sends it", () => {
    const digits = fc.stringMatching(/^[+-]?[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,2})?$/)
    fc.assert(fc.property(fc.oneof(digits, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)), (text) => {
      assert.isTrue(Object.is(read(RedisReply.double, bulk(text)), Number(text)), text)
      assert.isTrue(Object.is(read(RedisReply.double, `,${text}\r\n`), Number(text)), text)
    }))
  })

  it("a text that JavaScript takes for a number, and servers do not send as one, is none", () => {
    for (const text of [" ", "\t", " 1", "1 ", "1\n", "0x10", "0b1", "0o7", "5.", ".5", "1_0"]) {
      assert.match(refusal(RedisReply.double, bulk(text)), /^expected a number, got/, JSON.stringify(text))
    }
  })

  it("CNV-02: an integer is a number, a bigint where that is asked for, never rounded", () => {
    assert.strictEqual(read(RedisReply.integer, ":-5\r\n"), -5)
    assert.strictEqual(read(RedisReply.integer, ":-5\r\n", bigintView), -5n)
    assert.strictEqual(read(RedisReply.integer, ":9223372036854775807\r\n", bigintView), 9223372036854775807n)
    assert.match(refusal(RedisReply.integer, ":9223372036854775807\r\n"), /9223372036854775807 is beyond/)
    for (const reply of [",1.5\r\n", "$1\r\n5\r\n", "+5\r\n", "_\r\n", "#t\r\n"]) {
      assert.match(refusal(RedisReply.integer, reply), /^expected an integer, got/)
    }
  })

  it("an integer that servers send as text is as exact", () => {
    assert.strictEqual(read(RedisReply.integerText, "$2\r\n-5\r\n"), -5)
    assert.strictEqual(read(RedisReply.integerText, ":5\r\n"), 5)
    assert.strictEqual(read(RedisReply.integerText, "$1\r\n5\r\n", bigintView), 5n)
    assert.strictEqual(read(RedisReply.integerText, "$19\r\n9223372036854775807\r\n", bigintView), 9223372036854775807n)
    assert.match(refusal(RedisReply.integerText, "$16\r\n9007199254740993\r\n"), /9007199254740993 is beyond/)
    for (const reply of ["$3\r\n1.5\r\n", "$0\r\n\r\n", "$3\r\n0x1\r\n"]) {
      assert.match(refusal(RedisReply.integerText, reply), /^expected an integer, got/)
    }
  })

  it("a text that is longer than any number is none: an integer of so many digits takes seconds, or cannot be made", () => {
    for (const [reply, name] of [[RedisReply.integerText, "an integer"], [RedisReply.double, "a number"]] as const) {
      for (const digits of ["9".repeat(8193), "9".repeat(2 ** 19)]) {
        for (const type of ["$", "+"]) {
          const sent = type === "$" ? `$${digits.length}\r\n${digits}\r\n` : `+${digits}\r\n`
          assert.match(refusal(reply, sent), new RegExp(`^expected ${name}, got`))
        }
      }
    }
    // Servers print the greatest double of theirs with all of its digits.
    assert.strictEqual(read(RedisReply.double, bulk("1" + "0".repeat(4932))), Infinity)
  })

  it("an integer that is too large is shown in part where it has many digits", () => {
    const digits = "9".repeat(8000)
    const detail = refusal(RedisReply.integer, `(${digits}\r\n`)
    assert.isBelow(detail.length, 700)
    assert.match(detail, /^the integer 9+… \(8000 characters\) is beyond/)
  })
})

describe("words of the server", () => {
  it("CNV-01, CNV-07, CNV-08: OK, numbers and booleans", () => {
    assert.isTrue(read(RedisReply.ok, "+OK\r\n"))
    assert.isTrue(read(RedisReply.ok, "$2\r\nOK\r\n"))
    assert.isFalse(read(RedisReply.ok, "+QUEUED\r\n"))
    assert.isFalse(read(RedisReply.ok, "$-1\r\n"))
    assert.isFalse(read(RedisReply.ok, "_\r\n"))
    assert.match(refusal(RedisReply.ok, ":1\r\n"), /^expected a status/)
    assert.isTrue(read(RedisReply.boolean, ":1\r\n"))
    assert.isFalse(read(RedisReply.boolean, ":0\r\n"))
    assert.isTrue(read(RedisReply.boolean, ":-1\r\n"))
    assert.isTrue(read(RedisReply.boolean, "#t\r\n"))
    assert.isFalse(read(RedisReply.boolean, "#f\r\n"))
    assert.isTrue(read(RedisReply.boolean, "+OK\r\n"))
    assert.isTrue(read(RedisReply.accepted, "+Background saving started\r\n"))
    assert.match(refusal(RedisReply.accepted, ":1\r\n"), /^expected a status/)
    assert.strictEqual(read(RedisReply.bit, ":1\r\n"), 1)
    assert.match(refusal(RedisReply.bit, ":2\r\n"), /^expected 0 or 1/)
  })

  it("text is text in every view, data is bytes in the bytes view", () => {
    for (const reply of ["+a\r\n", "$1\r\na\r\n", "=5\r\ntxt:a\r\n"]) {
      assert.strictEqual(read(RedisReply.text, reply, bytesView), "a")
      assert.strictEqual(read(RedisReply.blob, reply), "a")
      assert.deepStrictEqual(read(RedisReply.blob, reply, bytesView), bytesOf("a"))
    }
    assert.deepStrictEqual(read(RedisReply.bytes, "$1\r\na\r\n"), bytesOf("a"))
    assert.match(refusal(RedisReply.bytes, ":1\r\n"), /^expected a bulk string/)
    assert.match(refusal(RedisReply.blob, "_\r\n"), /^expected a string, got null/)
  })

  it("a few bytes of a large chunk are a copy, which does not keep the chunk", () => {
    const source = bytesOf("abc".padEnd(100))
    const value = RedisReply.blob.decode(new Resp.Bulk(source, 0, 3), bytesView)
    source.fill(0)
    assert.deepStrictEqual(value, bytesOf("abc"))
  })
})

describe("what is absent", () => {
  it("CNV-15, NCO-08: nil of both protocols is undefined, or what is given instead", () => {
    for (const nil of ["$-1\r\n", "*-1\r\n", "_\r\n"]) {
      assert.strictEqual(read(RedisReply.nullable(RedisReply.blob), nil), undefined)
      assert.deepStrictEqual(read(RedisReply.orElse(RedisReply.array(RedisReply.blob), () => []), nil), [])
    }
    assert.strictEqual(read(RedisReply.nullable(RedisReply.blob), "$0\r\n\r\n"), "")
  })
})

describe("aggregates", () => {
  const pairs = ["*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n", "%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n"]
  const nested = "*2\r\n*2\r\n$1\r\na\r\n:1\r\n*2\r\n$1\r\nb\r\n:2\r\n"

  it("CNV-16, CNV-19: arrays and sets read each other's replies", () => {
    for (const reply of ["*2\r\n$1\r\na\r\n$1\r\nb\r\n", "~2\r\n$1\r\na\r\n$1\r\nb\r\n"]) {
      assert.deepStrictEqual(read(RedisReply.array(RedisReply.blob), reply), ["a", "b"])
      assert.deepStrictEqual(read(RedisReply.set, reply), new Set(["a", "b"]))
      assert.deepStrictEqual(read(RedisReply.set, reply, bytesView), [bytesOf("a"), bytesOf("b")])
    }
    assert.deepStrictEqual(read(RedisReply.set, "*0\r\n"), new Set())
    assert.match(refusal(RedisReply.array(RedisReply.blob), "*1\r\n_\r\n"), /^expected a string, got null/)
  })

  it("pairs are read flat, as a map and nested", () => {
    const reply = RedisReply.pairs(RedisReply.blob, RedisReply.integer)
    for (const bytes of [...pairs, nested]) {
      assert.deepStrictEqual(read(reply, bytes), [["a", 1], ["b", 2]])
      assert.deepStrictEqual(read(reply, bytes, bigintView), [["a", 1n], ["b", 2n]])
    }
    assert.match(refusal(reply, "*1\r\n$1\r\na\r\n"), /^expected keys and values in turn/)
  })

  it("CNV-20: records have no prototype, so that every name is data", () => {
    for (const bytes of pairs) {
      const record = read(RedisReply.recordOf(RedisReply.integer), bytes) as object
      assert.strictEqual(Object.getPrototypeOf(record), null)
      assert.deepStrictEqual(Object.entries(record), [["a", 1], ["b", 2]])
    }
    const odd = read(
      RedisReply.record,
      "*4\r\n$9\r\n__proto__\r\n$1\r\nx\r\n$11\r\nconstructor\r\n$1\r\ny\r\n"
    ) as object
    assert.deepStrictEqual(Object.entries(odd), [["__proto__", "x"], ["constructor", "y"]])
    assert.deepStrictEqual(read(RedisReply.record, "%1\r\n$1\r\na\r\n$1\r\nb\r\n", bytesView), [[
      bytesOf("a"),
      bytesOf("b")
    ]])
  })

  it("names that are bytes cannot name properties: they are pairs, whatever their values are", () => {
    const reply = RedisReply.recordOrPairs(RedisReply.nullable(RedisReply.integer))
    for (const bytes of ["*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n$-1\r\n", "%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n_\r\n"]) {
      const record = read(reply, bytes) as object
      assert.strictEqual(Object.getPrototypeOf(record), null)
      assert.deepStrictEqual(Object.entries(record), [["a", 1], ["b", undefined]])
      assert.deepStrictEqual(read(reply, bytes, bytesView), [[bytesOf("a"), 1], [bytesOf("b"), undefined]])
      assert.deepStrictEqual(Object.entries(read(reply, bytes, bigintView) as object), [["a", 1n], ["b", undefined]])
    }
    const twice = "*4\r\n$1\r\na\r\n:1\r\n$1\r\na\r\n:2\r\n"
    assert.match(refusal(reply, twice), /a name comes twice.*asBytes gives pairs/)
    // It has names in the bytes view, too, where nothing would be gained.
    assert.match(refusal(RedisReply.recordOf(RedisReply.integer), twice), /a name comes twice[^.]*$/)
    assert.deepStrictEqual(read(reply, twice, bytesView), [[bytesOf("a"), 1], [bytesOf("a"), 2]])
  })

  it("tuples and fields read what stands where, and refuse what is too short", () => {
    const tuple = RedisReply.tuple(RedisReply.blob, RedisReply.integer)
    assert.deepStrictEqual(read(tuple, "*2\r\n$1\r\na\r\n:1\r\n"), ["a", 1])
    assert.deepStrictEqual(read(tuple, "*2\r\n$1\r\na\r\n:1\r\n", bigintView), ["a", 1n])
    assert.match(refusal(tuple, "*1\r\n$1\r\na\r\n"), /^expected an array of 2, got an array of 1/)
    const fields = RedisReply.fields({ name: RedisReply.blob, count: RedisReply.integer })
    assert.deepStrictEqual(read(fields, "*3\r\n$1\r\na\r\n:1\r\n+more\r\n"), { name: "a", count: 1 })
    assert.match(refusal(fields, "*1\r\n$1\r\na\r\n"), /^expected an array of 2/)
  })

  it("structs read names in any spelling", () => {
    const struct = RedisReply.struct({
      radixTreeKeys: RedisReply.integer,
      libName: RedisReply.nullable(RedisReply.text),
      numberOfItems: RedisReply.integer,
      chunkSize: RedisReply.integer,
      absent: RedisReply.nullable(RedisReply.integer)
    })
    const expected = { radixTreeKeys: 1, libName: "x", numberOfItems: 2, chunkSize: 3, absent: undefined, extra: {} }
    const entries = "$15\r\nradix-tree-keys\r\n:1\r\n$8\r\nlib_name\r\n+x\r\n$15\r\nNumber of items\r\n:2\r\n" +
      "$9\r\nchunkSize\r\n:3\r\n"
    assert.deepStrictEqual(read(struct, `*8\r\n${entries}`), expected)
    assert.deepStrictEqual(read(struct, `%4\r\n${entries}`), expected)
    assert.match(refusal(struct, "*0\r\n"), /^expected an integer, got null/)
    // @ts-expect-error the name is taken
    RedisReply.struct({ extra: RedisReply.text })
  })

  it("map changes what was decoded", () => {
    assert.strictEqual(read(RedisReply.map(RedisReply.integer, (n) => `${n}!`), ":5\r\n"), "5!")
  })
})

describe("what a struct does not know", () => {
  const struct = RedisReply.struct({ name: RedisReply.blob, count: RedisReply.integer })
  /** Each name with its value as RESP2 sends it, as RESP3 does, and what it decodes to in the three views. */
  const unknown: ReadonlyArray<
    readonly [name: string, resp2: string, resp3: string, text: unknown, bytes: unknown, bigint: unknown]
  > = [
    ["word", "$1\r\nx\r\n", "$1\r\nx\r\n", "x", bytesOf("x"), "x"],
    ["lines", "$1\r\nx\r\n", "=5\r\ntxt:x\r\n", "x", bytesOf("x"), "x"],
    ["number", ":7\r\n", ":7\r\n", 7, 7, 7n],
    ["nothing", "$-1\r\n", "_\r\n", undefined, undefined, undefined],
    ["ratio", ",1.5\r\n", ",1.5\r\n", 1.5, 1.5, 1.5],
    ["flag", "#t\r\n", "#t\r\n", true, true, true],
    ["map", "*2\r\n$1\r\na\r\n:1\r\n", "%1\r\n$1\r\na\r\n:1\r\n", ["a", 1], [bytesOf("a"), 1], ["a", 1n]],
    ["set", "*1\r\n$1\r\na\r\n", "~1\r\n$1\r\na\r\n", ["a"], [bytesOf("a")], ["a"]],
    ["__proto__", ":1\r\n", ":1\r\n", 1, 1, 1n],
    ["constructor", ":2\r\n", ":2\r\n", 2, 2, 2n],
    ["extra", ":3\r\n", ":3\r\n", 3, 3, 3n]
  ]
  const known = `${bulk("count")}:2\r\n${bulk("name")}${bulk("n")}`
  const replies = [
    `*${unknown.length * 2 + 4}\r\n${unknown.map(([name, resp2]) => bulk(name) + resp2).join("")}${known}`,
    `%${unknown.length + 2}\r\n${known}${unknown.map(([name, , resp3]) => bulk(name) + resp3).join("")}`
  ]

  it("is kept by the server's names, from both protocols, in every view", () => {
    const views = [
      [text, 3, { name: "n", count: 2 }],
      [bytesView, 4, { name: bytesOf("n"), count: 2 }],
      [bigintView, 5, { name: "n", count: 2n }]
    ] as const
    for (const reply of replies) {
      for (const [view, column, expected] of views) {
        const { extra, ...fields } = struct.decode(parse(reply), view)
        assert.deepStrictEqual(fields, expected)
        assert.strictEqual(Object.getPrototypeOf(extra), null)
        assert.deepStrictEqual(Object.entries(extra), unknown.map((row) => [row[0], row[column]]))
      }
    }
  })

  it("is nothing without prototype when the server tells nothing else", () => {
    const { extra } = struct.decode(parse(`*4\r\n${known}`), text)
    assert.strictEqual(Object.getPrototypeOf(extra), null)
    assert.deepStrictEqual(Object.keys(extra), [])
  })

  it("is never an error", () => {
    const odd = [
      [":9223372036854775807\r\n", 9223372036854775807n],
      ["-ERR no\r\n", new Resp.ErrorReply("ERR no")],
      ["*1\r\n$-1\r\n", [undefined]],
      ["(12345678901234567890\r\n", 12345678901234567890n]
    ] as const
    for (const [reply, expected] of odd) {
      assert.deepStrictEqual(struct.decode(parse(`%3\r\n${known}${bulk("new")}${reply}`), text).extra.new, expected)
    }
    const invalid = new Resp.MapReply([
      "count",
      1,
      "name",
      "n",
      "new",
      [new Resp.Bulk(Uint8Array.of(0xff, 0x41), 0, 2)]
    ])
    assert.deepStrictEqual(struct.decode(invalid, text).extra.new, [Uint8Array.of(0xff, 0x41)])
    assert.deepStrictEqual(struct.decode(invalid, { ...text, blob: "replace" }).extra.new, ["\ufffdA"])
  })

  it("holds another spelling of a field as well", () => {
    const two = RedisReply.struct({ libName: RedisReply.text })
    assert.deepStrictEqual(read(two, `*4\r\n${bulk("lib-name")}${bulk("a")}${bulk("lib_name")}${bulk("b")}`), {
      libName: "a",
      extra: { lib_name: "b" }
    })
  })
})
