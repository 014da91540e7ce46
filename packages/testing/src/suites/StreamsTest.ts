import { assert, describe, layer } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import { freshKey, requireCommand } from "../Suite.ts"

const record = (fields: Record<string, string>): Record<string, string> => Object.assign(Object.create(null), fields)

const entry = (id: string, fields: Record<string, string>) => ({ id, fields: record(fields) })

/** A stream of the entries 1-0 to 3-0 with a group at its start. */
const freshStream = Effect.gen(function*() {
  const key = freshKey("stream")
  for (const id of [1, 2, 3]) yield* Redis.xadd(key, { n: id }, { id: `${id}-0` })
  yield* Redis.xgroupCreate(key, "g", "0")
  return key
})

const first = entry("1-0", { n: "1" })
const second = entry("2-0", { n: "2" })
const third = entry("3-0", { n: "3" })

/** Streams, on whatever Layer is given. */
export const StreamsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Streams", () => {
    // With the real clock: some tests wait for the server.
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("XST-02, XST-12: adds entries with ids that grow", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.xlen(key), 0)
          assert.match(yield* Redis.xadd(key, { a: 1 }), /^\d+-\d+$/)
          assert.strictEqual(yield* Redis.xlen(key), 1)
          const late = yield* Effect.flip(Redis.xadd(key, { a: 1 }, { id: "1-1" }))
          assert.strictEqual(late._tag, "ResponseError")
        }))

      it.effect("XST-02, XST-19: keeps the newest entries", () =>
        Effect.gen(function*() {
          const key = yield* freshStream
          yield* Redis.xadd(key, { n: 4 }, { id: "4-0", maxlen: 2, approximate: false })
          assert.deepStrictEqual((yield* Redis.xrange(key)).map(({ id }) => id), ["3-0", "4-0"])
          yield* Redis.xadd(key, { n: 5 }, { id: "5-0", maxlen: 1 })
          assert.isAtLeast(yield* Redis.xlen(key), 1)
          assert.strictEqual(yield* Redis.xtrim(key, { maxlen: 1, approximate: false }), 2)
          assert.strictEqual(yield* Redis.xtrim(key, { maxlen: 1000 }), 0)
          assert.strictEqual(yield* Redis.xtrim(freshKey(), { maxlen: 0, approximate: false }), 0)
        }))

      it.effect("XST-19: trims by id, and adds nothing to a missing stream", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "XAUTOCLAIM")
          const key = yield* freshStream
          assert.strictEqual(yield* Redis.xtrim(key, { minid: "3-0", approximate: false }), 2)
          assert.strictEqual(yield* Redis.xtrim(key, { minid: "1-0", limit: 10 }), 0)
          assert.deepStrictEqual(yield* Redis.xrange(key), [third])
          assert.strictEqual(yield* Redis.xaddNomkstream(freshKey(), { a: 1 }), undefined)
          assert.strictEqual(yield* Redis.xaddNomkstream(key, { n: 4 }, { id: "4-0" }), "4-0")
        }))

      it.effect("XST-04, XST-15, XST-16: reads ranges of entries", () =>
        Effect.gen(function*() {
          const key = yield* freshStream
          assert.deepStrictEqual(yield* Redis.xrange(key), [first, second, third])
          assert.deepStrictEqual(yield* Redis.xrange(key, "2", 2), [second])
          assert.deepStrictEqual(yield* Redis.xrange(key, "-", "+", { count: 2 }), [first, second])
          assert.deepStrictEqual(yield* Redis.xrevrange(key), [third, second, first])
          assert.deepStrictEqual(yield* Redis.xrevrange(key, "2-0", "-", { count: 1 }), [second])
          assert.strictEqual(yield* Redis.xdel(key, "2-0", "9-0"), 1)
          assert.deepStrictEqual(yield* Redis.xrange(key), [first, third])
          assert.deepStrictEqual(yield* Redis.xrange(freshKey()), [])
        }))

      it.effect("XST-15: a field that is there twice is an error in a record, and a pair each as bytes", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.xadd(key, [["a", 1], ["a", 2]], { id: "1-0" })
          assert.deepInclude(yield* Effect.flip(Redis.xrange(key)), { _tag: "DecodeError", command: "XRANGE" })
          const [a, one, two] = [Uint8Array.of(0x61), Uint8Array.of(0x31), Uint8Array.of(0x32)]
          assert.deepStrictEqual(yield* Redis.asBytes(Redis.xrange(key)), [{ id: "1-0", fields: [[a, one], [a, two]] }])
        }))

      it.effect("XST-17: reads streams that have entries, waiting when none has", () =>
        Effect.gen(function*() {
          const tag = `{${freshKey("stream")}}`
          const [a, b] = [`${tag}a`, `${tag}b`]
          assert.deepStrictEqual(yield* Redis.xread({ [a]: "0", [b]: "0" }), [])
          yield* Redis.xadd(a, { n: 1 }, { id: "1-0" })
          yield* Redis.xadd(a, { n: 2 }, { id: "2-0" })
          assert.deepStrictEqual(yield* Redis.xread({ [a]: "0", [b]: "0" }), [{ stream: a, entries: [first, second] }])
          assert.deepStrictEqual(yield* Redis.xread([[a, "1-0"]], { count: 1 }), [{ stream: a, entries: [second] }])
          assert.deepStrictEqual(yield* Redis.xread({ [a]: "$" }, { block: 10 }), [])
          const waiting = yield* Effect.forkChild(Redis.xread({ [a]: "2-0", [b]: "0" }, { block: 0 }))
          yield* Redis.xadd(b, { n: 3 }, { id: "3-0" })
          assert.deepStrictEqual(yield* Fiber.join(waiting), [{ stream: b, entries: [third] }])
        }))

      it.effect("XST-05, XST-07, XST-08: makes groups, moves them and deletes them", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const missing = yield* Effect.flip(Redis.xgroupCreate(key, "g"))
          assert.strictEqual(missing._tag, "ResponseError")
          assert.strictEqual(yield* Redis.xgroupCreate(key, "g", "$", { mkstream: true }), true)
          const twice = yield* Effect.flip(Redis.xgroupCreate(key, "g"))
          assert.strictEqual(twice._tag === "ResponseError" ? twice.code : twice._tag, "BUSYGROUP")
          yield* Redis.xadd(key, { n: 1 }, { id: "1-0" })
          assert.strictEqual(yield* Redis.xgroupSetid(key, "g", "1-0"), true)
          assert.deepStrictEqual(yield* Redis.xreadgroup("g", "c", { [key]: ">" }), [])
          assert.strictEqual(yield* Redis.xgroupSetid(key, "g", "0"), true)
          assert.deepStrictEqual(yield* Redis.xreadgroup("g", "c", { [key]: ">" }), [{ stream: key, entries: [first] }])
          assert.strictEqual(yield* Redis.xgroupDestroy(key, "g"), true)
          assert.strictEqual(yield* Redis.xgroupDestroy(key, "g"), false)
        }))

      it.effect("XST-06: makes and deletes consumers", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "XAUTOCLAIM")
          const key = yield* freshStream
          assert.strictEqual(yield* Redis.xgroupCreateconsumer(key, "g", "c"), true)
          assert.strictEqual(yield* Redis.xgroupCreateconsumer(key, "g", "c"), false)
          yield* Redis.xreadgroup("g", "c", { [key]: ">" }, { count: 2 })
          assert.strictEqual(yield* Redis.xgroupDelconsumer(key, "g", "c"), 2)
          assert.strictEqual(yield* Redis.xgroupDelconsumer(key, "g", "c"), 0)
        }))

      it.effect("XST-01, XST-18: delivers entries until they are acknowledged", () =>
        Effect.gen(function*() {
          const key = yield* freshStream
          const read = (id: string) => Redis.xreadgroup("g", "c", { [key]: id })
          assert.deepStrictEqual(yield* read("0"), [{ stream: key, entries: [] }])
          assert.deepStrictEqual(yield* read(">"), [{ stream: key, entries: [first, second, third] }])
          assert.deepStrictEqual(yield* read(">"), [])
          assert.strictEqual(yield* Redis.xack(key, "g", "1-0", "9-0"), 1)
          yield* Redis.xdel(key, "2-0")
          assert.deepStrictEqual(yield* read("0"), [{ stream: key, entries: [entry("2-0", {}), third] }])
          yield* Redis.xadd(key, { n: 4 }, { id: "4-0" })
          yield* Redis.xreadgroup("g", "c", { [key]: ">" }, { noack: true, count: 1, block: 10 })
          assert.strictEqual((yield* Redis.xpending(key, "g")).pending, 2)
          const unknown = yield* Effect.flip(Redis.xreadgroup("nobody", "c", { [key]: ">" }))
          assert.strictEqual(unknown._tag === "ResponseError" ? unknown.code : unknown._tag, "NOGROUP")
          const waiting = yield* Effect.forkChild(Redis.xreadgroup("g", "c", { [key]: ">" }, { block: 0 }))
          yield* Redis.xadd(key, { n: 5 }, { id: "5-0" })
          assert.deepStrictEqual(yield* Fiber.join(waiting), [{ stream: key, entries: [entry("5-0", { n: "5" })] }])
        }))

      it.effect("XST-13, XST-14: tells what is pending", () =>
        Effect.gen(function*() {
          const key = yield* freshStream
          const nothing = { pending: 0, min: undefined, max: undefined, consumers: [] }
          assert.deepStrictEqual(yield* Redis.xpending(key, "g"), nothing)
          assert.deepStrictEqual(yield* Redis.xpendingRange(key, "g", "-", "+", 10), [])
          yield* Redis.xreadgroup("g", "a", { [key]: ">" }, { count: 1 })
          yield* Redis.xreadgroup("g", "b", { [key]: ">" })
          assert.deepStrictEqual(yield* Redis.xpending(key, "g"), {
            pending: 3,
            min: "1-0",
            max: "3-0",
            consumers: [{ name: "a", pending: 1 }, { name: "b", pending: 2 }]
          })
          const [one, ...others] = yield* Redis.xpendingRange(key, "g", "-", "+", 2)
          assert.strictEqual(others.length, 1)
          assert.strictEqual(one?.messageId, "1-0")
          assert.strictEqual(one?.consumer, "a")
          assert.strictEqual(one?.timesDelivered, 1)
          assert.isBelow(Duration.toMillis(one?.timeSinceDelivered ?? "1 day"), 10_000)
          const ofB = yield* Redis.xpendingRange(key, "g", "-", "+", 10, { consumer: "b" })
          assert.deepStrictEqual(ofB.map(({ messageId }) => messageId), ["2-0", "3-0"])
        }))

      it.effect("XST-14: filters what is pending by its idle time", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "XAUTOCLAIM")
          const key = yield* freshStream
          yield* Redis.xreadgroup("g", "a", { [key]: ">" })
          assert.deepStrictEqual(yield* Redis.xpendingRange(key, "g", "-", "+", 10, { idle: "1 hour" }), [])
          assert.strictEqual((yield* Redis.xpendingRange(key, "g", "-", "+", 10, { idle: 0 })).length, 3)
        }))

      it.effect("XST-03: claims entries that are idle", () =>
        Effect.gen(function*() {
          const key = yield* freshStream
          yield* Redis.xreadgroup("g", "a", { [key]: ">" })
          assert.deepStrictEqual(yield* Redis.xclaim(key, "g", "b", "1 hour", ["1-0"]), [])
          const claimed = yield* Redis.xclaim(key, "g", "b", 0, ["1-0"], { idle: "2 hours", retrycount: 7 })
          assert.deepStrictEqual(claimed, [first])
          const [one] = yield* Redis.xpendingRange(key, "g", "1-0", "1-0", 1)
          assert.strictEqual(one?.consumer, "b")
          assert.strictEqual(one?.timesDelivered, 7)
          assert.isAtLeast(Duration.toMillis(one?.timeSinceDelivered ?? 0), Duration.toMillis("2 hours"))
          assert.deepStrictEqual(yield* Redis.xclaimJustid(key, "g", "a", "1 hour", ["1-0", "2-0"]), ["1-0"])
          assert.strictEqual((yield* Redis.xpendingRange(key, "g", "1-0", "1-0", 1))[0]?.timesDelivered, 7)
          yield* Redis.xack(key, "g", "2-0")
          assert.deepStrictEqual(yield* Redis.xclaim(key, "g", "b", 0, ["2-0"]), [])
          assert.deepStrictEqual(yield* Redis.xclaim(key, "g", "b", 0, ["2-0"], { force: true, time: 1000 }), [second])
          yield* Redis.xdel(key, "3-0")
          assert.deepStrictEqual(yield* Redis.xclaim(key, "g", "b", 0, ["2-0", "3-0"]), [second])
        }))

      it.effect("claims what is idle", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "XAUTOCLAIM")
          const key = yield* freshStream
          yield* Redis.xreadgroup("g", "a", { [key]: ">" })
          const page = yield* Redis.xautoclaim(key, "g", "b", 0, "0-0", { count: 2 })
          assert.deepStrictEqual(page, { cursor: "3-0", entries: [first, second], deleted: [] })
          yield* Redis.xdel(key, "2-0")
          const { cursor, ids } = yield* Redis.xautoclaimJustid(key, "g", "c", 0)
          assert.strictEqual(cursor, "0-0")
          assert.deepStrictEqual(ids.filter((id) => id !== "2-0"), ["1-0", "3-0"])
          assert.deepStrictEqual((yield* Redis.xautoclaim(key, "g", "d", "1 hour")).entries, [])
        }))

      it.effect("reads for a group and claims in one step", (context) =>
        Effect.gen(function*() {
          // The option came with Redis 8.4, as this command did.
          yield* requireCommand(context, "DELEX")
          const key = yield* freshStream
          yield* Redis.xreadgroup("g", "a", { [key]: ">" }, { count: 1 })
          const [read] = yield* Redis.xreadgroupClaim("g", "b", { [key]: ">" }, 0, { count: 2 })
          assert.strictEqual(read?.stream, key)
          assert.deepStrictEqual(
            read?.entries.map(({ fields, id, timesDelivered }) => ({ fields, id, timesDelivered })),
            [
              { ...first, timesDelivered: 1 },
              { ...second, timesDelivered: 0 }
            ]
          )
          assert.deepStrictEqual(read?.entries[1]?.timeSinceDelivered, Duration.zero)
          yield* Redis.xreadgroup("g", "b", { [key]: ">" })
          assert.deepStrictEqual(yield* Redis.xreadgroupClaim("g", "a", { [key]: ">" }, "1 hour"), [])
        }))

      it.effect("deletes entries with their references", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "XDELEX")
          const key = yield* freshStream
          yield* Redis.xgroupCreate(key, "h", "0")
          yield* Redis.xreadgroup("g", "a", { [key]: ">" })
          assert.deepStrictEqual(yield* Redis.xackdel(key, "g", ["1-0", "9-0"], "acked"), [2, -1])
          assert.deepStrictEqual(yield* Redis.xdelex(key, ["2-0"], "acked"), [2])
          assert.deepStrictEqual(yield* Redis.xdelex(key, ["9-0"]), [-1])
          assert.deepStrictEqual(yield* Redis.xdelex(key, ["1-0"], "delref"), [1])
          assert.deepStrictEqual(yield* Redis.xackdel(key, "g", ["2-0"]), [1])
          yield* Redis.xadd(key, { n: 4 }, { id: "4-0", maxlen: 1, approximate: false, references: "delref" })
          assert.strictEqual((yield* Redis.xpending(key, "g")).pending, 0)
        }))

      it.effect("adds a message once", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "XCFGSET")
          const key = freshKey()
          const id = yield* Redis.xadd(key, { a: 1 }, { idmp: { pid: "p", iid: 1 } })
          assert.strictEqual(yield* Redis.xadd(key, { a: 1 }, { idmp: { pid: "p", iid: 1 } }), id)
          assert.strictEqual(yield* Redis.xlen(key), 1)
          const other = yield* Redis.xadd(key, { a: 2 }, { idmpauto: "p" })
          assert.strictEqual(yield* Redis.xadd(key, { a: 2 }, { idmpauto: "p" }), other)
          assert.strictEqual(yield* Redis.xcfgset(key, { idmpDuration: "2 minutes", idmpMaxsize: 10 }), true)
          const { idmpDuration, idmpMaxsize } = yield* Redis.xinfoStream(key)
          assert.deepStrictEqual({ idmpDuration, idmpMaxsize }, { idmpDuration: 120, idmpMaxsize: 10 })
        }))

      it.effect("XST-11, REC-05: describes a stream", () =>
        Effect.gen(function*() {
          const key = yield* freshStream
          const info = yield* Redis.xinfoStream(key)
          assert.strictEqual(info.length, 3)
          assert.strictEqual(info.radixTreeKeys, 1)
          assert.isAbove(info.radixTreeNodes, 0)
          assert.strictEqual(info.lastGeneratedId, "3-0")
          assert.strictEqual(info.groups, 1)
          assert.deepStrictEqual(info.firstEntry, first)
          assert.deepStrictEqual(info.lastEntry, third)
          yield* Redis.xtrim(key, { maxlen: 0, approximate: false })
          const empty = yield* Redis.xinfoStream(key)
          assert.strictEqual(empty.firstEntry, undefined)
          assert.strictEqual(empty.lastEntry, undefined)
        }))

      it.effect("REC-05, REC-06: tells what was added and what is read", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "ZMPOP")
          const key = yield* freshStream
          yield* Redis.xdel(key, "1-0")
          yield* Redis.xreadgroup("g", "c", { [key]: ">" }, { count: 1 })
          const info = yield* Redis.xinfoStream(key)
          assert.strictEqual(info.entriesAdded, 3)
          assert.strictEqual(info.maxDeletedEntryId, "1-0")
          assert.strictEqual(info.recordedFirstEntryId, "2-0")
          assert.strictEqual(yield* Redis.xsetid(key, "9-0", { entriesadded: 9, maxdeletedid: "5-0" }), true)
          assert.strictEqual((yield* Redis.xinfoStream(key)).maxDeletedEntryId, "5-0")
          yield* Redis.xgroupCreate(key, "h", "2-0", { entriesread: 8 })
          const groups = yield* Redis.xinfoGroups(key)
          assert.strictEqual(groups.find(({ name }) => name === "h")?.entriesRead, 8)
        }))

      it.effect("XST-09, XST-10, REC-06, REC-07: describes groups and consumers", () =>
        Effect.gen(function*() {
          const key = yield* freshStream
          yield* Redis.xreadgroup("g", "c", { [key]: ">" }, { count: 2 })
          const [group, ...groups] = yield* Redis.xinfoGroups(key)
          assert.deepStrictEqual(groups, [])
          assert.strictEqual(group?.name, "g")
          assert.strictEqual(group?.consumers, 1)
          assert.strictEqual(group?.pending, 2)
          assert.strictEqual(group?.lastDeliveredId, "2-0")
          const [consumer, ...consumers] = yield* Redis.xinfoConsumers(key, "g")
          assert.deepStrictEqual(consumers, [])
          assert.strictEqual(consumer?.name, "c")
          assert.strictEqual(consumer?.pending, 2)
          assert.isBelow(Duration.toMillis(consumer?.idle ?? "1 day"), 10_000)
          assert.strictEqual((yield* Effect.flip(Redis.xinfoGroups(freshKey())))._tag, "ResponseError")
        }))

      it.effect("describes a stream in full", () =>
        Effect.gen(function*() {
          const key = yield* freshStream
          yield* Redis.xreadgroup("g", "c", { [key]: ">" }, { count: 2 })
          const info = yield* Redis.xinfoStreamFull(key, { count: 1 })
          assert.strictEqual(info.length, 3)
          assert.deepStrictEqual(info.entries, [first])
          const [group] = info.groups
          assert.strictEqual(group?.name, "g")
          assert.strictEqual(group?.pelCount, 2)
          assert.strictEqual(group?.pending[0]?.consumer, "c")
          const [consumer] = group?.consumers ?? []
          assert.strictEqual(consumer?.pelCount, 2)
          assert.strictEqual(consumer?.pending[0]?.id, "1-0")
          assert.strictEqual(consumer?.pending[0]?.deliveryCount, 1)
          assert.isAbove(consumer?.seenTime ?? 0, 1e12)
        }))

      it.effect("sets the last id", () =>
        Effect.gen(function*() {
          const key = yield* freshStream
          assert.strictEqual(yield* Redis.xsetid(key, "9-0"), true)
          assert.strictEqual((yield* Redis.xinfoStream(key)).lastGeneratedId, "9-0")
          assert.strictEqual((yield* Effect.flip(Redis.xsetid(key, "1-0")))._tag, "ResponseError")
        }))
    })
  })
}
