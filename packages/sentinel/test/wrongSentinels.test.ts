/**
 * Sentinels that are wrong, stale or lie, among others that are right.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { inspect } from "node:util"

const getK = Redis.get("k")

/** What one sentinel says of the master, while two others name one that is up. All know of the same failover. */
const wrong = [
  ["a server that is not there", inVirtualTime, { port: 7 }],
  // Names are looked up in real time.
  ["a name that nobody knows", it.live, { host: "nobody.invalid", port: 7 }]
] as const

/** What cannot be the address of any server. */
const noAddresses = [
  ["port 0", { port: 0 }],
  ["a port that cannot be", { port: 99_999 }],
  ["a host without a name", { host: "", port: 7 }],
  ["what is no name", { host: "a b", port: 7 }],
  ["what a terminal would obey", { host: "\u001b[2Jhost\r\nFAKE LINE\u202e", port: 7 }],
  ["more than a name can be", { host: "h".repeat(60_000), port: 7 }]
] as const

/** Fails for an error that shows more than an error should. */
const assertPresentable = (error: RedisError.RedisError): void => {
  const shown = `${String(error)}${JSON.stringify(error)}${inspect(error, { depth: 9 })}`
  assert.isBelow(error.message.length, 3000)
  // The line ends are those of `inspect`.
  assert.notMatch(shown, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  assert.notMatch(shown, /^FAKE LINE/m)
}

describe("A sentinel that names as the master", () => {
  for (const [title, test, named] of wrong) {
    test(`${title} is asked last from then on, and the others are believed`, () =>
      Effect.gen(function*() {
        const { master, sentinels } = yield* Fake.make({ sentinels: 3 })
        sentinels[0].master = named
        const client = yield* Fake.client(sentinels)
        const error = yield* Effect.flip(client.execute(getK))
        assert.strictEqual(error._tag, "ConnectionError")
        assert.isTrue(RedisError.isSafeToRetry(error))
        assert.strictEqual(yield* client.execute(getK), String(master.port))
      }))
  }

  for (const [title, named] of noAddresses) {
    inVirtualTime(
      `${title} is not believed at all; alone, it is told in words that can be shown`,
      () =>
        Effect.gen(function*() {
          const { master, replicas, sentinels } = yield* Fake.make({ sentinels: 3, replicas: 1 })
          for (const sentinel of sentinels.slice(0, 2)) {
            sentinel.master = { ...named, epoch: 9 }
            sentinel.replicas = [named]
            sentinel.sentinels = [named]
          }
          const client = yield* Fake.client(sentinels)
          assert.strictEqual(yield* client.execute(getK), String(master.port))
          const reader = yield* Fake.client(sentinels, { role: "replica" })
          assert.strictEqual(yield* reader.execute(getK), String(replicas[0]?.port))
          for (const role of ["master", "replica"] as const) {
            const alone = yield* Fake.client([sentinels[0]], { role })
            const error = yield* Effect.flip(alone.execute(getK))
            assert.match(error.message, /It names a master without a usable address: the port \d+ and the host "/)
            assertPresentable(error)
          }
        })
    )
  }

  inVirtualTime(
    "an address that is none in an announcement is not dialled, and the sentinel is listened to as before",
    () =>
      Effect.gen(function*() {
        const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
        const client = yield* Fake.client([sentinel])
        yield* client.execute(getK)
        // The second channel is subscribed to when the first one is listened to.
        yield* sentinel.node.awaitCommand("SUBSCRIBE", 2)
        const { total } = sentinel.node.connections
        for (const host of ["\u001b[2J", "h".repeat(60_000), ""]) {
          for (const port of ["7", "x", "99999999999999999999"]) {
            yield* Fake.publish(sentinel, "+switch-master", `${Fake.service} 127.0.0.1 1 ${host} ${port}`)
            yield* Fake.publish(sentinel, "+selected-slave", `slave x ${host} ${port} @ ${Fake.service} 127.0.0.1 1`)
          }
        }
        yield* Client.causing(
          client,
          "MasterChanged",
          Effect.andThen(
            Fake.failOver([sentinel], master, next),
            Effect.suspend(() => Fake.announce(sentinel, master, next))
          )
        )
        assert.strictEqual(yield* client.execute(getK), String(next.port))
        assert.strictEqual(sentinel.node.connections.total, total)
      })
  )

  inVirtualTime("a server that takes connections and is silent is asked last as well", () =>
    Effect.gen(function*() {
      const { master, sentinels } = yield* Fake.make({ sentinels: 3 })
      const silent = yield* FakeNode.make(() => FakeNode.stall())
      sentinels[0].master = { port: silent.port }
      const client = yield* Fake.client(sentinels, { connectTimeout: "500 millis" })
      assert.isTrue(RedisError.isSafeToRetry(yield* Effect.flip(client.execute(getK))))
      assert.strictEqual(yield* client.execute(getK), String(master.port))
    }))

  inVirtualTime("a server that does not speak RESP is asked last as well", () =>
    Effect.gen(function*() {
      const { master, sentinels } = yield* Fake.make({ sentinels: 3 })
      const web = yield* FakeNode.make(() => Encode.raw("HTTP/1.1 400 Bad Request\r\n\r\n"))
      sentinels[0].master = { port: web.port }
      const client = yield* Fake.client(sentinels)
      assert.strictEqual((yield* Effect.flip(client.execute(getK)))._tag, "ProtocolError")
      assert.strictEqual(yield* client.execute(getK), String(master.port))
    }))
})

/** Replies of a sentinel of which a client must not keep all. */
const endless = [
  ["a string of 100 MB", Encode.raw(`$100000000\r\n${"x".repeat(200_000)}`)],
  ["a state with a name of 100 MB", Encode.raw(`*2\r\n$4\r\nname\r\n$100000000\r\n${"x".repeat(200_000)}`)],
  ["100 million elements", Encode.raw(`*100000000\r\n${"$1\r\nx\r\n".repeat(20_000)}`)],
  ["many lists of many elements", Encode.raw(`*500\r\n${`*1000\r\n${"$1\r\nx\r\n".repeat(1000)}`.repeat(500)}`)],
  ["a line without an end", Encode.raw(`+${"x".repeat(2_000_000)}`)],
  ["an error without an end", Encode.raw(`-ERR ${"x".repeat(2_000_000)}`)]
] as const

describe("A sentinel that answers with", () => {
  for (const [title, reply] of endless) {
    inVirtualTime(
      `${title} is not listened to any longer than that shows, and the others are believed`,
      () =>
        Effect.gen(function*() {
          const { master, sentinels } = yield* Fake.make({ sentinels: 2 })
          const [lying] = sentinels
          lying.instead = ({ name }) => name === "SENTINEL" ? reply : undefined
          const client = yield* Fake.client(sentinels)
          assert.strictEqual(yield* client.execute(getK), String(master.port))
          const alone = yield* Fake.client([lying])
          const error = yield* Client.failure(alone, getK, "MasterNotFoundError")
          assert.match(error.message, /more than the limits allow/)
          assertPresentable(error)
        })
    )
  }

  inVirtualTime(
    "an announcement of 100 MB loses it the connection, and it is listened to again",
    () =>
      Effect.gen(function*() {
        const { sentinel } = yield* Fake.make()
        const client = yield* Fake.client([sentinel])
        yield* client.execute(getK)
        yield* sentinel.node.awaitCommand("SUBSCRIBE", 2)
        const subscriber = sentinel.node.connections.live.find(({ commands }) =>
          commands.some(({ name }) => name === "SUBSCRIBE")
        )
        const push = `>3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$100000000\r\n${"x".repeat(200_000)}`
        yield* Effect.exit(sentinel.node.push(subscriber?.index ?? -1, Encode.raw(push)))
        // Without a limit it would be given up as one that hangs, seconds later.
        yield* Effect.timeout(sentinel.node.awaitCommand("SUBSCRIBE", 3), "2 seconds")
      })
  )

  inVirtualTime(
    "announcements without end has the others asked now and then, and not for each of them",
    () =>
      Effect.gen(function*() {
        const { master, sentinels: [flooding, other] } = yield* Fake.make({ sentinels: 2 })
        const client = yield* Fake.client([flooding, other])
        yield* client.execute(getK)
        yield* flooding.node.awaitCommand("SUBSCRIBE", 2)
        const before = Fake.asked(other)
        const began = yield* Clock.currentTimeMillis
        const text = `${Fake.service} 127.0.0.1 ${master.port} 127.0.0.1 7`
        yield* Effect.repeat(
          Effect.andThen(
            Effect.suspend(() => Fake.publish(flooding, "+switch-master", text)),
            Effect.sleep("1 millis")
          ),
          { times: 500 }
        )
        const looks = Fake.asked(other) - before
        assert.isAbove(looks, 1)
        // In each second 20 without a pause, and then one every 50 milliseconds.
        const seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
        assert.isAtMost(looks, 20 * Math.ceil(seconds + 1) + 20 * seconds)
        assert.strictEqual(yield* client.execute(getK), String(master.port))
      })
  )

  inVirtualTime(
    "states with flags without end, or with what a terminal would obey, is told in words that can be shown",
    () =>
      Effect.gen(function*() {
        const { sentinel } = yield* Fake.make()
        for (const flags of ["s_down,".repeat(9000), "s_down,\u001b[2J\r\nFAKE LINE\u202e"]) {
          sentinel.master = { port: 1, flags }
          const client = yield* Fake.client([sentinel])
          const error = yield* Client.failure(client, getK, "MasterNotFoundError")
          assert.match(error.message, /The master is down or none/)
          assertPresentable(error)
        }
      })
  )
})

describe("A server that is given as a sentinel, and is none,", () => {
  inVirtualTime("is told as what it is, and not to be tried again", () =>
    Effect.gen(function*() {
      const data = yield* FakeNode.make(({ name }) =>
        name === "SENTINEL"
          ? Encode.error("ERR unknown command 'SENTINEL', with args beginning with: 'master' ")
          : undefined
      )
      const client = yield* Fake.client([data])
      const error = yield* Client.failure(client, getK, "MasterNotFoundError")
      assert.match(error.message, /It is no sentinel \(ERR unknown command 'SENTINEL'\); their usual port is 26379/)
      assert.isFalse(RedisError.isRetryable(error))
    }))
})

describe("Sentinels that list replicas that are gone", () => {
  inVirtualTime(
    "have the master asked after a few of them, and the next dial goes on with the others",
    () =>
      Effect.gen(function*() {
        const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
        const gone = Array.from({ length: 40 }, (_, index) => ({ port: index + 1 }))
        sentinel.replicas = [...gone, { port: replica.port }]
        const client = yield* Fake.client([sentinel], { role: "replica" })
        const answers = new Array<string | undefined>()
        while (answers.at(-1) !== String(replica.port) && answers.length < 4) {
          answers.push(yield* client.execute(getK))
          yield* Client.causing(
            client,
            "Disconnected",
            master.node.cutAll().pipe(
              Effect.andThen(replica.node.cutAll())
            )
          )
        }
        // Each dial tries 16 of the 41.
        assert.strictEqual(answers.at(-1), String(replica.port))
        sentinel.replicas = gone
        yield* master.node.stopListening
        const alone = yield* Fake.client([sentinel], { role: "replica" })
        const error = yield* Client.failure(alone, getK, "ReplicaNotFoundError")
        assert.strictEqual(error.attempts.length, 16 + 1)
      })
  )
})
