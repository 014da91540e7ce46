/**
 * What a lease of a connection notes of transactions that its holder begins by name.
 */
import { assert, describe, it } from "@effect/vitest"
import { worked } from "@redfx/testing/Worked"
import * as Effect from "effect/Effect"
import { BatchRequest } from "../../src/internal/connection/batchRequest.ts"
import { Exchange } from "../../src/internal/connection/exchange.ts"
import { Lease } from "../../src/internal/pool/recycle.ts"
import * as RedisCommand from "../../src/RedisCommand.ts"
import * as Resp from "../../src/Resp.ts"

const held = (maxCommands: number) => {
  const exchange = new Exchange({
    origin: { address: "test:1", textDecoding: "strict" },
    maxCommands,
    maxBytes: Infinity,
    onWork: () => {},
    onFlush: () => {},
    onPush: () => false,
    onClose: () => {}
  })
  const lease = new Lease({
    address: "test:1",
    protocol: 3,
    exchange,
    liveness: { silence: 0 },
    submit: exchange.submit,
    probe: Effect.void,
    close: (reason) => exchange.close(reason),
    lost: Effect.never
  }, () => {})
  /** Sends commands together, and gives the answers. */
  const run = (commands: ReadonlyArray<RedisCommand.Any>, answers: ReadonlyArray<Resp.Value>) => {
    lease.submit(new BatchRequest({ commands }, undefined, () => {}))
    while (exchange.encode().length > 0);
    for (let given = 0; given < answers.length;) given = exchange.receive(answers, given)
    assert.strictEqual(exchange.inFlight, 0)
  }
  return { lease, run }
}

const multi = RedisCommand.send("MULTI")
const exec = RedisCommand.send("EXEC")

describe("A lease", () => {
  it("knows whether a transaction is open by what was written, and by what was refused", () => {
    const { lease, run } = held(16)
    run([multi], ["OK"])
    assert.isTrue(lease.isAlone)
    run([multi], [new Resp.ErrorReply("ERR MULTI calls can not be nested")])
    assert.isTrue(lease.isAlone)
    run([exec], [[]])
    assert.isFalse(lease.isAlone)
    run([multi], [new Resp.ErrorReply("NOPERM this user has no permissions to run the 'multi' command")])
    assert.isFalse(lease.isAlone)
  })

  it("notes transactions in time linear in their number", () => {
    const size = 200_000
    const { lease, run } = held(size)
    const started = worked()
    run(Array.from({ length: size / 2 }, () => [multi, exec]).flat(), Array.from({ length: size }, () => "OK"))
    run([multi], ["OK"])
    assert.isTrue(lease.isAlone)
    // It takes half a second; what is quadratic, a minute.
    assert.isBelow(worked() - started, 10_000)
  })
})
