/**
 * Connections that are opened by fibers that rest between any two steps, while servers and users go on.
 */
import { assert, describe } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import { MaxOpsBeforeYield } from "effect/Scheduler"

const isMaster = Encode.array([Encode.bulk("master"), Encode.integer(0), Encode.array([])])

describe("A connection that is lost when its server has said that it is the master", () => {
  inVirtualTime(
    "keeps nothing of the pool's limit, wherever the fiber rests that opens it",
    () =>
      Effect.gen(function*() {
        for (let steps = 3; steps < 20; steps++) {
          const { master, sentinel } = yield* Fake.make()
          master.instead = ({ name }, { index }) =>
            name === "ROLE" && index === 0 ? FakeNode.cutAfter(isMaster) : undefined
          const client = yield* Effect.provideService(
            Fake.client([sentinel], { clientInfo: false, pool: { max: 2 } }),
            MaxOpsBeforeYield,
            steps
          )
          const ping = Effect.scoped(Effect.flatMap(client.reserve, (reserved) => reserved.execute(Redis.ping())))
          yield* Effect.exit(ping)
          assert.strictEqual(yield* Effect.retry(ping, { times: 3 }), true, `${steps} steps`)
        }
      })
  )
})
