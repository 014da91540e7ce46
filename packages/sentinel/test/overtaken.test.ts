/**
 * Dials that learn nothing but what was true before: another server has become the master while the sentinels were asked.
 */
import { assert, describe } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

const getK = Redis.get("k")

describe("A dial that news of another master have overtaken", () => {
  for (const [name, epochs] of [["none", []], ["counted", [1, 2]]] as const) {
    inVirtualTime(`looks again at once, with failovers ${name}`, () =>
      Effect.gen(function*() {
        const { master, replicas: [next], sentinels: [first, second] } = yield* Fake.make({ replicas: 1, sentinels: 2 })
        first.master = second.master = { port: master.port, epoch: epochs[0] }
        const client = yield* Fake.client([first, second], { recheckInterval: "1 hour" })
        yield* client.execute(getK)
        yield* first.node.awaitCommand("SUBSCRIBE")
        // A dial waits for a moment for the other one.
        second.instead = () => FakeNode.stall()
        master.instead = () => FakeNode.stall()
        yield* Client.causing(client, "Disconnected", master.node.cutAll())
        const before = Fake.asked(first)
        yield* Fake.awaitAsked(first, "MASTER", before + 1)
        yield* Effect.sleep("50 millis")
        const reading = yield* Effect.forkChild(Effect.timed(client.execute(getK)))
        yield* Fake.awaitAsked(first, "MASTER", before + 2)
        yield* Fake.failOver([], master, next)
        first.master = { port: next.port, epoch: epochs[1] }
        yield* Client.causing(client, "MasterChanged", Fake.announce(first, master, next))
        const [time, value] = yield* Fiber.join(reading)
        assert.strictEqual(value, String(next.port))
        assert.isBelow(Duration.toMillis(time), 500)
      }))
  }
})
