import { Redis, RedisReply } from "@redfx/core"
import { bulk } from "@redfx/testing/FakeClient"
import { inspect } from "node:util"
import { expect, test } from "vitest"

test("records and pairs of large replies are like those of a literal", () => {
  const [entry] = Redis.xrange("k").reply.decode([[bulk("1-0"), [bulk("f"), bulk("v")]]], RedisReply.textView) as [
    object
  ]
  const members = Redis.zrangeWithScores("k", 0, -1).reply.decode([[bulk("m"), 1.5]], RedisReply.textView)
  const pairs = Redis.hrandfieldWithValues("k", 1).reply.decode([[bulk("f"), bulk("v")]], RedisReply.textView)

  expect(members).toStrictEqual([{ member: "m", score: 1.5 }])
  expect(pairs).toStrictEqual([["f", "v"]])
  expect(inspect(members)).toBe("[ { member: 'm', score: 1.5 } ]")
  expect(Object.getPrototypeOf(entry)).toBe(Object.prototype)
  expect(structuredClone(entry)).toEqual({ id: "1-0", fields: { f: "v" } })
})

test("a pair and a list are nobody else's", () => {
  const reply = RedisReply.pairs(RedisReply.text, RedisReply.text)
  // Whoever gets a reply may change it, whatever its type says.
  const decode = () => reply.decode([bulk("a"), bulk("b")], RedisReply.textView) as unknown as Array<Array<string>>
  const first = decode()
  first[0]?.push("c")
  first.push(["d", "e"])
  expect(decode()).toStrictEqual([["a", "b"]])
})
