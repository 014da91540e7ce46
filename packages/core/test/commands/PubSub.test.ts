import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { answeredTable } from "./settled.ts"
import { commandTable } from "./table.ts"

const counted = "*4\r\n$1\r\na\r\n:2\r\n$1\r\nb\r\n:0\r\n"

commandTable("PubSub", [
  ["PSC-01: publishes", Redis.publish("c", "m"), "PUBLISH c m", ":3\r\n", 3],
  ["PSC-01: publishes bytes", Redis.publish(Uint8Array.of(99), Uint8Array.of(109)), "PUBLISH c m", ":0\r\n", 0],
  ["PSC-02: lists channels", Redis.pubsubChannels(), "PUBSUB CHANNELS", "*1\r\n$1\r\na\r\n", ["a"]],
  ["PSC-02: lists channels by pattern", Redis.pubsubChannels("a*"), "PUBSUB CHANNELS a*", "*0\r\n", []],
  ["PSC-03: counts patterns", Redis.pubsubNumpat(), "PUBSUB NUMPAT", ":4\r\n", 4],
  [
    "PSC-04, CNV-37: counts subscribers in the order of the channels",
    Redis.pubsubNumsub("a", "b"),
    "PUBSUB NUMSUB a b",
    counted,
    [{ channel: "a", subscribers: 2 }, { channel: "b", subscribers: 0 }]
  ],
  [
    "PSC-04: in the bytes view channels are bytes",
    Redis.asBytes(Redis.pubsubNumsub(["a"])),
    "PUBSUB NUMSUB a",
    "*2\r\n$1\r\na\r\n:1\r\n",
    [{ channel: Uint8Array.of(97), subscribers: 1 }]
  ],
  ["lists shard channels", Redis.pubsubShardchannels(), "PUBSUB SHARDCHANNELS", "*1\r\n$1\r\na\r\n", ["a"]],
  ["lists shard channels by pattern", Redis.pubsubShardchannels("a*"), "PUBSUB SHARDCHANNELS a*", "*0\r\n", []],
  [
    "counts subscribers of shard channels",
    Redis.pubsubShardnumsub("a", "b"),
    "PUBSUB SHARDNUMSUB a b",
    counted,
    [{ channel: "a", subscribers: 2 }, { channel: "b", subscribers: 0 }]
  ],
  ["publishes to a shard channel", Redis.spublish("c", 1), "SPUBLISH c 1", ":1\r\n", 1]
])

answeredTable("PubSub", [
  ["PSC-04: no channels, no counts", Redis.pubsubNumsub(), []],
  ["no shard channels, no counts", Redis.pubsubShardnumsub([]), []]
])

it("routes by the shard channel, not by an ordinary one", () => {
  assert.deepStrictEqual(RedisCommand.keys(Redis.spublish("c", "m")), ["c"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.publish("c", "m")), [])
})
