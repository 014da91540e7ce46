import { assert, describe, it } from "@effect/vitest"
import { RedisUrl } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { acceptance } from "../../src/internal/config/accept.ts"
import type { Accept } from "../../src/RedisConfig.ts"

const seeds = [{ host: "cache-1.example.com", port: 7000 }, { host: "10.0.3.7", port: 7001 }, {
  host: "2001:db8::1",
  port: 1
}]

const rule = (accept: Accept) => Effect.map(acceptance(accept, seeds), (rule) => rule ?? (() => true))

const rows: ReadonlyArray<readonly [accept: Accept, yes: ReadonlyArray<string>, no: ReadonlyArray<string>]> = [
  ["any", ["169.254.169.254", "anything"], []],
  [
    "sameHost",
    ["cache-1.example.com", "CACHE-1.example.com.", "10.0.3.7", "::ffff:10.0.3.7", "2001:db8:0:0::1"],
    ["cache-2.example.com", "10.0.3.8", "010.0.3.7.1", "2001:db8::2", "evil.cache-1.example.com", ""]
  ],
  [
    "sameNetwork",
    ["cache-2.example.com", "10.0.3.255", "2001:db8::ffff:1", "cache-1.example.com"],
    ["10.0.4.7", "example.com", "evilexample.com", "2001:db8:1::1", "169.254.169.254", "::ffff:127.0.0.1", "cache-1"]
  ],
  [
    ["a", "10.0.0.0/8", "fd00::/8", ".internal.example.org", "[::1]"],
    ["A", "10.255.0.1", "fd12::9", "x.y.internal.example.org", "::1", "10.0.3.7"],
    ["b", "11.0.0.1", "fe00::1", "internal.example.org", "xinternal.example.org", "::2", "10.0.0.1.example.org", "aa"]
  ],
  [["0.0.0.0/0"], ["1.2.3.4"], ["name", "::1"]],
  [({ host, port }) => host === "a" && port === 7001, ["a"], ["b"]]
]

describe("accept", () => {
  it.effect("tells apart what it names and what it does not, and always accepts what options name", () =>
    Effect.gen(function*() {
      for (const [accept, yes, no] of rows) {
        const accepts = yield* rule(accept)
        for (const host of yes) assert.isTrue(accepts({ host, port: 7001 }), `${String(accept)} ${host}`)
        for (const host of no) assert.isFalse(accepts({ host, port: 7001 }), `${String(accept)} ${host}`)
        for (const seed of seeds) assert.isTrue(accepts(seed), `${String(accept)} ${seed.host}`)
      }
    }))

  it.effect("of a host with a port has that port only", () =>
    Effect.gen(function*() {
      const accepts = yield* rule(["a:7000", "[::1]:7000"])
      const of = (host: string, port: number) => accepts({ host, port })
      assert.deepStrictEqual([of("a", 7000), of("a", 22), of("::1", 7000), of("::1", 22)], [true, false, true, false])
    }))

  it.effect("of a function counts only `true`", () =>
    Effect.gen(function*() {
      // A program without types may return anything.
      const accepts = yield* rule((() => "yes") as never)
      assert.isFalse(accepts({ host: "b", port: 1 }))
    }))

  it.effect("refuses lists that say nothing", () =>
    Effect.gen(function*() {
      for (
        const accept of [[], [""], ["10.0.0.0/33"], ["fd00::/129"], ["a b"], ["x/8"], ["[a]"], "some", 7, [7], null]
      ) {
        // Options also come from files.
        const error = yield* Effect.flip(acceptance(accept as never, seeds))
        assert.strictEqual(error.option, "accept")
      }
    }))

  it("is read from URLs, and written", () => {
    for (const accept of ["sameHost", "sameNetwork", ["10.0.0.0/8", "a:7000", ".example.com"]] as const) {
      const text = typeof accept === "string" ? accept : accept.join(",")
      for (const url of [`redis+cluster://h:1?accept=${text}`, `redis+sentinel://h:1/m?accept=${text}`]) {
        const deployment = Result.getOrThrow(RedisUrl.parse(url))
        assert.deepStrictEqual("accept" in deployment.options && deployment.options.accept, accept)
        const written = Redacted.value(Result.getOrThrow(RedisUrl.format(deployment)))
        assert.deepStrictEqual(Result.getOrThrow(RedisUrl.parse(written)), deployment)
      }
    }
    const options = { nodes: [{ host: "h", port: 1 }], accept: () => true } as const
    assert.isTrue(Result.isFailure(RedisUrl.format({ mode: "cluster", options })))
    assert.isTrue(Result.isFailure(RedisUrl.parse("redis://h?accept=sameHost")))
  })
})
