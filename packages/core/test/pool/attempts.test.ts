/**
 * Why there is no connection, in words.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisError } from "@redfx/core"
import { Attempts } from "../../src/internal/pool/attempts.ts"

describe("A request that waits in vain while attempts to connect fail", () => {
  it("is told what each sentinel has said", () => {
    const attempts = new Attempts("sentinel mymaster, master", () => 0)
    const said = [{ address: "s1:26379", detail: "The master is down" }, { address: "s2:26379", detail: "late" }]
    attempts.begin()
    attempts.fail(new RedisError.MasterNotFoundError({ service: "mymaster", attempts: said }))
    assert.strictEqual(
      attempts.late(200).detail,
      "no connection was open; the last attempt failed: no master was found; s1:26379: The master is down; s2:26379: late"
    )
    attempts.fail(new RedisError.ReplicaNotFoundError({ service: "mymaster", attempts: said }))
    attempts.begin()
    assert.strictEqual(
      attempts.late(200).detail,
      "no connection could be opened in 0 ms; the attempt before that failed: no replica was found; s1:26379: The master is " +
        "down; s2:26379: late"
    )
  })
})
