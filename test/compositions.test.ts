/**
 * What is composed of several commands fails with an error that speaks for all
 * of them: which were answered, which may have run, and whether repeating the
 * whole can apply a write twice.
 */
import { assert, describe } from "@effect/vitest"
import { Redis, RedisError, RedisReply, RedisScript } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfB, keyOfC } from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as VirtualTime from "@redfx/testing/VirtualTime"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

/** What a caller learns from an error about trying again. */
const verdict = (error: RedisError.RedisError) => ({
  retryable: RedisError.isRetryable(error),
  safe: RedisError.isSafeToRetry(error),
  index: "index" in error ? error.index : undefined,
  partial: "partial" in error ? error.partial : undefined
})

type Composed = Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient>

const limit = "300 millis"
/** An answer that comes too late. */
const late = Effect.map(VirtualTime.delay, (delay) => delay("400 millis"))

/** A client of a server that does this. */
const against = Effect.fnUntraced(
  function*(handler: FakeNode.Handler, options: Parameters<typeof Client.make>[1] = {}) {
    const node = yield* FakeNode.make(handler)
    const client = yield* Client.make(node, { commandTimeout: limit, ...options })
    // Dialling takes none of the limit.
    yield* Effect.exit(client.execute(Redis.ping()))
    return { node, client, on: Client.on(client) }
  }
)

/** What befalls the last command of a composition, which only reads; and whether a later try may succeed. */
const blows: Readonly<Record<string, readonly [reply: FakeNode.Reply, retryable: boolean]>> = {
  "is refused with LOADING": [Encode.error("LOADING Redis is loading the dataset in memory"), true],
  "is refused with BUSY": [Encode.error("BUSY Redis is busy running a script."), true],
  "is refused with MASTERDOWN": [Encode.error("MASTERDOWN Link with MASTER is down"), true],
  "has the wrong type": [Encode.error("WRONGTYPE Operation against a key holding the wrong kind of value"), false],
  "loses its connection": [FakeNode.cut("reset"), true],
  "has no answer in time": [FakeNode.stall(), true]
}

/** What became of the command before. */
const neighbours = {
  "a write was answered": { command: Redis.incr("n"), reply: ":1\r\n", fate: "answered", writes: true },
  "a write was refused": { command: Redis.incr("n"), reply: Encode.error("OOM no memory"), fate: "none", writes: true },
  "a write needed no server": { command: Redis.del([]), reply: undefined, fate: "none", writes: false },
  "a read was answered": { command: Redis.get("k"), reply: Encode.bulk("v"), fate: "answered", writes: false },
  "code was answered": { command: Redis.eval("return 1"), reply: ":1\r\n", fate: "answered", writes: true }
} as const

describe("a pipeline that fails", () => {
  const kinds = {
    "as it is": (pipeline: Composed) => pipeline,
    "on a reserved connection": (pipeline: Composed) => Redis.withConnection(pipeline)
  }
  for (const [kind, within] of Object.entries(kinds)) {
    for (const [blow, [reply, retryable]] of Object.entries(blows)) {
      for (const [before, { command, fate, reply: first, writes }] of Object.entries(neighbours)) {
        inVirtualTime(`${kind}, as one ${blow} after ${before}`, () =>
          Effect.gen(function*() {
            const { on } = yield* against(({ name }) =>
              name === "HGETALL" ? reply : /^(CLIENT|HELLO|PING)$/.test(name) ? undefined : first
            )
            const error = yield* Effect.flip(on(within(Redis.pipeline([command, Redis.hgetall("h")]))))
            // The first failure is raised.
            const refused = before === "a write was refused"
            const lost = /loses|in time/.test(blow)
            assert.strictEqual(RedisError.isRetryable(error), refused || retryable)
            assert.strictEqual(
              RedisError.isSafeToRetry(error),
              (refused || retryable) && !(writes && fate === "answered")
            )
            assert.strictEqual(verdict(error).index, refused ? 0 : 1)
            const partial = verdict(error).partial
            if (fate === "none") {
              assert.deepStrictEqual(
                partial,
                refused && lost ? { of: "pipeline", answered: [], unknown: [1] } : undefined
              )
            } else {
              assert.deepStrictEqual(partial, { of: "pipeline", answered: [0], unknown: lost ? [1] : [] })
            }
          }).pipe(Effect.scoped))
      }
    }
  }

  inVirtualTime("is not safe to repeat when a later write may have run", () =>
    Effect.gen(function*() {
      const { on } = yield* against(({ name }) =>
        name === "GET" ? Encode.error("LOADING x") : name === "INCR" ? FakeNode.cut() : undefined
      )
      const error = yield* Effect.flip(
        on(Redis.pipeline({ a: Redis.get("k"), b: Redis.incr("n"), c: Redis.incr("m") }))
      )
      assert.deepStrictEqual(verdict(error), {
        retryable: true,
        safe: false,
        index: 0,
        partial: { of: "pipeline", answered: [], unknown: [1, 2] }
      })
      assert.include(
        error.message,
        "The commands at index 1 and 2 of the pipeline may have been run; do not repeat the whole"
      )
    }).pipe(Effect.scoped))

  inVirtualTime("applies no write twice under the recipe of the README", () =>
    Effect.gen(function*() {
      let counter = 0
      let cuts = 2
      const { on } = yield* against(({ name }) =>
        name === "INCR"
          ? Encode.integer(++counter)
          : name === "HGETALL"
          ? cuts-- > 0 ? FakeNode.cut() : Encode.bulks([])
          : name === "GET"
          ? Encode.bulk("v")
          : undefined
      )
      const again = { times: 5, while: RedisError.isSafeToRetry }
      yield* Effect.exit(Effect.retry(on(Redis.pipeline([Redis.incr("n"), Redis.hgetall("h")])), again))
      assert.strictEqual(counter, 1)
      cuts = 2
      yield* Effect.retry(on(Redis.pipeline([Redis.get("k"), Redis.hgetall("h")])), again).pipe(Effect.exit)
      assert.strictEqual(cuts, -1)
    }).pipe(Effect.scoped))

  inVirtualTime("leaves each outcome to itself where the caller sees them all", () =>
    Effect.gen(function*() {
      const { on } = yield* against(({ name }) =>
        name === "HGETALL" ? Encode.error("LOADING x") : name === "GET" ? undefined : ":1\r\n"
      )
      const [, read] = yield* on(Redis.pipelineSettled([Redis.incr("n"), Redis.hgetall("h")]))
      assert.isTrue(Result.isFailure(read) && RedisError.isSafeToRetry(read.failure))
      assert.deepInclude(Result.isFailure(read) ? verdict(read.failure) : {}, { index: 1, partial: undefined })
    }).pipe(Effect.scoped))
})

describe("a pipeline with a command that blocks", () => {
  const unblocked = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"

  inVirtualTime("keeps what was answered when the one that blocks has no answer in time", () =>
    Effect.gen(function*() {
      const { node, on } = yield* against(
        ({ name }) => name === "INCR" ? ":1\r\n" : name === "BLPOP" ? FakeNode.stall() : undefined,
        { retryOnTimeout: true }
      )
      const pipeline = [Redis.incr("n"), Redis.blpop(["k"], 0.05)] as const
      const [count, popped] = yield* on(Redis.pipelineSettled(pipeline))
      assert.deepStrictEqual(count, Result.succeed(1))
      assert.isTrue(Result.isFailure(popped) && popped.failure._tag === "TimeoutError")
      const sent = node.commands.filter(({ command }) => command.name.startsWith("INCR"))
      assert.strictEqual(sent.length, 1)
      const error = yield* Effect.flip(on(Redis.pipeline(pipeline)))
      assert.deepInclude(verdict(error), { safe: false, index: 1 })
    }).pipe(Effect.scoped))

  inVirtualTime("is as safe as what was answered before it was unblocked", () =>
    Effect.gen(function*() {
      const { on } = yield* against(({ name }) =>
        name === "BLPOP" ? Encode.error(unblocked) : name === "GET" ? Encode.bulk("v") : ":1\r\n"
      )
      const pop = Redis.blpop(["k"], 1)
      const alone = yield* Effect.flip(on(pop))
      assert.deepInclude(verdict(alone), { retryable: true, safe: true })
      const read = yield* Effect.flip(on(Redis.pipeline([Redis.get("k"), pop])))
      assert.deepInclude(verdict(read), { retryable: true, safe: true, index: 1 })
      const written = yield* Effect.flip(on(Redis.pipeline([Redis.incr("n"), pop])))
      assert.deepInclude(verdict(written), { retryable: true, safe: false, index: 1 })
    }).pipe(Effect.scoped))
})

describe("a transaction that fails", () => {
  const queued = "+QUEUED\r\n"

  /** Answers to MULTI, to each command, to EXEC. */
  const transacting = (
    { exec, multi = Encode.ok, replies = {} }: {
      readonly multi?: FakeNode.Reply
      readonly replies?: Readonly<Record<string, FakeNode.Reply>>
      readonly exec: FakeNode.Reply
    }
  ): FakeNode.Handler =>
  ({ name }) =>
    name === "MULTI"
      ? multi
      : name === "EXEC"
      ? exec
      : name === "WATCH" || name === "UNWATCH"
      ? Encode.ok
      : name === "CLIENT" || name === "HELLO" || name === "PING"
      ? undefined
      : replies[name] ?? queued

  const incrGet = [Redis.incr("n"), Redis.get("k")] as const
  const kinds: Readonly<
    Record<string, (commands: typeof incrGet | readonly [typeof incrGet[1], typeof incrGet[1]]) => Composed>
  > = {
    "a transaction": (commands) => Redis.transaction(commands),
    "a watch": (commands) => Redis.watch("k", Effect.succeed(commands))
  }
  for (const [kind, run] of Object.entries(kinds)) {
    inVirtualTime(
      `${kind}: a command that fails while EXEC runs does not undo the others`,
      () =>
        Effect.gen(function*() {
          const { on } = yield* against(transacting({ exec: `*2\r\n:1\r\n-BUSY x\r\n` }))
          assert.deepStrictEqual(verdict(yield* Effect.flip(on(run(incrGet)))), {
            retryable: true,
            safe: false,
            index: 1,
            partial: { of: "transaction", answered: [0], unknown: [] }
          })
          const reads = yield* against(transacting({ exec: `*2\r\n$1\r\nv\r\n-BUSY x\r\n` }))
          const error = yield* Effect.flip(reads.on(run([Redis.get("k"), Redis.get("k")])))
          assert.deepInclude(verdict(error), { retryable: true, safe: true, index: 1 })
        }).pipe(Effect.scoped)
    )

    const abort = Encode.error("EXECABORT Transaction discarded because of previous errors.")
    const aborts: ReadonlyArray<
      readonly [replies: Readonly<Record<string, FakeNode.Reply>>, exec: FakeNode.Reply, safe: boolean]
    > = [
      [{ INCR: Encode.error("LOADING x"), GET: Encode.error("LOADING x") }, abort, true],
      [{ INCR: Encode.error("OOM x") }, abort, true],
      [{ INCR: Encode.error("OOM x"), GET: Encode.error("ERR x") }, abort, false],
      [{ INCR: Encode.error("MISCONF x") }, abort, true],
      [{ INCR: Encode.error("NOPERM x") }, abort, false],
      [{}, abort, false],
      [
        {},
        Encode.error("EXECABORT Transaction discarded because of: NOREPLICAS Not enough good replicas to write."),
        true
      ]
    ]
    inVirtualTime(`${kind}: one that was discarded is as its causes are`, () =>
      Effect.gen(function*() {
        for (const [replies, exec, safe] of aborts) {
          const { on } = yield* against(transacting({ replies, exec }))
          const error = yield* Effect.flip(on(run(incrGet)))
          assert.strictEqual(error._tag, "ExecAbortError")
          assert.deepStrictEqual(
            verdict(error),
            { retryable: safe, safe, index: undefined, partial: undefined },
            error.message
          )
        }
      }).pipe(Effect.scoped))

    inVirtualTime(
      `${kind}: where MULTI was refused the commands after it were for themselves`,
      () =>
        Effect.gen(function*() {
          const multi = Encode.error("BUSY Redis is busy running a script.")
          const exec = Encode.error("ERR EXEC without MULTI")
          const none = yield* against(transacting({ multi, exec, replies: { INCR: multi, GET: multi } }))
          assert.deepStrictEqual(verdict(yield* Effect.flip(none.on(run(incrGet)))), {
            retryable: true,
            safe: true,
            index: undefined,
            partial: undefined
          })
          const read = yield* against(transacting({ multi, exec, replies: { INCR: multi, GET: Encode.bulk("v") } }))
          assert.deepInclude(verdict(yield* Effect.flip(read.on(run(incrGet)))), { retryable: true, safe: true })
          const written = yield* against(transacting({ multi, exec, replies: { INCR: ":1\r\n", GET: multi } }))
          const error = yield* Effect.flip(written.on(run(incrGet)))
          assert.deepStrictEqual(verdict(error), {
            retryable: true,
            safe: false,
            index: undefined,
            partial: { of: "transaction", answered: [0], unknown: [] }
          })
          assert.match(
            error.message,
            /MULTI was refused \(BUSY .*The command at index 0 of the transaction was answered; do not repeat/
          )
        }).pipe(Effect.scoped)
    )
  }

  for (const [kind, run] of Object.entries(kinds)) {
    inVirtualTime(
      `${kind}: an EXEC that does not answer each command has run nobody knows what`,
      () =>
        Effect.gen(function*() {
          for (
            const exec of [
              ":2\r\n",
              "*0\r\n",
              "*1\r\n:1\r\n",
              "*3\r\n:1\r\n:2\r\n:3\r\n",
              "+OK\r\n",
              "%1\r\n:1\r\n:2\r\n"
            ]
          ) {
            const { on } = yield* against(transacting({ exec }))
            const error = yield* Effect.flip(on(run(incrGet)))
            assert.deepStrictEqual([error._tag, verdict(error)], ["DecodeError", {
              retryable: false,
              safe: false,
              index: undefined,
              partial: { of: "transaction", answered: [], unknown: [0, 1] }
            }], exec)
            assert.strictEqual(error._tag === "DecodeError" && error.mayHaveWritten, true)
          }
        }).pipe(Effect.scoped)
    )

    inVirtualTime(
      `${kind}: what was run by itself, although MULTI was not refused, is told`,
      () =>
        Effect.gen(function*() {
          for (const multi of [":7\r\n", Encode.error("ERR max number of clients reached")]) {
            for (const [refusal, retryable] of [["ERR EXEC without MULTI", false], ["OOM x", true]] as const) {
              const { on } = yield* against(
                transacting({ multi, exec: Encode.error(refusal), replies: { INCR: ":1\r\n" } })
              )
              assert.deepStrictEqual(verdict(yield* Effect.flip(on(run(incrGet)))), {
                retryable,
                safe: false,
                index: undefined,
                partial: { of: "transaction", answered: [0], unknown: [] }
              })
            }
          }
        }).pipe(Effect.scoped)
    )
  }

  inVirtualTime("code that fails while EXEC runs may have written", () =>
    Effect.gen(function*() {
      const { on } = yield* against(transacting({ exec: `*2\r\n$1\r\nv\r\n-BUSY x\r\n` }))
      const error = yield* Effect.flip(on(Redis.transaction([Redis.get("k"), Redis.eval("x")])))
      assert.deepInclude(verdict(error), { retryable: true, safe: false, index: 1 })
    }).pipe(Effect.scoped))

  inVirtualTime(
    "a connection that is lost in the body of a watch is a WatchError, in a pipeline as well",
    () =>
      Effect.gen(function*() {
        let cuts = 1
        const { on } = yield* against((command, connection) =>
          command.name === "GET"
            ? cuts-- > 0 ? FakeNode.cut() : Encode.bulk("v")
            : transacting({ exec: "*2\r\n:1\r\n$1\r\nv\r\n" })(command, connection)
        )
        const body = Effect.as(Redis.pipeline([Redis.get("a"), Redis.get("b")]), incrGet)
        assert.deepStrictEqual(yield* on(Redis.watch("k", body)), [1, "v"])
      }).pipe(Effect.scoped)
  )

  inVirtualTime("EXEC has no place among the commands of the caller", () =>
    Effect.gen(function*() {
      const { on } = yield* against(transacting({ exec: Encode.error("CLUSTERDOWN x") }))
      const error = yield* Effect.flip(on(Redis.transaction(incrGet)))
      assert.deepInclude(verdict(error), { retryable: true, safe: true, index: undefined })
    }).pipe(Effect.scoped))
})

type Incr = ReturnType<typeof Redis.incr>

describe("what is no command, as programs without types give it", () => {
  const none: ReadonlyArray<unknown> = [
    Promise.resolve(1),
    Effect.succeed(1),
    Redis.get,
    Redis.get("k").pipe(Effect.asVoid),
    ["GET", "k"],
    "GET k",
    {},
    null,
    undefined
  ]
  const others: ReadonlyArray<unknown> = [
    undefined,
    null,
    "GET k",
    Redis.get("k"),
    new Set([Redis.get("k")]),
    new Map(),
    // Other clients give a callback a transaction to fill.
    () => [Redis.incr("n")]
  ]
  const detail =
    "what is given here is no command, as Redis.get(\"k\") is one; several are an array or a record of them, and no function"

  const isPromise = (each: unknown): boolean => each instanceof Promise
  const begun = "what is given here is a promise, whose command is sent by a call of its own"

  inVirtualTime(
    "is refused in its place in a pipeline, and nothing is sent where it is all",
    () =>
      Effect.gen(function*() {
        const { node, on } = yield* against(({ name }) => name === "INCR" ? ":1\r\n" : undefined)
        for (const each of none) {
          const commands = [Redis.incr("n"), each] as unknown as readonly [Incr, Incr]
          const error = yield* Effect.flip(on(Redis.pipeline(commands)))
          assert.deepInclude(error, { _tag: "DataError", index: 1 })
          assert.include(error.message, isPromise(each) ? begun : detail)
          const [first, second] = yield* on(Redis.pipelineSettled(commands))
          assert.deepStrictEqual([first._tag, second._tag], ["Success", "Failure"])
        }
        const sent = node.commands.length
        for (const each of others) {
          const commands = each as ReadonlyArray<Incr>
          assert.deepInclude(yield* Effect.flip(on(Redis.pipeline(commands))), { _tag: "DataError", detail })
          const settled = yield* on(Redis.pipelineSettled(commands))
          assert.deepStrictEqual(settled.map(({ _tag }) => _tag), ["Failure"])
        }
        // One with a hole, over which methods of arrays pass.
        const holed = new Array<Incr>(1)
        assert.deepInclude(yield* Effect.flip(on(Redis.pipeline(holed))), { _tag: "DataError", index: 0, detail })
        assert.strictEqual(node.commands.length, sent)
      }).pipe(Effect.scoped)
  )

  inVirtualTime("keeps a transaction and the commit of a watch from being sent", () =>
    Effect.gen(function*() {
      const { node, on } = yield* against(({ name }) => name === "WATCH" || name === "UNWATCH" ? Encode.ok : undefined)
      for (const each of [...none.map((one) => [Redis.incr("n"), one]), ...others]) {
        const commands = each as ReadonlyArray<Incr>
        const says = Array.isArray(each) && isPromise(each[1]) ? begun : detail
        const runs: ReadonlyArray<readonly [Composed, string]> = [
          [Redis.transaction(commands), says],
          [Redis.transactionSettled(commands), says],
          [
            Redis.watch("k", Effect.succeed(commands)),
            each === undefined || each === null ? "returned no commands" : says
          ]
        ]
        for (const [run, says] of runs) {
          const error = yield* Effect.flip(on(run))
          assert.strictEqual(error._tag, "DataError")
          assert.include(error.message, says)
        }
      }
      const names = node.commands.map(({ args }) => args[0])
      assert.notIncludeMembers(names, ["MULTI", "INCR", "EXEC"])
    }).pipe(Effect.scoped))
})

describe("code on the server", () => {
  const code = RedisScript.make({ lua: "return 1", result: RedisReply.integer })
  const readonlyCode = RedisScript.make({ lua: "return 2", readonly: true, result: RedisReply.integer })
  const calls = {
    EVAL: Redis.eval("x"),
    EVALSHA: code(),
    FCALL: Redis.fcall("f", []),
    "EVAL by name": Redis.send("eval", "x", 0)
  }
  const refused: FakeNode.Handler = ({ name }) =>
    name === "SCRIPT" ? "*1\r\n:1\r\n" : /^(EVAL|FCALL)/i.test(name) ? Encode.error("BUSY come back later") : undefined

  for (const [name, call] of Object.entries(calls)) {
    inVirtualTime(`${name}: an error of its own proves nothing, alone and in a pipeline`, () =>
      Effect.gen(function*() {
        const { node, on } = yield* against(refused)
        const alone = yield* Effect.flip(on(call))
        assert.deepInclude(verdict(alone), { retryable: true, safe: false })
        const among = yield* Effect.flip(on(Redis.pipeline([Redis.ping(), call])))
        assert.deepInclude(verdict(among), { retryable: true, safe: false, index: 1 })
        yield* node.stopListening
        yield* Effect.exit(on(Redis.send("QUIT")))
      }).pipe(Effect.scoped))
  }

  inVirtualTime("code that only reads is safe, and so is what was not sent", () =>
    Effect.gen(function*() {
      const { on } = yield* against(refused)
      assert.deepInclude(verdict(yield* Effect.flip(on(readonlyCode()))), { retryable: true, safe: true })
      const node = yield* FakeNode.make()
      yield* node.stopListening
      const error = yield* Effect.flip(Client.on(yield* Client.make(node))(Redis.pipeline([code(), Redis.eval("x")])))
      assert.deepInclude(verdict(error), { retryable: true, safe: true })
    }).pipe(Effect.scoped))
})

describe("retryOnTimeout", () => {
  inVirtualTime("does not forget that what it sent again may have run before", () =>
    Effect.gen(function*() {
      for (const again of [Redis.incr("n"), Redis.pipeline([Redis.incr("n")])]) {
        let times = 0
        const pause = yield* late
        const { node, on } = yield* against(
          ({ name }) =>
            !name.startsWith("INCR")
              ? undefined
              : times++ === 0
              ? [pause, FakeNode.reply(":1\r\n")]
              : Encode.error("LOADING x"),
          { retryOnTimeout: true }
        )
        const error: RedisError.RedisError = yield* Effect.flip(on(again as Composed))
        assert.strictEqual(node.commands.filter(({ command }) => command.name.startsWith("INCR")).length, 2)
        assert.strictEqual(error._tag, "BusyLoadingError")
        assert.deepInclude(verdict(error), { retryable: true, safe: false })
      }
    }).pipe(Effect.scoped))

  inVirtualTime("does not forget that EXEC, sent again and refused, may have run before", () =>
    Effect.gen(function*() {
      let times = 0
      const pause = yield* late
      const { on } = yield* against(
        ({ name }) =>
          name === "MULTI"
            ? Encode.ok
            : name === "EXEC"
            ? times++ === 0
              ? [pause, FakeNode.reply("*1\r\n:1\r\n")]
              : Encode.error("EXECABORT Transaction discarded because of: LOADING x")
            : name === "HELLO" || name === "CLIENT"
            ? undefined
            : "+QUEUED\r\n",
        { retryOnTimeout: true }
      )
      const error = yield* Effect.flip(on(Redis.transaction([Redis.incr("n")])))
      assert.strictEqual(error._tag, "ExecAbortError")
      assert.deepInclude(verdict(error), { retryable: true, safe: false })
      assert.notInclude(error.message, "nothing was run")
    }).pipe(Effect.scoped))
})

describe("refused handshakes", () => {
  const refusing = (line: string): FakeNode.Handler => ({ name }) => name === "SELECT" ? Encode.error(line) : undefined
  const table = [
    ["ERR DB index is out of range", false],
    ["NOPERM this user has no permissions to run the 'select' command", false],
    ["ERR SELECT is not allowed in cluster mode", false],
    ["BUSY Redis is busy running a script.", true],
    ["MASTERDOWN Link with MASTER is down", true],
    ["LOADING Redis is loading the dataset in memory", true],
    ["ERR max number of clients reached", true]
  ] as const
  for (const [line, passes] of table) {
    inVirtualTime(`${line}: ${passes ? "passes" : "is final"}`, () =>
      Effect.gen(function*() {
        const { on } = yield* against(refusing(line), { db: 9 })
        for (
          const effect of [Redis.get("k"), Redis.pipeline([Redis.incr("n")]), Redis.transaction([Redis.incr("n")])]
        ) {
          const error: RedisError.RedisError = yield* Effect.flip(on(effect as Composed))
          if (error._tag === "TimeoutError") continue
          assert.deepInclude(verdict(error), { retryable: passes, safe: passes }, error.message)
          assert.strictEqual(/safe to retry|retry a little/.test(error.message), passes, error.message)
        }
      }).pipe(Effect.scoped))
  }

  inVirtualTime(
    "a wrong password has no place in the pipeline of a caller who did not write HELLO",
    () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(undefined, { handshake: { password: "right" } })
        for (const options of [{ password: Redacted.make("wrong") }, {}]) {
          const on = Client.on(yield* Client.make(node, options))
          const alone = yield* Effect.flip(on(Redis.get("k")))
          assert.deepInclude(verdict(alone), { retryable: false, safe: false, index: undefined })
          const results = yield* on(Redis.pipelineSettled([Redis.get("a"), Redis.get("b"), Redis.get("c")]))
          results.forEach((result, place) => {
            const index = Result.isFailure(result) ? verdict(result.failure).index : -1
            assert.isTrue(index === undefined || index === place, `${index} at ${place}`)
          })
        }
      }).pipe(Effect.scoped)
  )
})

describe("in a cluster", () => {
  const lines = ["OOM x", "LOADING x", "BUSY x", "CLUSTERDOWN x", "MASTERDOWN x"]
  const setUp = Effect.fnUntraced(function*(crossSlot: "split" | "emulate" = "split") {
    const fake = yield* FakeCluster.make()
    const { client } = yield* FakeCluster.client(fake.cluster, { crossSlot, clusterDownRetryAttempts: 1 })
    return { ...fake, client, on: Client.on(client) }
  })

  for (const line of lines) {
    inVirtualTime(
      `a DEL of three servers of which one says ${line} is not safe to repeat`,
      () =>
        Effect.gen(function*() {
          const { a, b, c, on } = yield* setUp()
          a.instead = c.instead = ({ name }) => name === "DEL" ? ":1\r\n" : undefined
          b.instead = ({ name }) => name === "DEL" ? Encode.error(line) : undefined
          const error = yield* Effect.flip(on(Redis.del(keyOfA, keyOfB, `{${keyOfA}}2`, keyOfC)))
          assert.deepStrictEqual(verdict(error), {
            retryable: true,
            safe: false,
            index: undefined,
            partial: { of: "keys", answered: [0, 2, 3], unknown: [] }
          })
          assert.include(error.message, "The keys at index 0, 2 and 3 were done; do not repeat the whole")
          // Where none has run, it is.
          a.instead = c.instead = b.instead
          assert.isTrue(RedisError.isSafeToRetry(yield* Effect.flip(on(Redis.del(keyOfA, keyOfB)))))
          // And so is what only reads.
          b.instead = ({ name }) => name === "MGET" ? Encode.error(line) : undefined
          a.instead = ({ name }) => name === "MGET" ? Encode.bulks(["v"]) : undefined
          assert.isTrue(RedisError.isSafeToRetry(yield* Effect.flip(on(Redis.mget(keyOfA, keyOfB)))))
        }).pipe(Effect.scoped)
    )

    inVirtualTime(
      `a RENAME of two servers that has written when one says ${line} is not safe to repeat`,
      () =>
        Effect.gen(function*() {
          const { a, b, on } = yield* setUp("emulate")
          a.instead = ({ name }) =>
            name === "DUMP"
              ? Encode.bulk("payload")
              : name === "PTTL"
              ? ":-1\r\n"
              : name === "DEL"
              ? Encode.error(line)
              : undefined
          b.instead = ({ name }) => name === "RESTORE" ? Encode.ok : undefined
          const error = yield* Effect.flip(on(Redis.rename(keyOfA, keyOfB)))
          assert.deepInclude(verdict(error), { retryable: true, safe: false })
          b.instead = ({ name }) => name === "RESTORE" ? Encode.error(line) : undefined
          const refused = yield* Effect.flip(on(Redis.rename(keyOfA, keyOfB)))
          assert.isTrue(RedisError.isSafeToRetry(refused))
        }).pipe(Effect.scoped)
    )

    inVirtualTime(
      `FLUSHALL on all masters of which one says ${line} is not safe to repeat`,
      () =>
        Effect.gen(function*() {
          const { a, b, c, on } = yield* setUp()
          a.instead = c.instead = ({ name }) => name === "FLUSHALL" ? Encode.ok : undefined
          b.instead = ({ name }) => name === "FLUSHALL" ? Encode.error(line) : undefined
          const error = yield* Effect.flip(on(Redis.flushall()))
          assert.deepInclude(verdict(error), { retryable: true, safe: false })
        }).pipe(Effect.scoped)
    )

    inVirtualTime(
      `a pipeline over two servers of which one says ${line} is as safe as the other's part`,
      () =>
        Effect.gen(function*() {
          const { a, b, on } = yield* setUp()
          a.instead = ({ name }) => name.startsWith("INCR") ? ":1\r\n" : undefined
          b.instead = ({ name }) => name === "HGETALL" ? Encode.error(line) : undefined
          const read = Redis.hgetall(keyOfB)
          const error = yield* Effect.flip(on(Redis.pipeline([Redis.incr(keyOfA), read])))
          assert.deepStrictEqual(verdict(error), {
            retryable: true,
            safe: false,
            index: 1,
            partial: { of: "pipeline", answered: [0], unknown: [] }
          })
          assert.isTrue(RedisError.isSafeToRetry(yield* Effect.flip(on(Redis.pipeline([Redis.get(keyOfA), read])))))
        }).pipe(Effect.scoped)
    )
  }

  inVirtualTime(
    "an index counts what the caller wrote, on the client and on a reserved connection",
    () =>
      Effect.gen(function*() {
        const { a, b, on } = yield* setUp()
        a.instead = b.instead = ({ name }) => name === "HGETALL" ? Encode.error("WRONGTYPE x") : undefined
        const reads = [
          Redis.get(keyOfA),
          Redis.mget([keyOfA, keyOfB]),
          Redis.hgetall(keyOfA),
          Redis.hgetall(keyOfB)
        ] as const
        const indexes = (results: ReadonlyArray<Result.Result<unknown, RedisError.RedisError>>) =>
          results.map((result) => Result.isFailure(result) ? verdict(result.failure).index : "ok")
        assert.deepStrictEqual(indexes(yield* on(Redis.pipelineSettled(reads))), ["ok", 1, 2, 3])
        assert.deepStrictEqual(indexes(yield* on(Redis.withConnection(Redis.pipelineSettled(reads)))), ["ok", 1, 2, 3])
      }).pipe(Effect.scoped)
  )

  inVirtualTime("so it does for who uses a client without Redis.pipeline", () =>
    Effect.gen(function*() {
      const { a, client } = yield* setUp()
      a.instead = ({ name }) => name === "HGETALL" ? Encode.error("WRONGTYPE x") : undefined
      const commands = [Redis.mget([keyOfA, keyOfB]), Redis.get(keyOfA), Redis.hgetall(keyOfA)]
      const reserved = yield* client.reserve
      for (const self of [client, reserved]) {
        const outcomes = yield* self.pipeline(commands)
        const errors = yield* Effect.forEach(outcomes, (outcome) => Effect.result(outcome))
        assert.deepStrictEqual(
          errors.map((result) => Result.isFailure(result) ? verdict(result.failure).index : "ok"),
          [0, "ok", 2]
        )
      }
    }).pipe(Effect.scoped))

  inVirtualTime("an error of what had no answer in time has its place as well", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { commandTimeout: limit })
      yield* Effect.forEach(FakeCluster.keys, (key) => client.execute(Redis.get(key)))
      a.instead = b.instead = ({ name }) => name === "HGETALL" ? FakeNode.stall() : undefined
      const results: ReadonlyArray<Result.Result<unknown, RedisError.RedisError>> = yield* Client.on(client)(
        Redis.pipelineSettled([Redis.get(keyOfC), Redis.hgetall(keyOfA), Redis.hgetall(keyOfB)])
      )
      assert.deepStrictEqual(
        results.map((result) => Result.isFailure(result) ? [result.failure._tag, verdict(result.failure).index] : "ok"),
        ["ok", ["TimeoutError", 1], ["TimeoutError", 2]]
      )
    }).pipe(Effect.scoped))
})
