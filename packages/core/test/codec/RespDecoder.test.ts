import { assert, describe, it } from "@effect/vitest"
import { worked } from "@redfx/testing/Worked"
import { RespDecoder } from "../../src/RespDecoder.ts"
import type { DecodeOptions } from "../../src/RespLimits.ts"
import type { Bulk, Value } from "../../src/RespValue.ts"
import { latin1, plain, utf8 } from "../fixtures/reference.ts"

const decodeAll = (chunks: ReadonlyArray<string>, options?: DecodeOptions) => {
  const decoder = new RespDecoder(options)
  const values: Array<Value> = []
  for (const chunk of chunks) values.push(...decoder.push(latin1(chunk)))
  return { values: values.map(plain), failure: decoder.failure?.detail, idle: decoder.idle }
}

const bulk = (text: string) => ({ bulk: text })

const values: ReadonlyArray<readonly [bytes: string, value: unknown]> = [
  ["+OK\r\n", "OK"],
  ["+OKAY\r\n", "OKAY"],
  ["+QUEUED\r\n", "QUEUED"],
  ["+QUEUES\r\n", "QUEUES"],
  ["+PONG\r\n", "PONG"],
  ["+PING\r\n", "PING"],
  ["+\r\n", ""],
  [`+${utf8("é€😀")}\r\n`, "é€😀"],
  ["-ERR bad\r\n", { error: "ERR bad" }],
  ["-\r\n", { error: "" }],
  ["-OK\r\n", { error: "OK" }],
  [":0\r\n", 0],
  [":-0\r\n", 0],
  [":+7\r\n", 7],
  [":007\r\n", 7],
  [":-12\r\n", -12],
  [":999999999999999\r\n", 999999999999999],
  [":9007199254740991\r\n", 9007199254740991],
  [":-9007199254740991\r\n", -9007199254740991],
  [":9007199254740992\r\n", 9007199254740992n],
  [":9223372036854775807\r\n", 9223372036854775807n],
  [":-9223372036854775808\r\n", -9223372036854775808n],
  ["$3\r\nabc\r\n", bulk("abc")],
  ["$0\r\n\r\n", bulk("")],
  ["$4\r\n\r\n\0\xff\r\n", bulk("\r\n\0\xff")],
  ["$-1\r\n", null],
  ["*-1\r\n", null],
  ["_\r\n", null],
  ["#t\r\n", true],
  ["#f\r\n", false],
  [",1.5\r\n", 1.5],
  [",+1.5\r\n", 1.5],
  [",10\r\n", 10],
  [",-0\r\n", -0],
  [",0.1\r\n", 0.1],
  [",0.10000000000000001\r\n", 0.1],
  [",1234567.1234567\r\n", 1234567.1234567],
  [",1e300\r\n", 1e300],
  [",-1.25E-7\r\n", -1.25e-7],
  [",inf\r\n", Infinity],
  [",-inf\r\n", -Infinity],
  [",nan\r\n", NaN],
  [",-nan\r\n", NaN],
  ["(0\r\n", 0n],
  ["(-5\r\n", -5n],
  ["(+5\r\n", 5n],
  [`(-${"9".repeat(8191)}\r\n`, 1n - 10n ** 8191n],
  ["(123456789012345678901234567890\r\n", 123456789012345678901234567890n],
  ["!7\r\nERR a\nb\r\n", { error: "ERR a\nb" }],
  ["=7\r\ntxt:abc\r\n", { verbatim: "txt", text: "abc" }],
  ["=4\r\nmkd:\r\n", { verbatim: "mkd", text: "" }],
  ["*0\r\n", []],
  ["*3\r\n:1\r\n$1\r\na\r\n*1\r\n_\r\n", [1, bulk("a"), [null]]],
  ["*2\r\n-ERR x\r\n*1\r\n-ERR y\r\n", [{ error: "ERR x" }, [{ error: "ERR y" }]]],
  ["%0\r\n", { map: [] }],
  ["%2\r\n+a\r\n:1\r\n+a\r\n*0\r\n", { map: ["a", 1, "a", []] }],
  ["~2\r\n+a\r\n+a\r\n", { set: ["a", "a"] }],
  [">2\r\n+message\r\n:1\r\n", { push: ["message", 1] }],
  ["|1\r\n+ttl\r\n:3\r\n+OK\r\n", { attributes: ["ttl", 3], value: "OK" }],
  ["|0\r\n|1\r\n:1\r\n:2\r\n+OK\r\n", { attributes: [], value: { attributes: [1, 2], value: "OK" } }],
  ["*2\r\n|1\r\n+a\r\n:1\r\n:5\r\n:6\r\n", [{ attributes: ["a", 1], value: 5 }, 6]],
  ["*1\r\n|1\r\n+a\r\n:1\r\n*2\r\n:5\r\n:6\r\n", [{ attributes: ["a", 1], value: [5, 6] }]],
  ["$?\r\n;0\r\n", bulk("")],
  ["$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n", bulk("Hello")],
  ["*?\r\n.\r\n", []],
  ["*?\r\n:1\r\n*?\r\n:2\r\n.\r\n$?\r\n;1\r\na\r\n;0\r\n.\r\n", [1, [2], bulk("a")]],
  ["~?\r\n:1\r\n.\r\n", { set: [1] }],
  ["%?\r\n:1\r\n:2\r\n:3\r\n:4\r\n.\r\n", { map: [1, 2, 3, 4] }],
  ["*2\r\n>1\r\n+x\r\n:1\r\n", [{ push: ["x"] }, 1]]
]

const malformed: ReadonlyArray<readonly [bytes: string, detail: RegExp]> = [
  ["x", /begins with "x"/],
  ["\r\n", /begins with "\\r"/],
  ["\xff", /begins with "\\xff"/],
  ["HTTP/1.1 400 Bad Request\r\n", /begins with "H"/],
  ["$-2\r\n", /malformed bulk string length "\$-2"/],
  ["$-0\r\n", /"\$-0"/],
  ["$+1\r\na\r\n", /"\$\+1"/],
  ["$\r\n", /malformed bulk string length "\$"/],
  ["$1a\r\n", /"\$1a"/],
  ["$3\r\nabcd\r\n", /3 bytes is followed by "d"/],
  ["$3\r\nabc\rx", /3 bytes is followed by "x"/],
  ["*-2\r\n", /malformed array length/],
  ["*x\r\n", /malformed array length "\*x"/],
  ["%-1\r\n", /malformed map length/],
  ["~-1\r\n", /malformed set length/],
  [">-1\r\n", /malformed push length/],
  [">?\r\n", /malformed push length/],
  ["|?\r\n", /malformed attribute length/],
  ["!-1\r\n", /malformed blob error length/],
  ["=?\r\n", /malformed verbatim string length/],
  [":\r\n", /malformed integer ":"/],
  [":-\r\n", /malformed integer/],
  [":1x\r\n", /malformed integer ":1x"/],
  [":1.5\r\n", /malformed integer/],
  [":9223372036854775808\r\n", /malformed integer/],
  [":99999999999999999999999999\r\n", /malformed integer/],
  [",\r\n", /malformed double/],
  [",.5\r\n", /malformed double/],
  [",5.\r\n", /malformed double/],
  [",1.2.3\r\n", /malformed double/],
  [",0x10\r\n", /malformed double/],
  [",Infinity\r\n", /malformed double/],
  [", 1\r\n", /malformed double/],
  ["(\r\n", /malformed big number/],
  ["(1.5\r\n", /malformed big number/],
  ["(0x1f\r\n", /malformed big number/],
  [`(${"9".repeat(8193)}\r\n`, /malformed big number "\(9+…" \(8194 bytes\)/],
  ["#x\r\n", /malformed boolean "#x"/],
  ["#tt\r\n", /malformed boolean/],
  ["_x\r\n", /malformed null/],
  ["+a\rb", /"\\r" is followed by "b"/],
  ["+a\nb\r\n", /"\\n" without "\\r"/],
  [":1\n", /"\\n" without "\\r"/],
  ["=3\r\nabc\r\n", /no room for its format/],
  ["=5\r\ntxtab\r\n", /malformed format/],
  [".\r\n", /none is open/],
  ["*1\r\n.\r\n", /none is open/],
  ["*?\r\n|0\r\n.\r\n", /none is open/],
  ["*?\r\n.x\r\n", /malformed end/],
  ["%?\r\n:1\r\n.\r\n", /a key without a value/],
  [";1\r\na\r\n", /begins with ";"/],
  ["$?\r\n:1\r\n", /goes on with ":"/],
  ["$?\r\n;-1\r\n", /malformed length of a streamed string's part/],
  [`:${"1\0".repeat(500)}\r\n`, /^malformed integer ":1\\x00.{1,200}…" \(1001 bytes\)$/]
]

const everyByte = (text: string): Array<string> => text.split("")

describe("RespDecoder", () => {
  it("decodes every type, in one chunk and in chunks of one byte", () => {
    for (const [bytes, value] of values) {
      const expected = { values: [value, "OK"], failure: undefined, idle: true }
      assert.deepStrictEqual(decodeAll([`${bytes}+OK\r\n`]), expected, bytes)
      assert.deepStrictEqual(decodeAll(everyByte(`${bytes}+OK\r\n`)), expected, bytes)
    }
  })

  it("tells -0 the double from 0 the integer", () => {
    assert.isTrue(Object.is(decodeAll([",-0\r\n"]).values[0], -0))
    assert.isTrue(Object.is(decodeAll([":-0\r\n"]).values[0], 0))
    assert.isTrue(Object.is(decodeAll([","].concat("-0.0\r\n")).values[0], -0))
  })

  it("refuses malformed bytes, saying what was found, and keeps what came before", () => {
    for (const [bytes, detail] of malformed) {
      const whole = decodeAll([`:1\r\n${bytes}`])
      assert.deepStrictEqual(whole.values, [1], bytes)
      assert.match(whole.failure ?? "no failure", detail)
      assert.deepStrictEqual(decodeAll(everyByte(`:1\r\n${bytes}`)).failure, whole.failure)
    }
  })

  it("is terminal after a failure", () => {
    const decoder = new RespDecoder()
    assert.deepStrictEqual(decoder.push(latin1("+OK\r\nx+OK\r\n")), ["OK"])
    const failure = decoder.failure
    assert.strictEqual(failure?._tag, "ProtocolError")
    assert.deepStrictEqual(decoder.push(latin1("+OK\r\n")), [])
    decoder.end()
    assert.strictEqual(decoder.failure, failure)
  })

  it("fails when the input ends in the middle of a value, and only then", () => {
    for (const [bytes] of values) {
      for (let end = 0; end <= bytes.length; end++) {
        const decoder = new RespDecoder()
        decoder.push(latin1(`+OK\r\n${bytes.slice(0, end)}`))
        decoder.end()
        const expected = end === 0 || end === bytes.length
          ? undefined
          : "the input ended in the middle of a reply"
        assert.strictEqual(decoder.failure?.detail, expected)
      }
    }
  })

  it("drops attributes where they are, when told so", () => {
    const text = "|1\r\n+a\r\n*1\r\n:1\r\n*2\r\n|1\r\n+b\r\n:1\r\n:5\r\n|0\r\n%1\r\n:1\r\n:2\r\n>1\r\n+x\r\n"
    const expected = [[5, { map: [1, 2] }], { push: ["x"] }]
    assert.deepStrictEqual(decodeAll([text], { attributes: "drop" }).values, expected)
    assert.deepStrictEqual(decodeAll(everyByte(text), { attributes: "drop" }).values, expected)
  })

  it("keeps a bulk string that lies within a chunk as a slice of it", () => {
    const chunk = latin1("$3\r\nabc\r\n")
    const [value] = new RespDecoder().push(chunk)
    chunk[4] = 0x41
    assert.strictEqual(String(value), "Abc")
  })

  it("reads a long text across chunks cut inside its characters, and finds what is not UTF-8", () => {
    const text = "aé€😀".repeat(2000)
    const valid = new TextEncoder().encode(text)
    const invalid = valid.slice()
    invalid[9000] = 0xff
    for (const bytes of [valid, invalid]) {
      const whole = new Uint8Array([...latin1(`$${bytes.length}\r\n`), ...bytes, 0x0d, 0x0a])
      const [expected] = new RespDecoder().push(whole)
      for (let size = 1500; size < 1516; size++) {
        const decoder = new RespDecoder()
        const values: Array<Value> = []
        for (let at = 0; at < whole.length; at += size) values.push(...decoder.push(whole.slice(at, at + size)))
        // Both are bulk strings, in one piece and in several.
        const [one, several] = [expected as Bulk, values[0] as Bulk]
        assert.strictEqual(several.text(), one.text())
        assert.strictEqual(several.toString(), one.toString())
        assert.deepStrictEqual(several.bytes(), one.bytes())
        assert.strictEqual(several.length, one.length)
        assert.deepStrictEqual(several.head(7).bytes(), one.head(7).bytes())
      }
      assert.strictEqual((expected as Bulk).text(), bytes === valid ? text : undefined)
    }
  })

  it("does not change a bulk string when the next ones are gathered", () => {
    const decoder = new RespDecoder()
    const gathered: Array<Value> = []
    const expected: Array<unknown> = []
    for (let i = 0; i < 1000; i++) {
      const text = String(i).repeat(i % 300)
      const bytes = `$${text.length}\r\n${text}\r\n`
      expected.push(bulk(text))
      const at = 1 + i % (bytes.length - 1)
      gathered.push(...decoder.push(latin1(bytes.slice(0, at))), ...decoder.push(latin1(bytes.slice(at))))
    }
    assert.deepStrictEqual(gathered.map(plain), expected)
  })
})

describe("RespDecoder limits", () => {
  const limits: ReadonlyArray<readonly [DecodeOptions, fits: string, exceeds: string, detail: string]> = [
    [{ maxDepth: 2 }, "*1\r\n*0\r\n", "*1\r\n*1\r\n*0\r\n", "aggregates nest deeper than 2"],
    [{ maxDepth: 1 }, "|0\r\n:1\r\n", "*1\r\n|0\r\n:1\r\n", "aggregates nest deeper than 1"],
    [{ maxBulkLength: 3 }, "$3\r\nabc\r\n", "$4\r\n", "a string of 4 bytes; the limit is 3"],
    [
      { maxBulkLength: 3 },
      "$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n",
      "$?\r\n;2\r\nab\r\n;2\r\n",
      "a string of 4 bytes; the limit is 3"
    ],
    [{ maxLineLength: 64 }, `!64\r\n${"x".repeat(64)}\r\n`, "!65\r\n", "a string of 65 bytes; the limit is 64"],
    [{ maxLineLength: 64 }, `+${"x".repeat(63)}\r\n`, `+${"x".repeat(64)}`, "a line is longer than 64 bytes"],
    [{ maxAggregateLength: 2 }, "*2\r\n:1\r\n:1\r\n", "*3\r\n", "an aggregate of 3 elements; the limit is 2"],
    [{ maxAggregateLength: 1 }, "%1\r\n:1\r\n:1\r\n", "%2\r\n", "an aggregate of 2 elements; the limit is 1"],
    [
      { maxAggregateLength: 1 },
      "*?\r\n:1\r\n.\r\n",
      "*?\r\n:1\r\n:2\r\n",
      "a streamed aggregate has more than 1 elements"
    ],
    [
      { maxReplyBytes: 64 },
      `$57\r\n${"x".repeat(57)}\r\n`,
      `$58\r\n${"x".repeat(58)}\r\n`,
      "a reply takes more than 64 bytes"
    ],
    // 96 for the array, 64 for each element, 5 for the length and 4 for each integer.
    [
      { maxReplyBytes: 96 + 15 * 64 + 65 },
      `*15\r\n${":1\r\n".repeat(15)}`,
      `*15\r\n${":1\r\n".repeat(14)}:11\r\n`,
      "a reply takes more than 1121 bytes"
    ],
    [
      { maxReplyBytes: 96 + 15 * 64 + 65 },
      `*15\r\n${":1\r\n".repeat(15)}`,
      "*16\r\n",
      "a reply takes more than 1121 bytes"
    ],
    [
      { maxReplyBytes: 96 + 64 + 4 + 96 + 4 },
      "*1\r\n*0\r\n",
      "*1\r\n*1\r\n",
      "a reply takes more than 264 bytes"
    ],
    [
      { maxReplyBytes: 96 + 64 + 4 + 96 + 4 },
      "*1\r\n%0\r\n",
      "*1\r\n%1\r\n",
      "a reply takes more than 264 bytes"
    ],
    [
      { maxReplyBytes: 96 + 2 * 64 + 4 + 8 + 3 },
      "*?\r\n:1\r\n:2\r\n.\r\n",
      "*?\r\n:1\r\n:22\r\n.\r\n",
      "a reply takes more than 239 bytes"
    ]
  ]

  it("are kept to the byte, in one chunk and in chunks of one byte", () => {
    for (const [options, fits, exceeds, detail] of limits) {
      assert.isUndefined(decodeAll([fits, "+OK\r\n"].slice(0, fits.endsWith("\n") ? 2 : 1), options).failure, fits)
      assert.isUndefined(decodeAll(everyByte(fits), options).failure, fits)
      assert.strictEqual(decodeAll([`+OK\r\n${exceeds}`], options).failure, detail, exceeds)
      const cut = decodeAll(everyByte(`+OK\r\n${exceeds}`), options)
      assert.deepStrictEqual([cut.values, cut.failure], [["OK"], detail], exceeds)
    }
  })

  it("have defaults that stop a server's lies at the line", () => {
    assert.match(decodeAll(["$536870913\r\n"]).failure ?? "", /the limit is 536870912/)
    assert.match(decodeAll(["*134217729\r\n"]).failure ?? "", /the limit is 134217728/)
    assert.match(decodeAll(["*16777216\r\n"]).failure ?? "", /takes more than 1073741824 bytes/)
    assert.match(decodeAll(["*1\r\n".repeat(129)]).failure ?? "", /deeper than 128/)
    assert.match(decodeAll(["$99999999999999999999999\r\n"]).failure ?? "", /malformed/)
  })

  it("let nothing be allocated for what is only claimed", () => {
    const before = process.memoryUsage()
    const decoders = Array.from({ length: 200 }, () => {
      const decoder = new RespDecoder({ maxReplyBytes: Infinity })
      decoder.push(latin1("*134217728\r\n%67108864\r\n~134217728\r\n$536870912\r\nx"))
      return decoder
    })
    const after = process.memoryUsage()
    assert.isTrue(decoders.every((decoder) => decoder.failure === undefined && !decoder.idle))
    // 200 × 0.5 GB were claimed.
    assert.isBelow(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed, 20 * 1024 * 1024)
  })
})

describe("RespDecoder in linear time", () => {
  /** Decodes a text some times, in chunks of one byte, and returns what it took. */
  const oneByteEach = (text: string, times: number) => {
    const bytes = latin1(text)
    const chunks = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))
    return () => {
      const started = worked()
      for (let time = 0; time < times; time++) {
        const decoder = new RespDecoder()
        for (const chunk of chunks) decoder.push(chunk)
        assert.isTrue(decoder.idle && decoder.failure === undefined)
      }
      return worked() - started
    }
  }

  const inputs: ReadonlyArray<readonly [name: string, make: (size: number) => string]> = [
    ["an array of small elements", (n) => `*${n / 4}\r\n${":1\r\n".repeat(n / 4)}`],
    ["one bulk string", (n) => `$${n}\r\n${"x".repeat(n)}\r\n`],
    ["one line", (n) => `+${"x".repeat(n)}\r\n`],
    ["one streamed string", (n) => `$?\r\n${";1\r\nx\r\n".repeat(n / 7)};0\r\n`]
  ]

  it(
    "decodes chunks of one byte: one of 16 times the bytes takes much less than 16 times as long as 16 of them",
    () => {
      for (const [name, make] of inputs) {
        const apart = oneByteEach(make(14_000), 16)
        const asOne = oneByteEach(make(16 * 14_000), 1)
        apart()
        asOne()
        // Both take as long and in turn, so that what slows a processor down befalls both.
        const rounds = Array.from({ length: 6 }, () => [apart(), asOne()] as const)
        const best = (index: 0 | 1) => Math.min(...rounds.map((round) => round[index]))
        assert.isBelow(best(1) / best(0), 5, name)
      }
    }
  )
})
