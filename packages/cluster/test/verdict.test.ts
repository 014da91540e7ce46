/**
 * What every outcome means to every way of sending, without servers.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import {
  AuthenticationError,
  BusyLoadingError,
  ClusterDownError,
  ConnectionError,
  connectionLoss,
  ExecAbortError,
  ReadOnlyError,
  ResponseError,
  SlotNotCoveredError,
  TimeoutError
} from "@redfx/core/RedisError"
import { ErrorReply } from "@redfx/core/Resp"
import * as Result from "effect/Result"
import { demotion, judge, lossLimit, maxTries, outcomeOf } from "../src/internal/routing/verdict.ts"
import { unspent } from "../src/internal/routing/verdictModel.ts"
import type { Outcome, Sent, Spent, Verdict, Way, Where } from "../src/internal/routing/verdictModel.ts"
import { slotOf } from "../src/internal/topology/slot.ts"

const key = "k"
const slot = slotOf(key)
const read = Redis.get(key)
const write = Redis.set(key, "v")
const script = Redis.send("EVAL", "return 1", "1", key)

/** The servers of the slot. */
const master = "m:1"
const replica = "r:1"

const at = (address: string | undefined, of: string | undefined = master, hasOther = false): Where => ({
  address,
  master: of,
  hasOther,
  isCurrent: false,
  translate: Result.succeed,
  atPort: (port) => port === 2 ? { host: "b", port } : undefined,
  follows: ({ host }) => host !== "one-too-many"
})

const refused = (line: string): Outcome => ({ _tag: "Refused", code: line.split(" ")[0] ?? "", line, queued: false })

type Delivery = "not-sent" | "unknown"

const lost = (reason: ConnectionError["reason"], delivery: Delivery): Outcome => ({
  _tag: "Lost",
  error: connectionLoss(reason, "lost", master),
  delivery
})

const late = (phase: TimeoutError["phase"], delivery: Delivery): Outcome => ({
  _tag: "Lost",
  error: new TimeoutError({ phase, milliseconds: 1, delivery, readonly: false }),
  delivery
})

const refusedCredentials = outcomeOf(
  new AuthenticationError({ code: "WRONGPASS", detail: "no", command: "HELLO", address: master })
)

const avoided: Outcome = { _tag: "Avoided", error: connectionLoss("Refused", "gone", master), delivery: "not-sent" }

const shown = ({ learn, next }: Verdict): string => {
  const learned = learn === undefined ? "" : `${learn._tag}: `
  if (next._tag === "Settle") return `${learned}${next.error?._tag ?? "as it is"}`
  const to = typeof next.to === "string" ? next.to : `${formatEndpoint(next.to.node)}${next.to.asking ? " asking" : ""}`
  const after = next.after === 0
    ? "now"
    : typeof next.after === "object"
    ? `after news in ${next.after.until - limits.now}`
    : `after ${next.after}`
  return `${learned}${to} ${after}${next.ran ? ", may have run" : ""}`
}

const limits = { now: 10_000, downAttempts: 3 }

const verdict = (outcome: Outcome, sent: Sent, where = at(master), spent: Spent = unspent): string =>
  shown(judge({ sent, where, spent, limits }, outcome))

/**
 * What an outcome means, by what was sent and where it came from:
 *
 * - `free`: in the ways that go to whoever serves the slot; `reserved`: in this one; `kept`: in those that go nowhere else;
 *   `node`: to the server itself, as a master or as a replica.
 */
interface Meaning {
  readonly free: string
  readonly reserved: string
  readonly node: string
  readonly kept: string
}

const ways: Readonly<Record<keyof Meaning, ReadonlyArray<Way>>> = {
  free: ["single", "batch", "exclusive", "subscription"],
  reserved: ["reserved"],
  node: ["master"],
  kept: ["held", "reading"]
}

const meaning = (free: string, kept: string, others: { readonly reserved?: string; readonly node?: string } = {}) => ({
  free,
  kept,
  reserved: others.reserved ?? free,
  node: others.node ?? kept
})

const same = (all: string) => meaning(all, all)

const asItIs = same("as it is")
const movedAway = meaning("Moved: b:2 now", "Moved: as it is")
const movedBack = meaning("MovedToItself: owner now", "MovedToItself: as it is")
const movedSomewhere = meaning("MovedSomewhere: owner after topology", "MovedSomewhere: as it is")
const askedOf = meaning("Asking: b:2 asking now", "Asking: as it is", { reserved: "Asking: owner after 50" })
const waiting = meaning("same now", "as it is", { reserved: "same after 50", node: "same now" })
const deposed = meaning("Demoted: owner after topology", "Demoted: as it is", { node: "Demoted: owner after topology" })
const down = meaning("Down: owner after news in 250", "Down: ClusterDownError", {
  node: "Down: same after news in 250"
})
const gone = (learned: string, after: string) =>
  meaning(`${learned}: owner ${after}`, `${learned}: as it is`, { node: `${learned}: owner ${after}` })

const awayOnce = meaning("TurnedAway: owner after topology", "TurnedAway: as it is", {
  node: "TurnedAway: owner after topology"
})

const instance = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"

/** Of the master, to a command that reads and to one that writes; once where that makes no difference. */
const ofMaster: ReadonlyArray<readonly [name: string, outcome: Outcome, read: Meaning, write?: Meaning]> = [
  ["MOVED", refused(`MOVED ${slot} b:2`), movedAway],
  ["MOVED without a host", refused(`MOVED ${slot} :2`), meaning("Moved: m:2 now", "Moved: as it is")],
  ["MOVED to itself", refused(`MOVED ${slot} ${master}`), movedBack],
  ["MOVED to ?", refused(`MOVED ${slot} ?:2`), movedSomewhere],
  ["MOVED that is none", refused("MOVED x y"), asItIs],
  ["MOVED of half a slot", refused(`MOVED ${slot}.5 b:2`), asItIs],
  ["MOVED of no slot", refused("MOVED  b:2"), asItIs],
  ["MOVED to one server too many", refused(`MOVED ${slot} one-too-many:2`), movedSomewhere],
  ["ASK to one server too many", refused(`ASK ${slot} one-too-many:2`), movedSomewhere],
  ["ASK", refused(`ASK ${slot} b:2`), askedOf],
  ["ASK to ?, where one server alone has the port", refused(`ASK ${slot} ?:2`), askedOf],
  ["ASK to ?, where none has it", refused(`ASK ${slot} ?:3`), movedSomewhere],
  ["TRYAGAIN", refused("TRYAGAIN not now"), waiting],
  ["LOADING", refused("LOADING not now"), same("Loading: as it is")],
  ["READONLY", refused("READONLY not me"), deposed],
  ["UNBLOCKED as it becomes a replica", refused(instance), deposed],
  ["UNBLOCKED by somebody", refused("UNBLOCKED client unblocked via CLIENT UNBLOCK"), asItIs],
  ["CLUSTERDOWN", refused("CLUSTERDOWN not now"), down],
  ["MASTERDOWN", refused("MASTERDOWN not now"), down],
  ["CROSSSLOT", refused("CROSSSLOT keys"), same("CrossSlotError")],
  ["ERR", refused("ERR no"), asItIs],
  ["a refused connection", lost("Refused", "not-sent"), gone("Unreachable", "after recovery")],
  ["a name that is not known", lost("Dns", "not-sent"), gone("Unreachable", "after recovery")],
  ["a dial that takes too long", late("connect", "not-sent"), gone("Unreachable", "after recovery")],
  ["a reset before it was sent", lost("Reset", "not-sent"), gone("Reset", "after 20")],
  [
    "a reset after it was sent",
    lost("Reset", "unknown"),
    gone("Reset", "after 20, may have run"),
    same("Reset: as it is")
  ],
  [
    "a closed connection after it was sent",
    lost("Closed", "unknown"),
    gone("Reset", "after 20, may have run"),
    same("Reset: as it is")
  ],
  ["silence before it was sent", lost("HealthCheck", "not-sent"), gone("Silent", "after recovery")],
  [
    "silence after it was sent",
    lost("HealthCheck", "unknown"),
    gone("Silent", "after recovery, may have run"),
    same("Silent: as it is")
  ],
  [
    "a server that is no master any more",
    lost("Demoted", "not-sent"),
    meaning("owner now", "as it is", { node: "owner now" })
  ],
  ["the command timeout before it was sent", late("write", "not-sent"), same("Late: as it is")],
  ["the command timeout after it was sent", late("read", "unknown"), same("Late: as it is")],
  ["TLS", lost("Tls", "not-sent"), awayOnce],
  [
    "TLS after it was sent",
    lost("Tls", "unknown"),
    meaning("TurnedAway: owner after topology, may have run", "TurnedAway: as it is", {
      node: "TurnedAway: owner after topology, may have run"
    }),
    asItIs
  ],
  ["a handshake", lost("Handshake", "not-sent"), asItIs],
  ["the pool's limit", lost("PoolTimeout", "not-sent"), asItIs],
  ["the server's limit", lost("MaxClients", "not-sent"), same("TurnedAway: as it is")],
  ["credentials", refusedCredentials, awayOnce],
  ["the end of the client", lost("ClientClosed", "unknown"), asItIs],
  [
    "a server that is down",
    avoided,
    meaning("owner after recovery", "ConnectionError", { node: "owner after recovery" })
  ],
  [
    "a slot without owner",
    { _tag: "Uncovered" },
    meaning("Uncovered: owner after 100", "SlotNotCoveredError", { node: "Uncovered: owner after 100" })
  ],
  ["whatever else", { _tag: "Other" }, asItIs]
]

const awayFromReplica = meaning("Unready: owner now", "TurnedAway: as it is", { node: "as it is" })

/** Of a replica, to a command that reads; `node` is that replica here. */
const ofReplica: ReadonlyArray<readonly [name: string, outcome: Outcome, read: Meaning]> = [
  ["MOVED", refused(`MOVED ${slot} ${master}`), meaning("Moved: m:1 now", "Moved: as it is")],
  ["LOADING", refused("LOADING not now"), meaning("Loading: owner now", "Loading: as it is")],
  [
    "MASTERDOWN",
    refused("MASTERDOWN not now"),
    meaning("Unready: owner now", "Down: ClusterDownError", { node: "Down: same after news in 250" })
  ],
  [
    "CLUSTERDOWN",
    refused("CLUSTERDOWN not now"),
    meaning("Down: owner now", "Down: ClusterDownError", { node: "Down: same after news in 250" })
  ],
  ["READONLY", refused("READONLY"), meaning("Demoted: owner after topology", "Demoted: as it is")],
  [
    "a refused connection",
    lost("Refused", "not-sent"),
    meaning("Unreachable: owner now", "Unreachable: as it is", { node: "Unreachable: same now" })
  ],
  [
    "a reset",
    lost("Reset", "unknown"),
    meaning("Reset: owner now, may have run", "Reset: as it is", { node: "Reset: same now, may have run" })
  ],
  ["the server's limit", lost("MaxClients", "not-sent"), awayFromReplica],
  ["TLS", lost("Tls", "not-sent"), awayFromReplica],
  ["a handshake", lost("Handshake", "not-sent"), asItIs],
  ["an address that is not accepted", lost("NotAccepted", "not-sent"), awayFromReplica],
  ["credentials", refusedCredentials, awayFromReplica],
  [
    "silence",
    lost("HealthCheck", "unknown"),
    meaning("Silent: owner now, may have run", "Silent: as it is", { node: "Silent: same now, may have run" })
  ]
]

const each = (expected: Meaning, check: (way: Way, expected: string) => void) => {
  // The keys of an object that has only these.
  for (const group of Object.keys(ways) as ReadonlyArray<keyof Meaning>) {
    for (const way of ways[group]) check(way, expected[group])
  }
}

describe("Verdict", () => {
  for (const [name, outcome, reading, writing = reading] of ofMaster) {
    it(`${name}, of a master`, () => {
      each(reading, (way, expected) => assert.strictEqual(verdict(outcome, { way, command: read }), expected, way))
      each(writing, (way, expected) => assert.strictEqual(verdict(outcome, { way, command: write }), expected, way))
    })
  }

  for (const [name, outcome, expected] of ofReplica) {
    it(`${name}, of a replica`, () => {
      each(expected, (way, expected) => {
        const there = way === "master" ? "node" : way
        assert.strictEqual(verdict(outcome, { way: there, command: read }, at(replica)), expected, there)
      })
    })
  }

  it("what any server does goes to another than the one that turns the client away, unless it may have been done", () => {
    const echo = Redis.echo("x")
    const publish = Redis.send("PUBLISH", "c", "m")
    const where = at(master, master, true)
    const away = meaning("Unready: owner now", "TurnedAway: as it is", { node: "Unready: owner now" })
    for (const outcome of [lost("Tls", "not-sent"), lost("MaxClients", "not-sent"), refusedCredentials]) {
      each(away, (way, expected) => assert.strictEqual(verdict(outcome, { way, command: echo }, where), expected, way))
    }
    assert.strictEqual(verdict(lost("Tls", "unknown"), { way: "single", command: publish }, where), "as it is")
  })

  it("the topology is not read before a refusal counts where that was done a moment ago", () => {
    const where = { ...at(master), isCurrent: true }
    for (const outcome of [lost("Tls", "not-sent"), refusedCredentials]) {
      for (const way of ["single", "batch", "exclusive", "reserved", "master"] as const) {
        assert.strictEqual(verdict(outcome, { way, command: write }, where), "TurnedAway: as it is", way)
      }
    }
  })

  it("credentials that a script says are refused, after it may have written, are its own", () => {
    const error = new AuthenticationError({ code: "NOAUTH", detail: "made up", command: "EVAL", mayHaveWritten: true })
    for (const way of ["single", "batch", "exclusive", "reserved"] as const) {
      assert.strictEqual(verdict(outcomeOf(error), { way, command: script }), "as it is")
    }
  })

  it("of what reads first and then writes nothing is run twice", () => {
    assert.strictEqual(
      verdict(lost("Reset", "unknown"), { way: "exclusive", command: read, readonly: false }),
      "Reset: as it is"
    )
  })

  it("watching once more does no harm", () => {
    for (const watch of ["WATCH", "watch"]) {
      assert.strictEqual(
        verdict(lost("Reset", "unknown"), { way: "reserved", command: Redis.send(watch, key) }),
        "Reset: owner after 20, may have run"
      )
    }
  })

  it("code that runs on the server is believed in the server's own words, and of its own slot", () => {
    const believed: ReadonlyArray<readonly [line: string, meaning: string]> = [
      [`MOVED ${slot} b:2`, "Moved: b:2 now"],
      [`MOVED ${slot + 1} b:2`, "as it is"],
      [`MOVED ${slot} ${master}`, "as it is"],
      [`MOVED ${slot} b:2 and more`, "as it is"],
      [`ASK ${slot} b:2`, "Asking: b:2 asking now"],
      ["TRYAGAIN Multiple keys request during rehashing of slot", "same now"],
      ["TRYAGAIN later", "as it is"],
      ["CLUSTERDOWN The cluster is down", "Down: owner after news in 250"],
      ["CLUSTERDOWN Hash slot not served", "Down: owner after news in 250"],
      ["CLUSTERDOWN of mine", "as it is"],
      ["MASTERDOWN of mine", "as it is"],
      ["LOADING Redis is loading the dataset in memory", "Loading: as it is"],
      ["LOADING of mine", "as it is"],
      ["READONLY You can't write against a read only replica.", "Demoted: owner after topology"],
      ["READONLY of mine", "as it is"],
      [instance, "as it is"]
    ]
    for (const [line, expected] of believed) {
      assert.strictEqual(verdict(refused(line), { way: "single", command: script }), expected, line)
    }
    const readonly = Redis.send("EVAL_RO", "return 1", "1", key)
    assert.strictEqual(verdict(refused("TRYAGAIN later"), { way: "single", command: readonly }), "same now")
  })
})

describe("The budget", () => {
  const sent: Sent = { way: "single", command: write }
  const spending = (spent: Partial<Spent>): Spent => ({ ...unspent, ...spent })

  it("ends with so many tries, whatever they were for", () => {
    for (const outcome of [refused(`MOVED ${slot} b:2`), refused("TRYAGAIN not now"), lost("Reset", "not-sent")]) {
      assert.include(verdict(outcome, sent, at(master), spending({ tries: maxTries })), "ClusterRetriesExhaustedError")
      assert.notInclude(verdict(outcome, sent, at(master), spending({ tries: maxTries - 1 })), "Exhausted")
    }
  })

  it("of time begins with the first server that was not there, and ends soon", () => {
    for (const outcome of [lost("Refused", "not-sent"), avoided, refused("READONLY not me")]) {
      const ended = spending({ since: limits.now - lossLimit })
      assert.include(verdict(outcome, sent, at(master), ended), "ClusterRetriesExhaustedError")
      const { spent } = judge({ sent, where: at(master), spent: unspent, limits }, outcome)
      assert.strictEqual(spent.since, limits.now)
      // What goes to all masters holds up what the others have answered.
      const share: Sent = { way: "master", command: write }
      assert.include(verdict(outcome, share, at(master), spending({ since: limits.now - 1000 })), "RetriesExhausted")
      assert.notInclude(verdict(outcome, share, at(master), spending({ since: limits.now - 999 })), "RetriesExhausted")
    }
  })

  it("of time is the command's own for a server that only stands still, as one that is busy does", () => {
    const hung: Outcome = { ...avoided, error: connectionLoss("HealthCheck", "silent", master) }
    const ended = spending({ since: limits.now - lossLimit })
    assert.strictEqual(verdict(hung, sent, at(master), ended), "owner after recovery")
    assert.include(verdict(hung, { way: "master", command: write }, at(master), ended), "RetriesExhausted")
  })

  it("of a cluster that is down is what the option says", () => {
    const outcome = refused("CLUSTERDOWN not now")
    const { next } = judge({ sent, where: at(master), spent: spending({ downs: 2 }), limits }, outcome)
    assert.isTrue(next._tag === "Settle" && next.error instanceof ClusterDownError && next.error.attempts === 3)
    assert.strictEqual(judge({ sent, where: at(master), spent: unspent, limits }, outcome).spent.downs, 1)
  })

  it("of a cluster that is down waits longer for news the second time, but for what goes to all masters", () => {
    const outcome = refused("CLUSTERDOWN not now")
    const second = spending({ downs: 1 })
    assert.strictEqual(verdict(outcome, sent, at(master), second), "Down: owner after news in 2250")
    const share: Sent = { way: "master", command: write }
    assert.strictEqual(verdict(outcome, share, at(master), second), "Down: same after news in 250")
  })

  it("of redirects has pauses from the ninth on, of losses from the first on", () => {
    const pauses = (outcome: Outcome, tries: number) => {
      const { next } = judge({ sent, where: at(master), spent: spending({ tries }), limits }, outcome)
      return next._tag === "Again" ? next.after : undefined
    }
    assert.deepStrictEqual([1, 8, 9].map((tries) => pauses(refused(`MOVED ${slot} b:2`), tries)), [0, 0, 50])
    assert.deepStrictEqual([1, 2, 3, 4, 5].map((tries) => pauses(lost("Reset", "not-sent"), tries)), [
      20,
      40,
      80,
      160,
      250
    ])
  })

  it("of a slot without owner is a pause and the reading that is under way then", () => {
    const lookups = [0, 1, 2].map((lookups) =>
      verdict({ _tag: "Uncovered" }, sent, at(undefined), spending({ lookups }))
    )
    assert.deepStrictEqual(lookups, ["Uncovered: owner after 100", "owner after reading", "SlotNotCoveredError"])
  })

  it("of a command without owner names its slot, if it has one", () => {
    const errorFor = (command: RedisCommand.Any) => {
      const { next } = judge(
        { sent: { way: "single", command }, where: at(undefined), spent: spending({ lookups: 2 }), limits },
        { _tag: "Uncovered" }
      )
      return next._tag === "Settle" ? next.error : undefined
    }
    assert.deepStrictEqual(errorFor(read), new SlotNotCoveredError({ slot }))
    assert.deepStrictEqual(errorFor(Redis.ping()), new SlotNotCoveredError({}))
  })

  it("of a server that names itself is one new connection", () => {
    const outcome = refused(`MOVED ${slot} ${master}`)
    const { spent } = judge({ sent, where: at(master), spent: unspent, limits }, outcome)
    assert.strictEqual(verdict(outcome, sent, at(master), spent), "MovedToItself: owner after topology")
  })

  it("remembers that a try may have been run", () => {
    const reading: Sent = { way: "single", command: read }
    const first = { sent: reading, where: at(master), spent: unspent, limits }
    const { spent } = judge(first, lost("Reset", "unknown"))
    const { next } = judge({ ...first, spent: { ...spent, since: 0 } }, lost("Refused", "not-sent"))
    assert.isTrue(
      next._tag === "Settle" && next.error !== undefined && "delivery" in next.error &&
        next.error.delivery === "unknown"
    )
  })
})

describe("What a failure came from", () => {
  const reply = { command: "GET", address: master }

  it("an error reply, however it was told", () => {
    const cause = new ErrorReply("MOVED 1 b:2")
    const expected: Outcome = { _tag: "Refused", code: "MOVED", line: "MOVED 1 b:2", queued: false }
    assert.deepStrictEqual(outcomeOf(connectionLoss("Demoted", "moved", master, cause)), expected)
    assert.deepStrictEqual(outcomeOf(new ResponseError({ code: "MOVED", detail: "1 b:2", ...reply })), expected)
    assert.deepInclude(outcomeOf(new BusyLoadingError({ code: "LOADING", detail: "x", ...reply })), { code: "LOADING" })
    assert.deepInclude(outcomeOf(new ReadOnlyError({ code: "READONLY", detail: "x", ...reply })), { code: "READONLY" })
  })

  it("what kept a transaction from being run is believed, also of code", () => {
    const outcome = outcomeOf(
      new ExecAbortError({
        code: "EXECABORT",
        detail: "discarded",
        command: "EXEC",
        causes: [
          { index: 0, command: "EVAL", code: "ERR", detail: "no" },
          { index: 1, command: "EVAL", code: "CLUSTERDOWN", detail: "of mine" }
        ]
      })
    )
    assert.deepStrictEqual(outcome, { _tag: "Refused", code: "CLUSTERDOWN", line: "CLUSTERDOWN of mine", queued: true })
    assert.strictEqual(verdict(outcome, { way: "exclusive", command: script }), "Down: owner after news in 250")
  })

  it("a loss, a slot without owner, and the rest", () => {
    const error = new ConnectionError({ reason: "Reset", detail: "lost", delivery: "unknown", readonly: false })
    assert.deepStrictEqual(outcomeOf(error), { _tag: "Lost", error, delivery: "unknown" })
    assert.deepStrictEqual(outcomeOf(new SlotNotCoveredError({ slot })), { _tag: "Uncovered" })
    const final = new ClusterDownError({ code: "CLUSTERDOWN", detail: "x", command: "GET", attempts: 3 })
    assert.deepStrictEqual(outcomeOf(final), { _tag: "Other" })
  })
})

describe("What an error reply befell a command on that goes nowhere else", () => {
  const on = (line: string, where = at(master), command: RedisCommand.Any = write) =>
    demotion(command, where, new ErrorReply(line))

  it("it belongs on another server, and was not run", () => {
    for (const line of [`MOVED ${slot} b:2`, `ASK ${slot} b:2`, `MOVED ${slot} ?:2`, "READONLY not me", instance]) {
      const error = on(line)
      assert.isTrue(
        error?._tag === "ConnectionError" && error.reason === "Demoted" && error.delivery === "not-sent",
        line
      )
    }
    assert.include(on(`MOVED ${slot} b:2`)?.message, `Slot ${slot} has moved to b:2`)
  })

  it("a replica that is asked for what it is refuses writes as such", () => {
    assert.isUndefined(on("READONLY not me", at(replica)))
  })

  it("code is believed as little as anywhere", () => {
    assert.isUndefined(on("READONLY of mine", at(master), script))
    assert.isUndefined(on(`MOVED ${slot + 1} b:2`, at(master), script))
  })
})
