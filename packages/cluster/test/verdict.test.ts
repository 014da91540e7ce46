/**
 * What every outcome means to every way of sending, without servers.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { ConnectionError, ExecAbortError, ResponseError, SlotNotCoveredError, TimeoutError } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import { ErrorReply } from "@redfx/core/Resp"
import { connectionLoss } from "../../core/src/RedisError.ts"
import { slotOf } from "../src/internal/slot.ts"
import { formatAddress } from "../src/internal/topology.ts"
import { demotion, judge, lossLimit, maxTries, outcomeOf, unspent } from "../src/internal/verdict.ts"
import type { Outcome, Sent, Spent, Verdict, Way, Where } from "../src/internal/verdict.ts"

const ways = [
  "single",
  "batch",
  "exclusive",
  "reserved",
  "held",
  "node",
  "subscription",
  "reading"
] as const satisfies ReadonlyArray<Way>

const key = "k"
const slot = slotOf(key)
const read = Redis.get(key)
const write = Redis.set(key, "v")
const script = Redis.send("EVAL", "return 1", "1", key)

/** The servers of the slot, and one of others. */
const master = "m:1"
const replica = "r:1"

const at = (address: string | undefined): Where => ({ address, master, translate: (address) => address })

const refused = (line: string, queued = false): Outcome => ({
  _tag: "Refused",
  code: line.split(" ")[0]!,
  line,
  queued
})

const lost = (reason: ConnectionError["reason"], delivery: "not-sent" | "unknown"): Outcome => ({
  _tag: "Lost",
  error: connectionLoss(reason, "lost", master),
  delivery
})

const timedOut = (phase: TimeoutError["phase"], delivery: "not-sent" | "unknown"): Outcome => ({
  _tag: "Lost",
  error: new TimeoutError({ phase, milliseconds: 1, delivery, readonly: false }),
  delivery
})

const limits = { now: 1000, downAttempts: 3 }

const shown = ({ learn, next }: Verdict): string => {
  const learned = learn === undefined ? "" : `${learn._tag}, `
  if (next._tag === "Settle") return `${learned}${next.error?._tag ?? "as it is"}`
  const to = typeof next.to === "string" ? next.to : `${next.to.asking ? "asking " : ""}${formatAddress(next.to.node)}`
  return `${learned}${to} ${next.after}${next.ran ? ", ran" : ""}`
}

const verdictOn = (outcome: Outcome, sent: Sent, where = at(master), spent: Spent = unspent): string =>
  shown(judge(sent, where, outcome, spent, limits))

/** Ways that mean the same are written together; `others` are all that no other line names. */
type Cells = Partial<Record<Way | "others" | "free", string>>

const free: ReadonlySet<Way> = new Set<Way>(["single", "batch", "exclusive"])

const rows: ReadonlyArray<readonly [name: string, outcome: Outcome, read: Cells, write: Cells]> = []
void rows
for (const [name, outcome] of Object.entries({
  moved: refused(`MOVED ${slot} b:2`), movedSelf: refused(`MOVED ${slot} ${master}`), movedQ: refused(`MOVED ${slot} ?:2`), movedEmpty: refused(`MOVED ${slot} :2`), movedBad: refused("MOVED x y"),
  ask: refused(`ASK ${slot} b:2`), tryagain: refused("TRYAGAIN not now"), loading: refused("LOADING x"), readonly: refused("READONLY x"), unblocked: refused("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"), unblocked2: refused("UNBLOCKED client unblocked via CLIENT UNBLOCK"),
  clusterdown: refused("CLUSTERDOWN x"), masterdown: refused("MASTERDOWN x"), crossslot: refused("CROSSSLOT x"), err: refused("ERR x"),
  refusedN: lost("Refused", "not-sent"), dns: lost("Dns", "not-sent"), resetN: lost("Reset", "not-sent"), resetU: lost("Reset", "unknown"), closedU: lost("Closed", "unknown"), healthU: lost("HealthCheck", "unknown"), healthN: lost("HealthCheck", "not-sent"),
  demoted: lost("Demoted", "not-sent"), tls: lost("Tls", "not-sent"), handshake: lost("Handshake", "not-sent"), pool: lost("PoolTimeout", "not-sent"), max: lost("MaxClients", "not-sent"), closed: lost("ClientClosed", "unknown"),
  connectT: timedOut("connect", "not-sent"), writeT: timedOut("write", "not-sent"), readT: timedOut("read", "unknown"),
  avoided: { _tag: "Avoided", error: connectionLoss("Refused", "x", master), delivery: "not-sent" } as Outcome, uncovered: { _tag: "Uncovered" } as Outcome, other: { _tag: "Other" } as Outcome
})) {
  for (const [kind, command] of [["read", read], ["write", write]] as const) {
    console.log(name, kind, JSON.stringify(ways.map((way) => verdictOn(outcome, { way, command }))))
  }
  console.log(name, "read at replica", JSON.stringify(ways.map((way) => verdictOn(outcome, { way, command: read }, at(replica)))))
  console.log(name, "script", JSON.stringify(verdictOn(outcome, { way: "single", command: script })))
}
describe("x", () => { it("y", () => {}) })
