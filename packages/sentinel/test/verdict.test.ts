/**
 * What an outcome says of the master: every row of it.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisError } from "@redfx/core"
import * as Resp from "@redfx/core/Resp"
import { verdict } from "../src/internal/verdict.ts"
import type { Observation, Role, Verdict } from "../src/internal/verdict.ts"

const refused = (line: string): Observation => ({ _tag: "Refused", error: new Resp.ErrorReply(line) })
const loss = (reason: RedisError.ConnectionError["reason"]) => RedisError.connectionLoss(reason, "for a test", "a:1")
const lost = (error: RedisError.CommandError): Observation => ({ _tag: "Lost", error })
const notOpened = (error: RedisError.CommandError): Observation => ({ _tag: "NotOpened", error })

const unblocked = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
const credentials = new RedisError.AuthenticationError({ code: "WRONGPASS", detail: "", command: "HELLO" })
const late = new RedisError.TimeoutError({ phase: "connect", milliseconds: 1, delivery: "not-sent", readonly: false })
const protocol = new RedisError.ProtocolError({ detail: "", address: "a:1" })

type Row = readonly [what: string, seen: Observation, role: Role, learn: Verdict["learn"], ends?: string]

const rows: ReadonlyArray<Row> = [
  ["a refused write", refused("READONLY You can't write"), "master", "doubt", "Demoted"],
  ["a refused write on a replica", refused("READONLY You can't write"), "replica", undefined],
  ["the end of what blocks", refused(unblocked), "master", "doubt", "Demoted"],
  ["the end of what blocks on a replica", refused(unblocked), "replica", "doubt", "Closed"],
  ["CLIENT UNBLOCK", refused("UNBLOCKED client unblocked via CLIENT UNBLOCK"), "master", undefined],
  ["a lost master of its own", refused("MASTERDOWN Link with MASTER is down"), "master", "doubt", "Demoted"],
  ["the same on a replica", refused("MASTERDOWN Link with MASTER is down"), "replica", undefined, "Closed"],
  ["loading", refused("LOADING Redis is loading"), "master", "doubt"],
  ["loading on a replica", refused("LOADING Redis is loading"), "replica", undefined, "Closed"],
  ["any other error", refused("ERR no"), "master", undefined],
  ["an error of a type", refused("WRONGTYPE no"), "master", undefined],
  ["a busy server", refused("BUSY Redis is busy"), "master", undefined],
  ["a closed connection", lost(loss("Closed")), "master", "doubt"],
  ["a reset connection", lost(loss("Reset")), "master", "doubt"],
  ["a server that does not answer", lost(loss("HealthCheck")), "master", "doubt"],
  ["nonsense", lost(protocol), "master", "doubt"],
  ["the end of the client", lost(loss("ClientClosed")), "master", undefined],
  ["a master known to be none", lost(loss("Demoted")), "master", undefined],
  ["a closed connection to a replica", lost(loss("Closed")), "replica", undefined],
  ["a refused dial", notOpened(loss("Refused")), "master", "doubt"],
  ["a late dial", notOpened(late), "master", "doubt"],
  ["a server that is no master", notOpened(loss("Demoted")), "master", "doubt"],
  ["no master", notOpened(new RedisError.MasterNotFoundError({ service: "s", attempts: [] })), "master", "doubt"],
  ["a replica that is the master", { _tag: "NotReplica", error: loss("Demoted") }, "replica", "another"],
  ["a replica that refuses", { _tag: "NotReplica", error: loss("Refused") }, "replica", undefined],
  ["wrong credentials", notOpened(credentials), "master", undefined],
  ["a refused certificate", notOpened(loss("Tls")), "master", undefined],
  ["silence", { _tag: "Silent" }, "master", "doubt"],
  ["silence of a replica", { _tag: "Silent" }, "replica", "asleep"],
  ["an answer at last", { _tag: "Answered" }, "master", "trust"],
  ["an answer of a replica at last", { _tag: "Answered" }, "replica", "awake"],
  ["its own word", { _tag: "Opened" }, "master", "trust"]
]

describe("The verdict", () => {
  for (const [what, seen, role, learn, ends] of rows) {
    const follows = learn === undefined ? "teaches nothing" : `teaches ${learn}`
    it(`${what} ${follows}${ends === undefined ? "" : `, and the connection ends as ${ends}`}`, () => {
      const { learn: learnt, loss } = verdict(seen, role, "a:1")
      assert.strictEqual(learnt, learn)
      assert.strictEqual(loss === undefined ? undefined : "reason" in loss ? loss.reason : loss._tag, ends)
    })
  }
})
