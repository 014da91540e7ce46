/**
 * Pipelines, transactions and reserved connections of a cluster's client, and
 * callers that go away, with scripted nodes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError, RedisReply, RedisScript } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfB, keyOfC, sibling } from "@redfx/testing/FakeCluster"
import { fork } from "@redfx/testing/Fork"
import { used } from "@redfx/testing/Memory"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as VirtualTime from "@redfx/testing/VirtualTime"
import { inVirtualTime, passing, timed } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

/** The error of an outcome. */
const errorOf = (outcome: Exit.Exit<unknown, RedisError.RedisError> | undefined) =>
  Effect.runSync(Effect.flip(outcome ?? Effect.die(new Error("no outcome"))))

/** Answers EXEC with what was queued, as a server would. */
const transacting = (name: string): FakeNode.Handler => ({ args, name: command }, { commands }) => {
  const since = commands.slice(commands.findLastIndex((before) => before.name === "MULTI") + 1)
  const queueing = commands.findLastIndex((before) => before.name === "MULTI") >
    commands.findLastIndex((before) => before.name === "EXEC")
  if (command === "EXEC") return Encode.array(since.map((queued) => Encode.bulk(`${name}:${queued.args[1]}`)))
  if (command === "MULTI") return Encode.ok
  return queueing && args[1] !== undefined ? Encode.simple("QUEUED") : undefined
}

describe("Pipelines", () => {
  inVirtualTime(
    "CPL-02, CMK-20: a part for each node, in one write, all at once; results in the order of the commands",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        yield* Effect.forEach(FakeCluster.keys, (key) => client.execute(Redis.get(key)))
        const gate = yield* Deferred.make<void>()
        a.instead = ({ args, name }) =>
          name === "GET" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulk(args[1]!))] : undefined
        const keys = Array.from({ length: 300 }, (_, i) => sibling(FakeCluster.keys[i % 3]!, i))
        const running = yield* fork(Client.on(client)(Redis.pipeline(keys.map((key) => Redis.get(key)))))
        // The others have theirs before the first node answers anything.
        for (const { node } of [a, b, c]) yield* node.awaitCommand("GET", 101)
        yield* Deferred.succeed(gate, undefined)
        const values = yield* Fiber.join(running)
        assert.deepStrictEqual(
          values,
          keys.map((key, i) => i % 3 === 0 ? key : `${"ABC"[i % 3]}:${key}`)
        )
      })
  )

  inVirtualTime("CPL-03: order is kept in each slot, also of what is sent again", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
      const commands = Array.from({ length: 500 }, (_, i) => Redis.set(sibling(keyOfA, i), `${i}`))
      yield* Client.on(client)(Redis.pipeline(commands))
      const expected = commands.map((_, i) => `B SET ${sibling(keyOfA, i)} ${i}`)
      assert.deepStrictEqual(FakeCluster.log(b), expected)
      assert.deepStrictEqual(FakeCluster.log(a).length, 501)
    }))

  inVirtualTime(
    "CPL-03: what is sent again comes after what was not refused, also in its slot",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        let refused = 0
        a.instead = ({ name }) => name === "MGET" && refused++ === 0 ? FakeCluster.tryAgain : undefined
        yield* client.pipeline([Redis.mget(keyOfA, sibling(keyOfA)), Redis.set(keyOfA, "v")])
        const read = `A MGET ${keyOfA} ${sibling(keyOfA)}`
        assert.deepStrictEqual(FakeCluster.log(a), [read, `A SET ${keyOfA} v`, read])
      })
  )

  inVirtualTime("CPL-04: what was redirected is sent again, and nothing else", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      const [asked, again, gone] = [sibling(keyOfA, "asked"), sibling(keyOfB, "again"), sibling(keyOfC, "gone")]
      let refused = 0
      a.instead = ({ args }) => args[1] === asked ? FakeCluster.ask(asked, c) : undefined
      b.instead = ({ args }) => args[1] === again && refused++ === 0 ? FakeCluster.tryAgain : undefined
      c.instead = ({ args }) => args[1] === gone ? FakeCluster.moved(gone, b) : undefined
      cluster.owners.set(FakeCluster.slotOf(keyOfC), b)
      const keys = [keyOfA, asked, keyOfB, again, gone]
      const values = yield* Client.on(client)(Redis.pipeline(keys.map((key) => Redis.get(key))))
      assert.deepStrictEqual(values, [
        `A:${keyOfA}`,
        `C:${asked}`,
        `B:${keyOfB}`,
        `B:${again}`,
        `B:${gone}`
      ])
      assert.deepStrictEqual(FakeCluster.log(a), [`A GET ${keyOfA}`, `A GET ${asked}`])
      assert.deepStrictEqual(FakeCluster.log(c), [`C GET ${gone}`, "C ASKING", `C GET ${asked}`])
      assert.deepStrictEqual(FakeCluster.log(b).filter((line) => line.endsWith(` ${keyOfB}`)).length, 1)
    }))

  inVirtualTime(
    "CLR-04, SCR-02: a script that is missing where ASK leads goes there again, with its text and with ASKING",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        const asked = [sibling(keyOfA, 1), sibling(keyOfA, 2)]
        a.instead = ({ args, name }) => name.startsWith("EVAL") ? FakeCluster.ask(args[3]!, b) : undefined
        let forgotten = false
        b.instead = ({ args, name }, { commands }) => {
          if (!name.startsWith("EVAL")) return undefined
          if (asked.includes(args[3]!) && commands.at(-1)?.name !== "ASKING") return FakeCluster.moved(args[3]!, a)
          return name === "EVALSHA" && forgotten
            ? Encode.error("NOSCRIPT No matching script. Please use EVAL.")
            : Encode.bulk(`B:${args[3]}`)
        }
        const script = RedisScript.make({
          lua: "return redis.call('GET', KEYS[1])",
          keys: (key: string) => [key],
          result: RedisReply.text
        })
        assert.strictEqual(yield* client.execute(script(keyOfB)), `B:${keyOfB}`)
        forgotten = true
        const values = yield* Client.on(client)(Redis.pipeline(asked.map((key) => script(key))))
        assert.deepStrictEqual(values, asked.map((key) => `B:${key}`))
        const sent = b.node.commands.map(({ command }) => command.name).filter((name) => /^(ASKING|EVAL)/.test(name))
        assert.strictEqual(sent.join(" "), "EVAL ASKING EVALSHA ASKING EVALSHA ASKING EVAL ASKING EVAL")
      })
  )

  inVirtualTime(
    "CPL-04: of a lost connection only what cannot have been run is sent again, or what reads",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        yield* client.execute(Redis.get(keyOfA))
        let cuts = 0
        a.instead = ({ name }) => name === "SET" && cuts++ === 0 ? FakeNode.cut() : undefined
        const outcomes = yield* client.pipeline([
          Redis.set(keyOfA, "1"),
          Redis.get(keyOfA),
          Redis.set(keyOfB, "2")
        ])
        const lost = Client.expectTag(errorOf(outcomes[0]), "ConnectionError")
        assert.deepInclude(lost, { delivery: "unknown", command: "SET" })
        assert.deepStrictEqual(outcomes.slice(1), [Exit.succeed(`A:${keyOfA}`), Exit.succeed(true)])
        assert.strictEqual(FakeCluster.log(a).filter((line) => line.includes("SET")).length, 1)
        assert.deepStrictEqual(FakeCluster.log(b), [`B SET ${keyOfB} 2`])
      })
  )

  inVirtualTime(
    "CPL-04: of a server that is gone everything is sent to the one in its place",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster, { nodes: [b] })
        yield* client.execute(Redis.get(keyOfA))
        yield* a.node.stopListening
        yield* Client.causing(client, "Disconnected", a.node.cutAll())
        const commands = Array.from({ length: 100 }, (_, i) => Redis.set(sibling(keyOfA, i), "v"))
        const running = yield* fork(client.pipeline([...commands, Redis.get(keyOfC)]))
        yield* FakeCluster.awaitReadings(b, 1)
        FakeCluster.replace(cluster, a, b)
        assert.isTrue((yield* Fiber.join(running)).every(Exit.isSuccess))
        assert.strictEqual(FakeCluster.log(b).length, 100)
      })
  )

  inVirtualTime(
    "CPL-05, CPL-09: while the cluster is down only what was not run is sent again, so often as the client may",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        a.instead = ({ name }) => name === "SET" ? FakeCluster.clusterDown : undefined
        const outcomes = yield* client.pipeline([Redis.set(keyOfA, "1"), Redis.set(keyOfB, "2"), Redis.get(keyOfA)])
        const error = Client.expectTag(errorOf(outcomes[0]), "ClusterDownError")
        assert.deepInclude(error, { attempts: 3, index: 0 })
        assert.deepStrictEqual(FakeCluster.log(a).toSorted(), [
          `A GET ${keyOfA}`,
          ...[1, 2, 3].map(() => `A SET ${keyOfA} 1`)
        ])
        assert.deepStrictEqual(FakeCluster.log(b), [`B SET ${keyOfB} 2`])
        const once = yield* FakeCluster.client(cluster, { clusterDownRetryAttempts: 1 })
        const [down] = yield* once.client.pipeline([Redis.set(keyOfA, "1")])
        assert.strictEqual(Client.expectTag(errorOf(down), "ClusterDownError").attempts, 1)
        assert.strictEqual(FakeCluster.log(a).filter((line) => line.includes("SET")).length, 4)
      })
  )

  inVirtualTime(
    "CPL-06: a huge one to a master that is gone makes one error for each slot, without a stack",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        yield* client.execute(Redis.get(keyOfB))
        yield* a.node.stopListening
        yield* a.node.cutAll()
        yield* Client.failure(client, Redis.get(keyOfA), "ClusterRetriesExhaustedError")
        const commands = Array.from({ length: 1000 }, (_, i) => Redis.set(sibling(keyOfA, i), "v"))
        const errors = (yield* client.pipeline(commands)).map(errorOf)
        assert.strictEqual(new Set(errors).size, 1)
        // There is one for each command.
        const error = Client.expectTag(errors[0]!, "ClusterRetriesExhaustedError")
        assert.deepInclude(error, { delivery: "not-sent", slot: FakeCluster.slotOf(keyOfA) })
        assert.notMatch(String(error.stack), /\n\s+at /)
        const [first, second] = yield* Client.on(client)(Redis.pipelineSettled(commands.slice(0, 2)))
        for (const [index, each] of [first, second].entries()) {
          assert.propertyVal(each?._tag === "Failure" ? each.failure : undefined, "index", index)
        }
      })
  )

  inVirtualTime(
    "CPL-06: an error names its command by its index; nothing to send costs nothing",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        assert.deepStrictEqual(yield* client.pipeline([]), [])
        assert.deepStrictEqual(yield* Client.on(client)(Redis.pipeline([])), [])
        assert.strictEqual(a.node.connections.total, 0)
        b.instead = ({ args }) => args[1] === keyOfB ? Encode.error("WRONGTYPE not a string") : undefined
        const error = yield* Effect.flip(
          Client.on(client)(Redis.pipeline([Redis.get(keyOfA), Redis.get(keyOfB), Redis.get(keyOfC)]))
        )
        assert.match(error.message, /GET at index 1 of the pipeline/)
        const settled = yield* Client.on(client)(Redis.pipelineSettled([Redis.get(keyOfA), Redis.get(keyOfB)]))
        assert.deepStrictEqual(settled.map(({ _tag }) => _tag), ["Success", "Failure"])
      })
  )

  inVirtualTime(
    "CPL-06: the index is that among all commands, whatever the client refuses; a refused handshake has none",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        const given = [Redis.get(keyOfA), Redis.set(keyOfA, "v"), Redis.set(keyOfA, true as never), Redis.get(keyOfB)]
        const refused = [undefined, ["ClusterUnsupportedError", 1], ["DataError", 2]]
        const reading = yield* FakeCluster.client(cluster, { readOnly: true })
        const one = yield* reading.cluster.clientOf(a.address)
        for (const client of [one, yield* one.reserve]) {
          assert.deepStrictEqual(Client.indexes(yield* client.pipeline(given)), [...refused, ["ConnectionError", 3]])
        }
        assert.deepStrictEqual(Client.indexes(yield* reading.client.pipeline(given)), [...refused, undefined])
        const reserved = yield* reading.client.reserve
        assert.deepStrictEqual(Client.indexes(yield* reserved.pipeline(given)), [
          ...refused,
          ["ClusterUnsupportedError", 3]
        ])
        const never = yield* FakeCluster.client(cluster, { clusterDownRetryAttempts: 0 })
        assert.deepStrictEqual(Client.indexes(yield* never.client.pipeline(given)), [
          ["ClusterDownError", 0],
          ["ClusterDownError", 1],
          ["DataError", 2],
          ["ClusterDownError", 3]
        ])
        const locked = yield* FakeCluster.make({ handshake: { password: "right" } })
        const { client } = yield* FakeCluster.client(locked.cluster, { password: Redacted.make("wrong") })
        assert.deepStrictEqual(Client.indexes(yield* client.pipeline(given)), [
          ["AuthenticationError", undefined],
          ["AuthenticationError", undefined],
          ["DataError", 2],
          ["AuthenticationError", undefined]
        ])
      })
  )

  inVirtualTime(
    "CPL-06: a huge one that times out makes few errors, and results have one each, with its index",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "1 second" })
        yield* client.execute(Redis.get(keyOfA))
        for (const node of [a, b]) node.instead = ({ name }) => name === "INCR" ? FakeNode.stall() : undefined
        const commands = Array.from({ length: 300 }, (_, i) => Redis.incr(sibling(FakeCluster.keys[i % 2]!, i)))
        const outcomes = yield* client.pipeline(commands)
        assert.isAtMost(new Set(outcomes.map(errorOf)).size, 4)
        const results = yield* Client.on(client)(Redis.pipelineSettled(commands))
        assert.deepStrictEqual(
          results.map((result) => result._tag === "Failure" && "index" in result.failure && result.failure.index),
          commands.map((_, index) => index)
        )
      })
  )

  inVirtualTime("CPL-01: it is no transaction", () =>
    Effect.gen(function*() {
      const { cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* Client.on(client)(Redis.pipeline(FakeCluster.keys.map((key) => Redis.get(key))))
      assert.notMatch(FakeCluster.log(...cluster.nodes).join(), /MULTI/)
    }))

  it.effect("CLR-06: a part whose tries are used up is an error of its own, and soon", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) => name === "GET" ? FakeCluster.tryAgain : undefined
      const keys = Array.from({ length: 200 }, (_, i) => sibling(keyOfA, i))
      const { exit, time } = yield* passing(
        client.pipeline([...keys.map((key) => Redis.get(key)), Redis.get(keyOfB)])
      )
      const outcomes = yield* exit
      assert.isBelow(time, 3000)
      const error = Client.expectTag(errorOf(outcomes[7]), "ClusterRetriesExhaustedError")
      assert.deepInclude(error, { attempts: 16, slot: FakeCluster.slotOf(keyOfA) })
      assert.deepStrictEqual(outcomes.at(-1), Exit.succeed(`B:${keyOfB}`))
      assert.strictEqual(FakeCluster.log(a).length, 16 * 200)
    }))

  inVirtualTime("CLR-11: of slots that nobody serves the commands fail, and no others", () =>
    Effect.gen(function*() {
      const { cluster } = yield* FakeCluster.make()
      cluster.told = cluster.told.slice(0, 2)
      const { client } = yield* FakeCluster.client(cluster)
      const outcomes = yield* client.pipeline([Redis.get(keyOfC), Redis.get(keyOfA)])
      Client.expectTag(errorOf(outcomes[0]), "SlotNotCoveredError")
      assert.deepStrictEqual(outcomes[1], Exit.succeed(`A:${keyOfA}`))
    }))

  inVirtualTime("blocking commands among others have connections of their own", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) => name === "BLPOP" ? FakeCluster.ask(keyOfA, b) : undefined
      b.instead = ({ name }) => name === "BLPOP" ? Encode.bulks([keyOfA, "v"]) : undefined
      const values = yield* Client.on(client)(Redis.pipeline([Redis.blpop([keyOfA], 0), Redis.get(keyOfC)]))
      assert.deepStrictEqual(values, [{ key: keyOfA, value: "v" }, `C:${keyOfC}`])
    }))

  it.effect("the command timeout is that of the whole, and says what may have been run", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "200 millis" })
      a.instead = ({ name }) => name === "SET" ? FakeCluster.tryAgain : undefined
      b.instead = ({ name }) => name === "SET" ? FakeNode.stall() : undefined
      const { exit, time } = yield* passing(client.pipeline([
        Redis.set(keyOfA, "1"),
        Redis.set(keyOfB, "2"),
        Redis.set(keyOfC, "3")
      ]))
      const outcomes = yield* exit
      assert.isBelow(time, 400)
      assert.strictEqual(Client.expectTag(errorOf(outcomes[0]), "TimeoutError").milliseconds, 200)
      assert.strictEqual(Client.expectTag(errorOf(outcomes[1]), "TimeoutError").delivery, "unknown")
      assert.deepStrictEqual(outcomes[2], Exit.succeed(true))
    }))
})

describe("Transactions", () => {
  inVirtualTime(
    "TRX-11, CMK-21: keys of one slot are a transaction on their server, others are refused",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        a.instead = transacting("A")
        const other = sibling(keyOfA)
        assert.deepStrictEqual(
          yield* Client.on(client)(Redis.transaction([Redis.get(keyOfA), Redis.get(other)])),
          [`A:${keyOfA}`, `A:${other}`]
        )
        assert.deepStrictEqual(FakeCluster.log(a), ["A MULTI", `A GET ${keyOfA}`, `A GET ${other}`, "A EXEC"])
        const error = yield* Effect.flip(client.transaction([Redis.get(keyOfA), Redis.get(keyOfB)]))
        assert.deepInclude(Client.expectTag(error, "ClusterUnsupportedError"), { command: "MULTI over several slots" })
        const keyless = yield* Effect.flip(client.transaction([Redis.get(keyOfA), Redis.dbsize()]))
        Client.expectTag(keyless, "ClusterUnsupportedError")
        assert.strictEqual(FakeCluster.log(...cluster.nodes).length, 4)
      })
  )

  inVirtualTime(
    "without anything to send they cost nothing, and neither do those that cannot be sent",
    () =>
      Effect.gen(function*() {
        const { cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        assert.deepStrictEqual(yield* client.transaction([]), [])
        assert.deepStrictEqual(yield* client.transaction([Redis.del([])]), [Exit.succeed(0)])
        const error = yield* Effect.flip(client.transaction([Redis.get(keyOfA), Redis.mset({})]))
        assert.isDefined(error)
        assert.strictEqual(cluster.nodes[0]!.node.connections.total, 0)
      })
  )

  inVirtualTime("follow MOVED and TRYAGAIN, as nothing of them was run", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      let refused = 0
      a.instead = (command, connection) =>
        command.name === "GET"
          ? refused++ === 0 ? FakeCluster.tryAgain : FakeCluster.moved(keyOfA, b)
          : command.name === "EXEC"
          ? Encode.error("EXECABORT Transaction discarded because of previous errors.")
          : transacting("A")(command, connection)
      b.instead = transacting("B")
      assert.deepStrictEqual(yield* Client.on(client)(Redis.transaction([Redis.get(keyOfA)])), [`B:${keyOfA}`])
      assert.deepStrictEqual(FakeCluster.log(b), ["B MULTI", `B GET ${keyOfA}`, "B EXEC"])
      assert.strictEqual(refused, 2)
    }))

  inVirtualTime(
    "CLR-04: follow an ASK in place of what EXEC runs, as servers answer since Valkey 9.1",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        a.instead = (command, connection) =>
          command.name === "EXEC" ? FakeCluster.ask(keyOfA, b) : transacting("A")(command, connection)
        b.instead = transacting("B")
        const outcomes = yield* client.transaction([Redis.get(keyOfA), Redis.get(sibling(keyOfA))])
        assert.deepStrictEqual(outcomes, [Exit.succeed(`B:${keyOfA}`), Exit.succeed(`B:${sibling(keyOfA)}`)])
        assert.deepStrictEqual(FakeCluster.log(a).filter((line) => line === "A EXEC").length, 1)
      })
  )

  inVirtualTime("CLR-04: follow ASK, with ASKING before MULTI on one connection", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) =>
        name === "MULTI"
          ? Encode.ok
          : name === "EXEC"
          ? Encode.error("EXECABORT Transaction discarded because of previous errors.")
          : name === "SET"
          ? FakeCluster.ask(keyOfA, b)
          : undefined
      b.instead = transacting("B")
      const outcomes = yield* client.transaction([Redis.send("SET", keyOfA, "v")])
      assert.deepStrictEqual(outcomes, [Exit.succeed(`B:${keyOfA}`)])
      assert.deepStrictEqual(FakeCluster.log(b), ["B ASKING", "B MULTI", `B SET ${keyOfA} v`, "B EXEC"])
      const connections = b.node.commands.filter(({ command }) => ["ASKING", "EXEC"].includes(command.name))
      assert.strictEqual(new Set(connections.map(({ connection }) => connection)).size, 1)
    }))

  inVirtualTime("fail when the cluster stays down, after as many tries as may be", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) =>
        name === "MULTI"
          ? Encode.ok
          : name === "EXEC"
          ? Encode.error("EXECABORT Transaction discarded because of previous errors.")
          : name === "GET"
          ? FakeCluster.clusterDown
          : undefined
      const error = yield* Effect.flip(client.transaction([Redis.get(keyOfA)]))
      assert.include(["ClusterDownError", "ExecAbortError"], error._tag)
      assert.strictEqual(FakeCluster.log(a).filter((line) => line.includes("EXEC")).length, 3)
    }))

  inVirtualTime("what has run although MULTI was refused is not run again, and is told", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      const commands = [Redis.get(keyOfA), Redis.set(keyOfA, "v")]
      const ways = {
        alone: Client.on(client)(Redis.transaction(commands)),
        reserved: Client.on(client)(Redis.withConnection(Redis.transaction(commands)))
      }
      for (const refusal of [FakeCluster.tryAgain, FakeCluster.clusterDown]) {
        for (const [way, run] of Object.entries(ways)) {
          a.instead = ({ name }) =>
            name === "MULTI" ? refusal : name === "EXEC" ? Encode.error("ERR EXEC without MULTI") : undefined
          const before = FakeCluster.log(a).length
          const error = yield* Effect.flip(run)
          assert.deepInclude(error, {
            partial: { of: "transaction", answered: [0, 1], unknown: [] },
            mayHaveWritten: true
          }, way)
          assert.deepStrictEqual(FakeCluster.log(a).slice(before), [
            "A MULTI",
            `A GET ${keyOfA}`,
            `A SET ${keyOfA} v`,
            "A EXEC"
          ])
        }
      }
    }))

  inVirtualTime("what was lost with EXEC is not run again", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = (command, connection) =>
        command.name === "EXEC" ? FakeNode.cut() : transacting("A")(command, connection)
      const transactions = [[Redis.set(keyOfA, "v")], [Redis.get(keyOfA), Redis.set(keyOfA, "v")]]
      for (const [index, commands] of transactions.entries()) {
        const error = yield* Effect.flip(client.transaction(commands))
        assert.deepInclude(Client.expectTag(error, "ConnectionError"), { delivery: "unknown" })
        assert.strictEqual(FakeCluster.log(a).filter((line) => line.includes("MULTI")).length, index + 1)
      }
    }))
})

describe("Reserved connections", () => {
  inVirtualTime("CMK-21: are to the server of the first key, and refuse keys of others", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* Effect.scoped(Effect.gen(function*() {
        const own = yield* client.reserve
        yield* own.execute(Redis.get(keyOfB))
        const error = yield* Client.failure(own, Redis.get(keyOfA), "ClusterUnsupportedError")
        assert.match(error.detail, /common \{hash tag\}/)
        yield* Client.failure(own, Redis.mget(keyOfB, keyOfA), "CrossSlotError")
        const outcomes = yield* own.pipeline([Redis.get(keyOfB), Redis.get(keyOfA), Redis.get(sibling(keyOfB))])
        assert.deepStrictEqual(outcomes.map(Exit.isSuccess), [true, false, true])
        const whole = yield* Effect.flip(own.transaction([Redis.get(keyOfB), Redis.get(keyOfA)]))
        assert.strictEqual(whole._tag, "ClusterUnsupportedError")
        const nested = yield* own.reserve
        yield* Client.failure(nested, Redis.get(keyOfA), "ClusterUnsupportedError")
      }))
      assert.deepStrictEqual(FakeCluster.log(a), [])
      const own = b.node.commands.filter(({ command }) => command.name === "GET").map(({ connection }) => connection)
      assert.strictEqual(new Set(own).size, 1)
    }))

  inVirtualTime("TRX-06: a watch that commits nothing tells of a conflict all the same", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      let tries = 0
      a.instead = ({ name }) =>
        name === "EXEC" ? ++tries === 1 ? Encode.nil : Encode.array([]) : name === "GET" ? undefined : Encode.ok
      const empty = yield* Client.on(client)(Redis.watch(keyOfA, Effect.as(Redis.get(keyOfA), [])))
      assert.deepStrictEqual([empty, tries], [[], 2])
    }))

  inVirtualTime(
    "a state of the cluster that a script makes up is none there either, and is not safe to repeat",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        for (const code of ["CLUSTERDOWN", "MASTERDOWN", "CROSSSLOT"]) {
          a.instead = ({ name }) => name === "EVAL" ? Encode.error(`${code} made up`) : undefined
          const script = Redis.eval("…", [keyOfA])
          for (const effect of [script, Redis.withConnection(script), Redis.pipeline([script])]) {
            const error = Client.expectTag(yield* Effect.flip(Client.on(client)(effect)), "ResponseError")
            assert.deepInclude(error, { code, mayHaveWritten: true })
            assert.isFalse(RedisError.isSafeToRetry(error))
          }
        }
        assert.strictEqual(FakeCluster.log(a).filter((line) => line.includes("EVAL")).length, 9)
      })
  )

  inVirtualTime("what a function needs first does not say to which server they are", () =>
    Effect.gen(function*() {
      const { b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      for (const node of cluster.nodes) {
        node.instead = ({ args, name }) =>
          name === "FCALL"
            ? Encode.integer(node === b ? 1 : 0)
            : name === "FUNCTION"
            ? args[1] === "LIST" ? Encode.array([]) : Encode.bulk("lib")
            : undefined
      }
      const library = RedisScript.library({ name: "lib", code: "redis.register_function('f', function() end)" })
      const f = RedisScript.function({ library, name: "f", keys: (key: string) => [key], result: RedisReply.integer })
      // Whatever master is asked for the library.
      for (let round = 0; round < 6; round++) {
        assert.strictEqual(yield* Client.on(client)(Redis.withConnection(f(keyOfB))), 1)
        assert.deepStrictEqual(yield* Client.on(client)(Redis.withConnection(Redis.pipeline([f(keyOfB)]))), [1])
      }
    }))

  inVirtualTime(
    "are of no use when they were given back, whether they were used before or not",
    () =>
      Effect.gen(function*() {
        const { b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "Infinity" })
        const kept = yield* Effect.forEach([false, true], (used) =>
          Effect.scoped(
            Effect.tap(client.reserve, (own) => Effect.when(own.execute(Redis.get(keyOfB)), Effect.succeed(used)))
          ))
        const gate = yield* Deferred.make<void>()
        b.instead = ({ name }) => name === "HELLO" ? FakeNode.gate(gate) : undefined
        const waiting = yield* Effect.scoped(
          Effect.flatMap(
            client.reserve,
            (own) =>
              Effect.flatMap(
                client.reserve,
                () => Effect.forkDetach(own.execute(Redis.get(keyOfB)), { startImmediately: true })
              )
          )
        )
        const error = Client.expectTag(yield* Effect.flip(Fiber.join(waiting)), "ConnectionError")
        assert.strictEqual(error.reason, "ClientClosed")
        for (const own of kept) {
          const error = yield* Client.failure(own, Redis.get(keyOfB), "ConnectionError")
          assert.deepInclude(error, { reason: "ClientClosed", delivery: "not-sent" })
          assert.match(error.message, /given back/)
          const blocking = yield* Client.failure(own, Redis.blpop([keyOfB], 0), "ConnectionError")
          assert.strictEqual(blocking.reason, "ClientClosed")
        }
      })
  )

  inVirtualTime("without a key first they are to any server; commands keep their order", () =>
    Effect.gen(function*() {
      const { cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* Effect.scoped(Effect.gen(function*() {
        const own = yield* client.reserve
        const begun = [
          yield* fork(own.execute(Redis.get(keyOfB))),
          yield* fork(own.execute(Redis.get(sibling(keyOfB)))),
          yield* fork(own.execute(Redis.ping()))
        ]
        yield* Fiber.joinAll(begun)
      }))
      assert.deepStrictEqual(FakeCluster.log(...cluster.nodes), [
        `B GET ${keyOfB}`,
        `B GET ${sibling(keyOfB)}`,
        "B PING"
      ])
    }))

  inVirtualTime("ERP-05: the server's refusals are the cluster's errors there as well", () =>
    Effect.gen(function*() {
      const { b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      b.instead = ({ name }) => name === "GET" ? FakeCluster.clusterDown : undefined
      yield* Effect.scoped(Effect.flatMap(client.reserve, (own) =>
        Effect.gen(function*() {
          yield* Client.failure(own, Redis.get(keyOfB), "ClusterDownError")
          const [outcome] = yield* own.pipeline([Redis.get(keyOfB)])
          Client.expectTag(errorOf(outcome), "ClusterDownError")
        })))
    }))

  inVirtualTime("TRX-11: Redis.watch follows a slot that moves meanwhile", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      for (const node of [a, b]) {
        const answers = transacting(node.name)
        node.instead = (command, connection) =>
          ["EXEC", "MULTI"].includes(command.name) || connection.commands.at(-1)?.name === "MULTI"
            ? answers(command, connection)
            : undefined
      }
      let runs = 0
      const watched = Redis.watch(
        keyOfA,
        Effect.gen(function*() {
          if (runs++ === 0) cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
          yield* Redis.get(keyOfA)
          return [Redis.get(keyOfA)]
        })
      )
      assert.deepStrictEqual(yield* Client.on(client)(watched), [`B:${keyOfA}`])
      assert.strictEqual(runs, 2)
    }))

  inVirtualTime(
    "TRX-11: Redis.watch and the first command follow a slot that has moved before",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        yield* client.execute(Redis.get(keyOfA))
        b.instead = (command, connection) =>
          ["EXEC", "MULTI"].includes(command.name) || connection.commands.at(-1)?.name === "MULTI"
            ? transacting("B")(command, connection)
            : undefined
        cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
        const watched = Redis.watch(keyOfA, Effect.as(Redis.get(keyOfA), [Redis.get(keyOfA)]))
        assert.deepStrictEqual(yield* Client.on(client)(watched), [`B:${keyOfA}`])
        assert.deepStrictEqual(FakeCluster.log(a, b), [
          `A GET ${keyOfA}`,
          `A WATCH ${keyOfA}`,
          ...[`WATCH ${keyOfA}`, `GET ${keyOfA}`, "MULTI", `GET ${keyOfA}`, "EXEC"].map((line) => `B ${line}`)
        ])
        // What was left for it can be used by others, and is not held until the end.
        const { exclusive, exclusiveIdle } = yield* client.stats
        assert.deepStrictEqual([exclusive, exclusiveIdle], [2, 2])
        cluster.owners.set(FakeCluster.slotOf(keyOfA), a)
        yield* Effect.scoped(Effect.gen(function*() {
          const own = yield* client.reserve
          const outcomes = yield* Client.outcomes(own, [Redis.get(keyOfA)])
          assert.deepStrictEqual(outcomes, [Exit.succeed(`A:${keyOfA}`)])
          assert.strictEqual((yield* client.stats).exclusiveIdle, 1)
          // From the second command on it is that connection or none.
          cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
          const error = yield* Client.failure(own, Redis.get(keyOfA), "ConnectionError")
          assert.strictEqual(error.reason, "Demoted")
        }))
      })
  )

  inVirtualTime(
    "TRX-11: while a slot is on its way the first command on a reserved connection waits until it has arrived",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        let asked = 0
        a.instead = ({ name }) => {
          if (name !== "WATCH") return undefined
          if (++asked === 4) cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
          return asked < 4 ? FakeCluster.ask(keyOfA, b) : undefined
        }
        b.instead = transacting("B")
        yield* Client.on(client)(Redis.watch(keyOfA, Effect.succeed([Redis.get(keyOfA)])))
        assert.strictEqual(FakeCluster.log(a).length, 4)
      })
  )

  inVirtualTime(
    "CLR-06: a slot that stays on its way fails the first command on a reserved connection within a second",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        a.instead = ({ name }) => name === "WATCH" ? FakeCluster.ask(keyOfA, b) : undefined
        const watched = Redis.watch(keyOfA, Effect.succeed([Redis.get(keyOfA)]))
        const began = yield* Clock.currentTimeMillis
        const error = Client.expectTag(yield* Effect.flip(Client.on(client)(watched)), "ClusterRetriesExhaustedError")
        assert.deepInclude(error, { command: "WATCH", attempts: 16, delivery: "not-sent" })
        assert.isBelow((yield* Clock.currentTimeMillis) - began, 1000)
        assert.match(error.last, /^ASK/)
        assert.deepStrictEqual(FakeCluster.log(b), [])
      })
  )

  inVirtualTime("MONITOR is for one server", () =>
    Effect.gen(function*() {
      const { cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      const error = yield* Effect.flip(Client.on(client)(Effect.scoped(Stream.runDrain(Redis.monitor()))))
      assert.strictEqual(error._tag, "ClusterUnsupportedError")
    }))
})

describe("Callers that go away", () => {
  inVirtualTime(
    "while the topology is read: nothing is sent, and neighbours get their own",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        const gate = yield* Deferred.make<void>()
        const { client } = yield* FakeCluster.client(cluster, { nodes: [a] })
        a.instead = ({ name }) =>
          name === "CLUSTER" ? [FakeNode.gate(gate), FakeNode.reply(FakeCluster.slots(cluster.told))] : undefined
        const gone = [
          client.execute(Redis.set(keyOfA, "1")),
          client.execute(Redis.blpop([keyOfA], 0)),
          client.pipeline([Redis.set(keyOfA, "2")]),
          client.transaction([Redis.set(keyOfA, "3")])
        ]
        const fibers = yield* Effect.forEach(gone, (effect) => fork(effect as Effect.Effect<unknown, unknown>))
        const stays = yield* fork(client.execute(Redis.get(keyOfA)))
        yield* a.node.awaitCommand("CLUSTER")
        yield* Effect.forEach(fibers, Fiber.interrupt)
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Fiber.join(stays), `A:${keyOfA}`)
        assert.deepStrictEqual(FakeCluster.log(...cluster.nodes), [`A GET ${keyOfA}`])
        assert.deepInclude(yield* client.stats, { waiting: 0, inFlight: 0 })
      })
  )

  inVirtualTime(
    "when those who waited with them are answered: nothing is sent for them any more",
    () =>
      Effect.gen(function*() {
        const { cluster } = yield* FakeCluster.make({ replicas: true })
        const { client } = yield* FakeCluster.client(cluster, {
          readFrom: () => {
            throw new Error("fails who reads, on the spot")
          }
        })
        const first = yield* fork(Effect.exit(client.execute(Redis.get(keyOfA))))
        const second = yield* fork(client.execute(Redis.set(keyOfA, "v")))
        yield* fork(Effect.andThen(Fiber.join(first), Fiber.interrupt(second)))
        yield* Fiber.await(second)
        yield* client.execute(Redis.set(keyOfA, "after"))
        assert.deepStrictEqual(FakeCluster.log(...cluster.nodes), [`A SET ${keyOfA} after`])
      })
  )

  inVirtualTime("in a pause between two tries: it is not sent again", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) => name === "SET" ? FakeCluster.tryAgain : undefined
      const running = yield* Effect.forEach(
        [
          client.execute(Redis.set(keyOfA, "1")),
          client.pipeline([Redis.set(keyOfA, "1")])
        ],
        (effect) => fork(effect as Effect.Effect<unknown, unknown>)
      )
      yield* a.node.awaitCommand("SET", 17)
      yield* Effect.forEach(running, Fiber.interrupt)
      const sent = FakeCluster.log(a).length
      assert.deepInclude(yield* client.stats, { waiting: 0 })
      yield* Effect.sleep("120 millis")
      assert.strictEqual(FakeCluster.log(a).length, sent)
    }))

  inVirtualTime("after a redirect: the reply is dropped, and neighbours get their own", () =>
    Effect.gen(function*() {
      const { b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      const gate = yield* Deferred.make<void>()
      cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
      b.instead = ({ args, name }) =>
        name === "GET" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulk(args[1]!))] : undefined
      const fibers = yield* Effect.forEach(
        [0, 1, 2, 3, 4, 5],
        (i) => fork(client.execute(Redis.get(sibling(keyOfA, i))))
      )
      yield* b.node.awaitCommand("GET", 6)
      for (const i of [0, 2, 3]) yield* Fiber.interrupt(fibers[i]!)
      yield* Deferred.succeed(gate, undefined)
      for (const i of [1, 4, 5]) assert.strictEqual(yield* Fiber.join(fibers[i]!), sibling(keyOfA, i))
    }))

  inVirtualTime("in ASKING: the command is not left without it, nor another with it", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfB))
      const asked = Array.from({ length: 40 }, (_, i) => sibling(keyOfA, i))
      a.instead = ({ args, name }) => name === "GET" ? FakeCluster.ask(args[1]!, b) : undefined
      const fibers = yield* Effect.forEach(asked, (key) => fork(client.execute(Redis.get(key))))
      const others = yield* fork(
        Effect.forEach(asked, (_, i) => client.execute(Redis.get(sibling(keyOfB, i))), { concurrency: "unbounded" })
      )
      yield* b.node.awaitCommand("ASKING")
      for (const [i, fiber] of fibers.entries()) if (i % 3 === 0) yield* Fiber.interrupt(fiber)
      for (const [i, fiber] of fibers.entries()) {
        if (i % 3 !== 0) assert.strictEqual(yield* Fiber.join(fiber), `B:${asked[i]}`)
      }
      assert.deepStrictEqual(yield* Fiber.join(others), asked.map((_, i) => `B:${sibling(keyOfB, i)}`))
      // What comes after ASKING on its connection is what was asked for there.
      for (const { commands } of b.node.connections.all) {
        commands.forEach((command, i) => {
          if (command.name === "ASKING") assert.include(asked, commands[i + 1]?.args[1])
        })
      }
    }))

  inVirtualTime(
    "random interrupts, redirects and cuts never give a caller another's reply",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        let seen = 0
        for (const node of [a, b]) {
          node.instead = ({ args, name }) => {
            if (name !== "GET") return undefined
            const chance = ++seen % 97
            if (chance === 0) return FakeNode.cut("reset")
            if (chance % 7 === 0) return FakeCluster.tryAgain
            if (chance % 5 === 0) return FakeCluster.ask(args[1]!, node === a ? b : a)
            return Encode.bulk(args[1]!)
          }
        }
        const wrong: Array<unknown> = []
        yield* Effect.forEach(
          Array.from({ length: 4000 }, (_, i) => i),
          Effect.fnUntraced(function*(i: number) {
            const key = sibling(i % 2 === 0 ? keyOfA : keyOfB, i)
            const fiber = yield* fork(Effect.exit(client.execute(Redis.get(key))))
            if (i % 3 === 0) {
              yield* Effect.yieldNow
              return yield* Fiber.interrupt(fiber)
            }
            const exit = yield* Fiber.join(fiber)
            if (Exit.isSuccess(exit) ? exit.value !== key : !RedisError.isSafeToRetry(errorOf(exit))) wrong.push(exit)
          }),
          { concurrency: 200, discard: true }
        )
        assert.deepStrictEqual(wrong, [])
        assert.deepInclude(yield* client.stats, { waiting: 0 })
      })
  )
})

describe("Timeouts", () => {
  it.effect("of a blocking command hold for all of its tries together", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "600 millis" })
      const delay = yield* VirtualTime.delay
      let refused = 0
      a.instead = ({ name }) =>
        name === "BLPOP" ? [delay("400 millis"), FakeNode.reply(FakeCluster.moved(keyOfA, b))] : undefined
      b.instead = ({ name }) => {
        if (name === "BLPOP") refused++
        return name === "BLPOP"
          ? [delay("400 millis"), FakeNode.reply(FakeCluster.moved(keyOfA, a))]
          : undefined
      }
      yield* client.execute(Redis.get(keyOfC))
      const { exit, time } = yield* passing(Client.failure(client, Redis.blpop([keyOfA], 0.01), "TimeoutError"))
      assert.deepInclude(yield* exit, { delivery: "unknown", milliseconds: 610, command: "BLPOP" })
      assert.isBelow(time, 900)
      assert.strictEqual(refused, 1)
    }))

  it.effect("of a transaction that begins with a read and writes is no error of something that only reads", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "200 millis" })
      const delay = yield* VirtualTime.delay
      let tries = 0
      a.instead = (command, connection) =>
        command.name !== "EXEC"
          ? command.name === "GET" && tries === 0 ? FakeCluster.tryAgain : transacting("A")(command, connection)
          : tries++ === 0
          ? [delay("100 millis"), FakeNode.reply(Encode.error("EXECABORT Transaction discarded."))]
          : FakeNode.stall()
      yield* client.execute(Redis.get(keyOfC))
      const transaction = client.transaction([Redis.get(keyOfA), Redis.set(sibling(keyOfA), "v")])
      const { exit } = yield* passing(Effect.flip(transaction))
      const error = Client.expectTag(yield* exit, "TimeoutError")
      assert.deepInclude(error, { command: "EXEC", delivery: "unknown", readonly: false })
      assert.isFalse(RedisError.isSafeToRetry(error))
      assert.strictEqual(tries, 2)
    }))

  describe("with retryOnTimeout: what may have been run the first time, and is refused the second", () => {
    const { clusterDown, tryAgain } = FakeCluster
    const rows: ReadonlyArray<
      readonly [title: string, attempts: number, refusals: ReadonlyArray<Encode.Encoded>, tags: string]
    > = [
      ["for the last time", 1, [clusterDown], "ClusterDownError"],
      ["until there is no time left", 3, [clusterDown], "TimeoutError"],
      ["and the third for good", 3, [tryAgain, Encode.error("WRONGTYPE x")], "WrongTypeError, ExecAbortError"]
    ]
    for (const [title, clusterDownRetryAttempts, refusals, tags] of rows) {
      for (const way of ["pipeline", "transaction"] as const) {
        it.effect(`${title}, is not said to be unsent in a ${way}`, () =>
          Effect.gen(function*() {
            const { a, cluster } = yield* FakeCluster.make()
            const { client } = yield* FakeCluster.client(cluster, {
              commandTimeout: "100 millis",
              retryOnTimeout: true,
              clusterDownRetryAttempts
            })
            yield* client.execute(Redis.get(keyOfA))
            const late = [(yield* VirtualTime.delay)("150 millis"), FakeNode.reply(Encode.ok)]
            let sets = 0
            a.instead = (command, connection) => {
              const refusal = refusals[sets - 2]
              if (command.name === "EXEC") return refusal === undefined ? late : Encode.error("EXECABORT discarded")
              if (command.name !== "SET") return transacting("A")(command, connection)
              sets++
              return refusals[sets - 2] ?? (way === "pipeline" ? late : Encode.simple("QUEUED"))
            }
            const commands = [Redis.set(keyOfA, "v")]
            const failed: Effect.Effect<unknown, RedisError.TransactionError> = way === "pipeline"
              ? Effect.flatMap(client.pipeline(commands), ([outcome]) => outcome!)
              : client.transaction(commands)
            const error = yield* (yield* passing(Effect.flip(failed))).exit
            assert.include(tags, error._tag)
            assert.isFalse(RedisError.isSafeToRetry(error))
            assert.isTrue(error.mayHaveWritten === true || "delivery" in error && error.delivery === "unknown")
            assert.strictEqual(sets, refusals.length + 1)
          }))
      }
    }
  })

  describe("with retryOnTimeout: where ASK leads", () => {
    const rows = [
      ["what was late is sent again with ASKING, though that was in time", false, ["ASKING", "EVAL", "ASKING", "EVAL"]],
      ["ASKING is not sent again without what may be sent once alone", true, ["ASKING", "EVAL"]]
    ] as const
    for (const [title, ordered, expected] of rows) {
      it.effect(title, () =>
        Effect.gen(function*() {
          const { a, b, cluster } = yield* FakeCluster.make()
          const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "100 millis", retryOnTimeout: true })
          yield* client.execute(Redis.get(keyOfB))
          a.instead = ({ args, name }) => name === "EVAL" ? FakeCluster.ask(args[3]!, b) : undefined
          const delay = yield* VirtualTime.delay
          const late = delay("250 millis")
          let evals = 0
          b.instead = ({ name }) =>
            name === "ASKING" && ordered
              ? [late, FakeNode.reply(Encode.ok)]
              : name === "EVAL"
              ? [...evals++ === 0 && !ordered ? [delay("150 millis")] : [], FakeNode.reply(Encode.bulk("once"))]
              : undefined
          const script = RedisScript.make({
            lua: "return 'once'",
            keys: (key: string) => [key],
            result: RedisReply.text,
            ordered
          })
          const [outcome] = yield* (yield* passing(client.pipeline([script(keyOfA)]))).exit
          assert.strictEqual(outcome?._tag, ordered ? "Failure" : "Success")
          // What has come too late is nobody's, and the connection goes on.
          const { exit } = yield* passing(Effect.retry(client.execute(Redis.get(keyOfB)), { times: 9 }))
          assert.strictEqual(yield* exit, `B:${keyOfB}`)
          const sent = b.node.commands.map(({ command }) => command.name)
          assert.deepStrictEqual(sent.filter((name) => name === "ASKING" || name === "EVAL"), [...expected])
          assert.isFalse(sent.some((name, i) => name === "ASKING" && sent[i + 1] !== "EVAL"))
        }))
    }
  })

  it.effect("with retryOnTimeout: what avoids a server is not said to have run because a command of another was sent twice", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "300 millis", retryOnTimeout: true })
      yield* client.execute(Redis.get(keyOfA))
      // A hangs: what was sent is not answered, and no further connection can be opened.
      a.instead = ({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined
      const blocked = yield* fork(Effect.flip(client.execute(Redis.blpop(keyOfA, "100 millis"))))
      yield* a.node.awaitCommand("BLPOP")
      yield* a.node.stopListening
      yield* timed(blocked)
      assert.isFalse(RedisError.isSafeToRetry(yield* Fiber.join(blocked)))
      yield* Client.causing(client, "Disconnected", a.node.cutAll())
      const commands = [Redis.set(sibling(keyOfA), "v")]
      const patient = client.withTimeout("5 seconds")
      const ways = [Effect.flatMap(patient.pipeline(commands), ([outcome]) => outcome!), patient.transaction(commands)]
      for (const way of ways) {
        const { exit } = yield* passing(Effect.flip<unknown, RedisError.RedisError, never>(way))
        assert.isTrue(RedisError.isSafeToRetry(yield* exit))
      }
      assert.deepStrictEqual(FakeCluster.log(a).filter((line) => line.includes("SET")), [])
    }))

  it.effect("hold while the topology is read, and nothing is sent afterwards", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster } = yield* FakeCluster.make()
      for (const node of [a, b, c]) node.instead = ({ name }) => name === "CLUSTER" ? FakeNode.stall() : undefined
      const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "100 millis" })
      const notSent = { tag: "TimeoutError", delivery: "not-sent", readonly: false, safe: true } as const
      const { exit } = yield* passing(Effect.all([
        Client.failure(client, Redis.set(keyOfA, "1"), "TimeoutError"),
        Client.failure(client, Redis.blpop([keyOfA], 0.01), "TimeoutError"),
        Effect.map(
          Effect.flip(client.transaction([Redis.set(keyOfA, "2")])),
          (error) => Client.expectTag(error, "TimeoutError")
        ),
        Effect.map(
          client.pipeline([Redis.set(keyOfA, "3")]),
          ([outcome]) => Client.expectTag(errorOf(outcome), "TimeoutError")
        )
      ], { concurrency: "unbounded" }))
      for (const error of yield* exit) {
        assert.deepStrictEqual(Client.fate(error), { ...notSent, command: error.command })
      }
      assert.deepStrictEqual(FakeCluster.log(a, b, c), [])
    }))

  it.effect("hold in pauses, and nothing is sent afterwards", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      a.instead = ({ name }) => name === "SET" ? FakeCluster.tryAgain : undefined
      const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "30 millis" })
      const waiting = yield* fork(Client.failure(client, Redis.set(keyOfA, "1"), "TimeoutError"))
      yield* a.node.awaitCommand("SET", 9)
      // The same connection answers in order, so that the refusal has come by then, and the first pause has begun.
      yield* client.execute(Redis.get(keyOfA))
      yield* TestClock.adjust("30 millis")
      const error = yield* Fiber.join(waiting)
      assert.deepStrictEqual(Client.fate(error), {
        tag: "TimeoutError",
        command: "SET",
        delivery: "not-sent",
        readonly: false,
        safe: true
      })
      yield* TestClock.adjust("1 second")
      yield* client.execute(Redis.get(keyOfA))
      assert.strictEqual(FakeCluster.log(a).filter((command) => command.includes("SET")).length, 9)
    }))
})

describe("Memory", () => {
  it.effect(
    "a hundred thousand commands for a node that is down leave nothing behind, and keep nobody from the others",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster, { nodes: [b] })
        const hasty = client.withTimeout("100 millis")
        yield* client.execute(Redis.get(keyOfA))
        yield* a.node.stopListening
        yield* Client.causing(client, "Disconnected", a.node.cutAll("reset"))
        const round = Effect.gen(function*() {
          const commands = Array.from({ length: 10_000 }, (_, i) => Redis.set(sibling(keyOfA, i), "v"))
          const running = yield* fork(Client.outcomes(hasty, commands))
          assert.strictEqual(yield* client.execute(Redis.get(keyOfB)), `B:${keyOfB}`)
          for (const outcome of yield* (yield* timed(running)).exit) {
            assert.strictEqual(errorOf(outcome)._tag, "TimeoutError")
          }
        })
        yield* round
        const before = yield* used
        for (let i = 0; i < 10; i++) yield* round
        assert.isBelow((yield* used) - before, 6)
        // Whoever reads the topology may wait for the node as well.
        assert.isAtMost((yield* client.stats).waiting, 1)
        assert.strictEqual(FakeCluster.log(a).filter((line) => line.includes("SET")).length, 0)
        assert.isBelow(FakeCluster.readings(cluster), 40)
      })
  )
})
