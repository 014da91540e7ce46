/**
 * Sentinels that are set up anew, so that they count failovers from the beginning.
 */
import { assert, describe } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"

const getK = Redis.get("k")

describe("Sentinels that were set up anew", () => {
  inVirtualTime("are believed by every client of a group", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinels } = yield* Fake.make({ replicas: 1, sentinels: 3 })
      for (const sentinel of sentinels) sentinel.master = { port: master.port, epoch: 7 }
      const group = yield* Fake.group(sentinels)
      const options = { service: Fake.service, masterWait: "1 second" } as const
      const clients = yield* Effect.all([group.client(options), group.client(options)])
      for (const client of clients) assert.strictEqual(yield* client.execute(getK), String(master.port))
      yield* Fake.failOver([], master, next)
      for (const sentinel of sentinels) sentinel.master = { port: next.port, epoch: 1 }
      const cutting = clients.reduce((cut, client) => Client.causing(client, "Disconnected", cut), master.node.cutAll())
      yield* cutting
      for (const client of clients) assert.strictEqual(yield* client.execute(getK), String(next.port))
    }))

  inVirtualTime("are believed after a server that they named first could not be reached", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinels } = yield* Fake.make({ replicas: 1, sentinels: 3 })
      for (const sentinel of sentinels) sentinel.master = { port: master.port, epoch: 7 }
      const client = yield* Fake.client(sentinels, { recheckInterval: "1 hour" })
      assert.strictEqual(yield* client.execute(getK), String(master.port))
      yield* Fake.failOver([], master, next)
      for (const sentinel of sentinels) sentinel.master = { port: next.port, epoch: 1 }
      let dials = 0
      next.instead = () => dials++ === 0 ? FakeNode.cut() : undefined
      yield* Client.causing(client, "Disconnected", master.node.cutAll())
      assert.strictEqual(yield* client.execute(getK), String(next.port))
    }))
})
