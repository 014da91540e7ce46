/**
 * Transactions, plain and optimistic, on a real server and on one that fails at will.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Redis, RedisClient, RedisError, RedisKeyspace } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { asking } from "@redfx/core/unstable/Request"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { fork, inOneTurn } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { freshKey } from "@redfx/testing/Suite"
import { passing } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { TestClock } from "effect/testing"

for (const protocol of [2, 3] as const) {
  describe(`on a real server, RESP${protocol}`, () => {
    layer(Client.live(protocol), { excludeTestServices: true })((it) => {
      it.effect("PIP-01, PIP-03: runs a tuple or a record atomically, each result converted", () =>
        Effect.gen(function*() {
          const [a, h] = [freshKey(), freshKey()]
          const [set, added, fields] = yield* Redis.transaction([
            Redis.set(a, "1"),
            Redis.hset(h, { f: "v" }),
            Redis.hgetall(h)
          ])
          assert.deepStrictEqual([set, added, { ...fields }], [true, 1, { f: "v" }])
          const record = yield* Redis.transaction({ n: Redis.incr(a), bytes: Redis.asBytes(Redis.get(a)) })
          assert.deepStrictEqual(record, { n: 2, bytes: new Uint8Array([0x32]) })
        }))

      it.effect("PIP-03: lets no other caller's commands in between", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const swap = Redis.transaction([Redis.incr(key), Redis.incr(key)])
          const pairs = yield* Effect.forEach(
            Array.from({ length: 500 }),
            (_, index) => index % 2 === 0 ? swap : Effect.as(Redis.incr(key), undefined),
            { concurrency: "unbounded" }
          )
          for (const pair of pairs) {
            if (pair !== undefined) assert.strictEqual(pair[1], pair[0] + 1)
          }
        }))

      it.effect("PIP-07: a command that fails while it runs does not undo the others", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const commands = [Redis.set(key, "text"), Redis.incr(key), Redis.strlen(key)] as const
          const error = yield* Effect.flip(Redis.transaction(commands))
          assert.strictEqual(error._tag === "ResponseError" && error.index, 1)
          const [set, sum, length] = yield* Redis.transactionSettled(commands)
          assert.deepStrictEqual([set, length], [Result.succeed(true), Result.succeed(4)])
          assert.isTrue(Result.isFailure(sum))
        }))

      it.effect("PIP-08: a command that cannot be queued discards all, and is named", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const error = yield* Effect.flip(Redis.transaction([Redis.set(key, "v"), Redis.send("NOSUCH", "secret")]))
          assert.strictEqual(error._tag, "ExecAbortError")
          if (error._tag === "ExecAbortError") {
            assert.deepStrictEqual(error.causes.map(({ index, command }) => ({ index, command })), [
              { index: 1, command: "NOSUCH" }
            ])
            assert.notInclude(error.message, "secret")
          }
          assert.strictEqual(yield* Redis.get(key), undefined)
        }))

      it.effect("PIP-04, PIP-12: what needs no server has its place, and nothing to send costs nothing", () =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* Redis.transaction([]), [])
          const [none, stored] = yield* Redis.transaction([Redis.mget([]), Redis.set(freshKey(), "v")])
          assert.deepStrictEqual([none, stored], [[], true])
          const error = yield* Effect.flip(Redis.transaction([Redis.set(freshKey(), "v"), Redis.mset({})]))
          assert.strictEqual(error._tag, "DataError")
        }))

      it.effect("TRX-01, TRX-02, TRX-03, TRX-10: reads at once while watching, and commits what the body returns", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(key, "20")
          const { before, after } = yield* Redis.watch(
            key,
            Effect.map(
              Redis.get(key),
              (n) => ({ before: Redis.getrange(key, 0, -1), after: Redis.incrby(key, Number(n)) })
            )
          )
          assert.deepStrictEqual({ before, after }, { before: "20", after: 40 })
        }))

      it.effect("TRX-01, TRX-06: runs again while others change what it read, and applies it once", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const other = yield* Client.another
          let tries = 0
          const [sum] = yield* Redis.watch(
            [key],
            Effect.gen(function*() {
              const n = Number((yield* Redis.get(key)) ?? 0)
              if (++tries < 4) yield* other.execute(Redis.incrby(key, 10))
              return [Redis.incrby(key, n)]
            })
          )
          assert.deepStrictEqual([tries, sum], [4, 60])
        }).pipe(Effect.scoped))

      it.effect("PIP-09, TRX-06: a conflict is a WatchError once the schedule is through, and nothing is applied", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const other = yield* Client.another
          let tries = 0
          const error = yield* Effect.flip(Redis.watch(
            key,
            Effect.gen(function*() {
              tries++
              yield* other.execute(Redis.set(key, "theirs"))
              return [Redis.set(key, "ours")]
            }),
            { schedule: Schedule.recurs(2) }
          ))
          assert.strictEqual(error._tag === "WatchError" && error.reason, "changed")
          assert.strictEqual(tries, 3)
          assert.strictEqual(yield* Redis.get(key), "theirs")
        }).pipe(Effect.scoped))

      it.effect("TRX-04, TRX-08, PIP-14: a body that fails commits nothing and leaves nothing watched", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const error = yield* Effect.flip(
            Redis.watch(key, Effect.andThen(Redis.set(key, "seen"), Effect.fail("mine" as const)))
          )
          assert.strictEqual(error, "mine")
          // The next to get the connection must not find the keys of the last one watched.
          const [ok] = yield* Redis.withConnection(Effect.gen(function*() {
            yield* Redis.set(key, "changed")
            return yield* Redis.transaction([Redis.set(key, "applied")])
          }))
          assert.strictEqual(ok, true)
        }))

      it.effect("TRX-06: with nothing to commit a conflict is a WatchError all the same, and nothing stays watched", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const other = yield* Client.another
          for (const commands of [[], [Redis.mget([])]] as const) {
            const body = Effect.as(Effect.andThen(Redis.get(key), other.execute(Redis.incr(key))), commands)
            const error = yield* Effect.flip(Redis.watch(key, body, { schedule: Schedule.recurs(0) }))
            assert.strictEqual(error._tag === "WatchError" && error.reason, "changed")
            yield* Redis.watch(key, Effect.succeed(commands))
            yield* other.execute(Redis.incr(key))
            const [visits] = yield* Redis.withConnection(Redis.transaction([Redis.incr(`${key}:visits`)]))
            assert.isNumber(visits)
          }
        }).pipe(Effect.scoped))

      it.effect("TRX-02: what would end the watch is refused in the body, and the watch goes on", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const other = yield* Client.another
          const visits = RedisKeyspace.makeCounter({ key: `${key}:*`, ttl: "1 hour" })
          const inner: ReadonlyArray<Effect.Effect<unknown, unknown, RedisClient.RedisClient>> = [
            Redis.transaction([Redis.incr(`${key}:n`)]),
            Redis.withConnection(Redis.transaction([Redis.incr(`${key}:n`)])),
            Redis.watch(key, Effect.succeed([Redis.incr(`${key}:n`)])),
            visits.increment("x"),
            Redis.pipeline([Redis.send("MULTI"), Redis.incr(`${key}:n`), Redis.send("EXEC")]),
            Redis.send("UNWATCH"),
            Redis.send("RESET")
          ]
          for (const effect of inner) {
            const error = yield* Effect.flip(Redis.watch(
              key,
              Effect.gen(function*() {
                const refused = yield* Effect.flip(effect)
                assert.deepInclude(refused, { _tag: "DataError" })
                yield* other.execute(Redis.incr(key))
                return [Redis.incr(`${key}:n`)]
              }),
              { schedule: Schedule.recurs(0) }
            ))
            assert.deepInclude(error, { _tag: "WatchError", reason: "changed" })
          }
          assert.strictEqual(yield* Redis.exists(`${key}:n`, `${key}:x`), 0)
          // After it, on the same connection, all is allowed again.
          const [n] = yield* Redis.withConnection(
            Effect.andThen(Redis.watch(key, Effect.succeed([])), Redis.transaction([Redis.incr(`${key}:n`)]))
          )
          assert.strictEqual(n, 1)
        }).pipe(Effect.scoped))

      it.effect("begun by name, what would be answered QUEUED and promises another answer is refused unsent", () =>
        Effect.gen(function*() {
          const [sent, unsent] = [freshKey(), freshKey()]
          yield* Redis.withConnection(Effect.gen(function*() {
            yield* Redis.send("MULTI")
            for (
              const command of [
                Redis.incr(unsent),
                Redis.get(unsent),
                Redis.pipeline([Redis.send("DEL", sent), Redis.get(unsent)])
              ]
            ) {
              const error = yield* Effect.flip<unknown, unknown, RedisClient.RedisClient>(command)
              assert.deepInclude(error, { _tag: "DataError" })
              assert.match(String(error), /a MULTI that was sent by name is open.*was(?: not)? sent/)
            }
            assert.strictEqual(yield* Redis.send("INCR", sent), "QUEUED")
            assert.deepStrictEqual(yield* Redis.send("EXEC"), [1])
            assert.strictEqual(yield* Redis.get(sent), "1")
            const byName = Redis.pipeline([Redis.send("MULTI"), Redis.incr(unsent), Redis.send("EXEC")])
            assert.deepInclude(yield* Effect.flip(byName), { _tag: "DataError" })
            assert.strictEqual(yield* Redis.exists(unsent), 0)
          }))
        }))

      it.effect("TRX-08: interrupted in the turn in which its body ends, it leaves nothing watched", () =>
        Effect.gen(function*() {
          const key = freshKey()
          for (let turn = 0; turn < 10; turn++) {
            const ready = yield* Deferred.make<void>()
            const entered = yield* Deferred.make<void>()
            const body = Effect.as(Effect.andThen(Deferred.succeed(entered, undefined), Deferred.await(ready)), [
              Redis.incr(`${key}:sold`)
            ])
            const watching = yield* Effect.forkChild(Redis.watch(key, body), { startImmediately: true })
            yield* Deferred.await(entered)
            yield* Deferred.succeed(ready, undefined)
            for (let yielded = 0; yielded < turn % 5; yielded++) yield* Effect.yieldNow
            yield* Fiber.interrupt(watching)
            yield* Redis.set(key, turn)
            const [visits] = yield* Redis.withConnection(Redis.transaction([Redis.incr(`${key}:visits`)]))
            assert.strictEqual(visits, turn + 1)
          }
        }))

      it.effect("interrupted anywhere it leaves no connection with something watched or queued", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const run = Redis.watch(
            key,
            Effect.map(Redis.get(key), (n) => [Redis.set(key, Number(n ?? 0) + 1), Redis.incr(key)])
          )
          for (let round = 0; round < 150; round++) {
            const fiber = yield* Effect.forkChild(
              Effect.all([run, Redis.transaction([Redis.incr(key), Redis.decr(key)])], {
                concurrency: 2
              })
            )
            for (let turns = 0; turns < round % 12; turns++) yield* Effect.yieldNow
            if (round % 3 === 0) yield* Effect.sleep(`${round % 7} millis`)
            yield* Fiber.interrupt(fiber)
            // Neither kind of connection may answer QUEUED, or nil to EXEC.
            assert.strictEqual(yield* Redis.set(`${key}:check`, String(round)), true)
            const [seen] = yield* Redis.watch(`${key}:other`, Effect.succeed([Redis.get(`${key}:check`)]))
            assert.strictEqual(seen, String(round))
          }
        }))
    })
  })
}

describe("what a transaction tells", () => {
  layer(Client.live(3), { excludeTestServices: true })((it) => {
    it.effect("PIP-05, PIP-12: the place of a command counts those that are not sent", () =>
      Effect.gen(function*() {
        const key = freshKey()
        yield* Redis.set(key, "text")
        const failed = yield* Effect.flip(Redis.transaction([Redis.mget([]), Redis.ping(), Redis.incr(key)]))
        assert.deepInclude(failed, { _tag: "ResponseError", index: 2 })
        const aborted = yield* Effect.flip(Redis.transaction([Redis.mget([]), Redis.send("NOSUCH")]))
        assert.deepStrictEqual(aborted._tag === "ExecAbortError" && aborted.causes.map(({ index }) => index), [1])
        const refused = yield* Effect.flip(Redis.transaction([Redis.ping(), Redis.set(key, true as never)]))
        assert.deepInclude(refused, { _tag: "DataError", index: 1 })
      }))

    it.effect("says that nothing was atomic where MULTI is forbidden", () =>
      Effect.gen(function*() {
        const { host, port } = yield* RedisServer.RedisServer
        yield* Redis.send("ACL SETUSER", "no-multi", "on", ">secret", "~*", "+@all", "-multi")
        const client = yield* Client.make({ host, port }, { username: "no-multi", password: Redacted.make("secret") })
        const error = yield* Redis.transaction([Redis.set(freshKey(), "v")]).pipe(Client.on(client), Effect.flip)
        assert.strictEqual(error._tag, "ResponseError")
        assert.match(error.message, /MULTI was refused \(NOPERM .*may have run one by one/)
        assert.isFalse(RedisError.isSafeToRetry(error))
      }))
  })
})

describe("A transaction by name", () => {
  it.effect("is neither begun nor ended by what is refused unsent, for those who send in the same turn", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "MULTI" ? Encode.ok : undefined)
      const client = yield* Client.make(node)
      const outcome = Effect.match({ onSuccess: String, onFailure: (error: { readonly _tag: string }) => error._tag })
      const together = (
        effects: ReadonlyArray<Effect.Effect<unknown, RedisError.CommandError, RedisClient.RedisClient>>
      ) =>
        Client.on(client)(
          Redis.withConnection(inOneTurn(Effect.forEach(effects, outcome, { concurrency: "unbounded" })))
        )
      const begins = Redis.pipeline([Redis.send("MULTI"), Redis.ping()])
      const ends = Redis.pipeline([Redis.ping(), Redis.send("EXEC")])
      assert.deepStrictEqual(yield* together([Redis.ping(), begins, Redis.ping()]), ["true", "DataError", "true"])
      assert.deepStrictEqual(yield* together([Redis.send("MULTI"), ends, Redis.ping()]), [
        "OK",
        "DataError",
        "DataError"
      ])
    }))

  it.live("is not begun by a MULTI that the server refuses, and not ended by one within it", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const outside = yield* Client.make(server)
      yield* outside.execute(Redis.send("ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", "-multi"))
      const limited = yield* Client.make(server, { username: "limited", password: Redacted.make("secret") })
      yield* Client.on(limited)(Redis.withConnection(Effect.gen(function*() {
        assert.deepInclude(yield* Effect.flip(Redis.send("MULTI")), { _tag: "NoPermissionError" })
        assert.isTrue(yield* Redis.set("k", "v"))
      })))
      yield* Client.on(outside)(Redis.withConnection(Effect.gen(function*() {
        yield* Redis.send("MULTI")
        assert.deepInclude(yield* Effect.flip(Redis.send("MULTI")), { _tag: "ResponseError" })
        assert.deepInclude(yield* Effect.flip(Redis.get("k")), { _tag: "DataError" })
        // Valkey 9 discards a transaction with such a command in it.
        const ended = yield* Effect.result(Redis.send("EXEC"))
        if (Result.isSuccess(ended)) assert.deepStrictEqual(ended.success, [])
        else assert.deepInclude(ended.failure, { _tag: "ResponseError", code: "EXECABORT" })
        assert.strictEqual(yield* Redis.get("k"), "v")
      })))
    }))

  it.live("ends its connection when the server refuses to end it: nothing behind it is answered QUEUED", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const outside = yield* Client.make(server)
      yield* outside.execute(Redis.set("k", "v"))
      yield* outside.execute(Redis.send("ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", "-discard"))
      const limited = yield* Client.make(server, { username: "limited", password: Redacted.make("secret") })
      yield* Client.on(limited)(Redis.withConnection(Effect.gen(function*() {
        // Without a transaction it is refused like anything else.
        assert.deepInclude(yield* Effect.flip(Redis.send("DISCARD")), { _tag: "NoPermissionError" })
        assert.strictEqual(yield* Redis.get("k"), "v")
        yield* Redis.send("MULTI")
        assert.deepInclude(yield* Effect.flip(Redis.send("EXEC", "more")), { code: "EXECABORT" })
        assert.strictEqual(yield* Redis.get("k"), "v")
        yield* Redis.send("MULTI")
        const [refused, beside] = yield* inOneTurn(Effect.all([
          Effect.flip(Redis.send("DISCARD")),
          Effect.flip(Redis.get("k"))
        ], { concurrency: "unbounded" }))
        assert.deepInclude(refused, { _tag: "NoPermissionError", command: "DISCARD" })
        assert.deepInclude(beside, { _tag: "ConnectionError", delivery: "unknown" })
        const after = yield* Effect.flip(Redis.get("k"))
        assert.deepInclude(after, { _tag: "ConnectionError", delivery: "not-sent" })
        assert.match(after.message, /has refused to end a transaction/)
      })))
      const next = Redis.withConnection(Redis.get("k"))
      assert.strictEqual(yield* Client.on(limited)(next), "v")
    }))

  it.effect("is not begun by a MULTI that was given up unsent, and not ended by such an EXEC", () =>
    Effect.gen(function*() {
      const gates = [yield* Deferred.make<void>(), yield* Deferred.make<void>()] as const
      let echoes = 0
      const node = yield* FakeNode.make(({ name }) =>
        name === "ECHO"
          ? [FakeNode.gate(gates[echoes++ === 0 ? 0 : 1]), FakeNode.reply(Encode.bulk("e"))]
          : name === "MULTI"
          ? Encode.ok
          : undefined
      )
      const client = yield* Client.make(node, { limits: { inFlightCommands: 1 } })
      /** Gives a command up that waits behind another one. */
      const givenUp = Effect.fnUntraced(function*(name: string, round: 0 | 1) {
        const echo = yield* fork(Redis.send("ECHO", "e"))
        yield* node.awaitCommand("ECHO", round + 1)
        const behind = yield* fork(Redis.send("PING"))
        yield* Fiber.interrupt(yield* fork(Redis.send(name)))
        const after = yield* fork(Effect.exit(Redis.ping()))
        yield* Deferred.succeed(gates[round], undefined)
        yield* Fiber.joinAll([echo, behind])
        return yield* Fiber.join(after)
      })
      yield* Client.on(client)(Redis.withConnection(Effect.gen(function*() {
        assert.isTrue(Exit.isSuccess(yield* givenUp("MULTI", 0)))
        assert.isTrue(yield* Redis.ping())
        yield* Redis.send("MULTI")
        assert.isTrue(Exit.isFailure(yield* givenUp("EXEC", 1)))
        assert.deepInclude(yield* Effect.flip(Redis.ping()), { _tag: "DataError" })
      })))
    }))
})

describe("A pipeline that is refused", () => {
  it.effect("neither begins nor ends a transaction by name", () =>
    Effect.gen(function*() {
      const gates = [yield* Deferred.make<void>(), yield* Deferred.make<void>()] as const
      let echoes = 0
      const node = yield* FakeNode.make(({ name }) =>
        name === "ECHO"
          ? [FakeNode.gate(gates[echoes++ < 2 ? 0 : 1]), FakeNode.reply(Encode.bulk("e"))]
          : name === "MULTI"
          ? Encode.ok
          : undefined
      )
      const client = yield* Client.make(node, { limits: { inFlightCommands: 1 } })
      const echo = Redis.send("ECHO", "e")
      /** Has commands refused, and asks whether the server is there, while another command waits to be written. */
      const refusedFirst = Effect.fnUntraced(function*(round: 0 | 1, commands: ReadonlyArray<RedisCommand.Any>) {
        const echoes = [yield* fork(echo), yield* fork(echo)]
        yield* node.awaitCommand("ECHO", 2 * round + 1)
        assert.deepInclude(yield* Effect.flip(Redis.pipeline(commands)), { _tag: "DataError" })
        const ping = yield* fork(Effect.result(Redis.ping()))
        yield* Deferred.succeed(gates[round], undefined)
        yield* Effect.forEach(echoes, (fiber) => Fiber.join(fiber))
        return yield* Fiber.join(ping)
      })
      yield* Client.on(client)(Redis.withConnection(Effect.gen(function*() {
        assert.isTrue(Result.isSuccess(yield* refusedFirst(0, [Redis.send("MULTI"), Redis.get("k")])))
        yield* Redis.send("MULTI")
        const after = yield* refusedFirst(1, [Redis.get("k"), Redis.send("EXEC")])
        assert(Result.isFailure(after) && after.failure._tag === "DataError")
      })))
    }))
})

describe("on a server that fails at will", () => {
  it.live("where EXEC is refused and the transaction stays open, nobody else is answered QUEUED", () =>
    Effect.gen(function*() {
      const open = new Set<FakeNode.Connection>()
      // So do servers on which EXEC is renamed.
      const node = yield* FakeNode.make(({ name }, connection) => {
        if (name === "EXEC") return "-ERR unknown command 'EXEC', with args beginning with: \r\n"
        if (open.has(connection)) return "+QUEUED\r\n"
        if (name === "MULTI") open.add(connection)
        return name === "MULTI" ? Encode.ok : name === "GET" ? Encode.bulk("v") : undefined
      })
      const client = yield* Client.make(node)
      yield* client.execute(Redis.ping())
      const [transaction, beside] = yield* inOneTurn(Effect.all([
        Effect.flip(Client.on(client)(Redis.transaction([Redis.get("k")]))),
        Effect.flip(client.execute(Redis.get("k")))
      ], { concurrency: "unbounded" }))
      assert.deepInclude(transaction, { _tag: "ResponseError", code: "ERR" })
      assert.deepInclude(beside, { _tag: "ConnectionError", delivery: "unknown" })
      assert.strictEqual(yield* client.execute(Redis.get("k")), "v")
      // The caller of the next one has gone when it is answered.
      const gone = yield* Effect.forkChild(Client.on(client)(Redis.transaction([Redis.get("k")])))
      yield* node.awaitCommand("EXEC", 2)
      yield* Fiber.interrupt(gone)
      yield* node.awaitOpen(0)
      assert.strictEqual(yield* client.execute(Redis.get("k")), "v")
    }).pipe(Effect.scoped))

  it.live("where MULTI is refused as well, no transaction is open, and the connection is kept", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "MULTI" || name === "EXEC"
          ? `-ERR unknown command '${name}'\r\n`
          : name === "GET"
          ? Encode.bulk("v")
          : undefined
      )
      const client = yield* Client.make(node)
      const [transaction, beside] = yield* Effect.all([
        Effect.flip(Client.on(client)(Redis.transaction([Redis.get("k")]))),
        client.execute(Redis.get("k"))
      ], { concurrency: "unbounded" })
      assert.deepInclude(transaction, { _tag: "ResponseError", code: "ERR" })
      assert.strictEqual(beside, "v")
      assert.strictEqual(node.connections.total, 1)
    }).pipe(Effect.scoped))

  it.effect("PIP-11, CFG-17: with retryOnTimeout a transaction that timed out is sent once more as a whole", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      let sets = 0
      const server = yield* FakeNode.make(({ name }) =>
        name === "MULTI"
          ? Encode.ok
          : name === "SET"
          ? sets++ === 0 ? [FakeNode.gate(gate), FakeNode.reply("+QUEUED\r\n")] : "+QUEUED\r\n"
          : name === "EXEC"
          ? Encode.array([Encode.ok])
          : undefined
      )
      const client = yield* Client.make(server, { retryOnTimeout: true, commandTimeout: "160 millis" })
      const fiber = yield* Effect.forkChild(Client.on(client)(Redis.transaction([Redis.set("k", "v")])))
      yield* server.awaitCommand("SET")
      yield* TestClock.adjust("200 millis")
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(fiber), [true])
      const sent = server.commands.map(({ command }) => command.name).filter((name) => /MULTI|SET|EXEC/.test(name))
      assert.deepStrictEqual(sent.slice(-6), ["MULTI", "SET", "EXEC", "MULTI", "SET", "EXEC"])
    }).pipe(Effect.scoped))

  it.live("TRX-08: an interrupted body does not wait for a server that has gone silent", () =>
    Effect.gen(function*() {
      const server = yield* FakeNode.make(({ name }) =>
        name === "WATCH" ? Encode.ok : name === "UNWATCH" ? FakeNode.stall() : undefined
      )
      const client = yield* Client.make(server)
      const entered = yield* Deferred.make<void>()
      const body = Effect.andThen(Deferred.succeed(entered, undefined), Effect.never)
      const watching = yield* Effect.forkChild(Client.on(client)(Redis.watch("k", body)))
      yield* Deferred.await(entered)
      yield* Fiber.interrupt(watching)
      // What may still be watched is nobody else's.
      yield* server.awaitOpen(0)
    }).pipe(Effect.scoped))

  it.live("TRX-07, TRX-08: what the body wrote is not sent again: a loss after that is raised, and not safe to retry", () =>
    Effect.gen(function*() {
      const server = yield* FakeNode.make(({ name }) =>
        name.startsWith("INCR") ? FakeNode.cut() : name === "WATCH" || name === "MULTI" ? Encode.ok : undefined
      )
      const client = yield* Client.make(server)
      const body = Effect.as(Redis.incr("attempts"), [Redis.set("k", "v")])
      const error = yield* Effect.flip(Client.on(client)(Redis.watch("k", body)))
      assert.deepInclude(error, { _tag: "WatchError", reason: "connectionLost", delivery: "unknown" })
      assert.isFalse(RedisError.isSafeToRetry(error))
      assert.strictEqual(server.commands.filter(({ command }) => command.name.startsWith("INCR")).length, 1)
    }).pipe(Effect.scoped))

  it.live("TRX-07: a loss that a pipeline of the body tells of is a loss: the whole is run again, unless it wrote", () =>
    Effect.gen(function*() {
      const server = yield* FakeNode.make(({ args, name }, { index }) =>
        name === "WATCH" || name === "MULTI"
          ? Encode.ok
          : name === "EXEC"
          ? "*0\r\n"
          : args[1] === "b" && index === 0
          ? FakeNode.cut()
          : name === "GET"
          ? "$1\r\n1\r\n"
          : undefined
      )
      const client = yield* Client.make(server)
      const watches = () => server.commands.filter(({ command }) => command.name === "WATCH").length
      const read = Effect.as(Redis.pipeline([Redis.get("a"), Redis.get("b")]), [])
      assert.deepStrictEqual(yield* Client.on(client)(Redis.watch("k", read)), [])
      assert.strictEqual(watches(), 2)
      const other = yield* FakeNode.make(({ args, name }) =>
        name === "WATCH" ? Encode.ok : args[1] === "b" ? FakeNode.cut() : name.startsWith("INCR") ? ":1\r\n" : undefined
      )
      const write = Effect.as(Redis.pipeline([Redis.incr("a"), Redis.get("b")]), [])
      const error = yield* Effect.flip(Client.on(yield* Client.make(other))(Redis.watch("k", write)))
      assert.deepInclude(error, { _tag: "WatchError", reason: "connectionLost", delivery: "unknown" })
      assert.isFalse(RedisError.isSafeToRetry(error))
    }).pipe(Effect.scoped))

  it.live("TRX-08: with a limit of its own a command of the body is of the body: seen, and refused where it ends the watch", () =>
    Effect.gen(function*() {
      const server = yield* FakeNode.make(({ name }) =>
        name.startsWith("INCR") ? FakeNode.cut() : name === "WATCH" || name === "UNWATCH" ? Encode.ok : undefined
      )
      const client = Client.on(yield* Client.make(server))
      for (
        const ending of [
          Redis.transaction([Redis.get("k")]),
          Redis.send("UNWATCH"),
          Redis.watch("a", Effect.succeed([]))
        ]
      ) {
        const refused = yield* Effect.flip(
          client(Redis.watch("k", Redis.withTimeout(Effect.as(ending, []), "1 second")))
        )
        assert.strictEqual(refused._tag, "DataError")
      }
      assert.isFalse(server.commands.some(({ command }) => command.name === "MULTI"))
      const writing = Effect.as(Redis.withTimeout(Redis.incr("n"), "1 second"), [])
      const error = yield* Effect.flip(client(Redis.watch("k", writing)))
      assert.deepInclude(error, { _tag: "WatchError", reason: "connectionLost", delivery: "unknown" })
      assert.strictEqual(server.commands.filter(({ command }) => command.name.startsWith("INCR")).length, 1)
    }).pipe(Effect.scoped))

  it.live("TRX-07: an error of another client, or of another watch, is the body's own and is raised at once", () =>
    Effect.gen(function*() {
      const server = yield* FakeNode.make(({ name }) => name === "WATCH" || name === "UNWATCH" ? Encode.ok : undefined)
      const other = yield* FakeNode.make(({ name }) => name === "GET" ? FakeNode.cut() : undefined)
      const client = yield* Client.make(server)
      const elsewhere = yield* Client.make(other)
      let tries = 0
      const count = Effect.sync(() => tries++)
      const foreign = Effect.andThen(count, Effect.as(elsewhere.execute(Redis.get("x")), [Redis.set("k", "v")]))
      const lost = yield* Effect.flip(Client.on(client)(Redis.watch("k", foreign)))
      assert.deepStrictEqual([lost._tag, tries], ["ConnectionError", 1])
      const theirs = new RedisError.WatchError({ reason: "changed", keys: ["theirs"], delivery: "not-sent" })
      const watching = Effect.andThen(count, Effect.fail(theirs))
      assert.strictEqual(yield* Effect.flip(Client.on(client)(Redis.watch("k", watching))), theirs)
      assert.strictEqual(tries, 2)
    }).pipe(Effect.scoped))

  it.effect("TRX-08: once the body is done its transaction is sent, and who interrupts waits a second at the most", () =>
    Effect.gen(function*() {
      const server = yield* FakeNode.make(({ name }) =>
        name === "WATCH" || name === "MULTI" ? Encode.ok : name === "EXEC" ? FakeNode.stall() : undefined
      )
      const client = yield* Client.make(server)
      const ready = yield* Deferred.make<void>()
      const body = Effect.as(Deferred.await(ready), [Redis.set("k", "v")])
      const watching = yield* Effect.forkChild(Client.on(client)(Redis.watch("k", body)), { startImmediately: true })
      yield* server.awaitCommand("WATCH")
      yield* Deferred.succeed(ready, undefined)
      yield* server.awaitCommand("EXEC")
      const { time } = yield* passing(Fiber.interrupt(watching))
      assert.isAtMost(time, 1010)
      // Its reply may still come: it would be the next user's.
      yield* server.awaitOpen(0)
    }).pipe(Effect.scoped))

  it.live("a WATCH by name, and an ASKING without its command, are nobody else's", () =>
    Effect.gen(function*() {
      const server = yield* FakeNode.make(({ name }, { index }) =>
        name === "GET"
          ? Encode.integer(index)
          : ["ASKING", "UNWATCH", "WATCH"].includes(name)
          ? Encode.ok
          : undefined
      )
      const client = yield* Client.make(server)
      const on = (command: RedisCommand.Any) => Client.on(client)(Redis.withConnection(command))
      yield* on(Redis.send("WATCH", "k"))
      yield* server.awaitCommand("UNWATCH")
      while ((yield* client.stats).exclusiveIdle === 0) yield* Effect.yieldNow
      assert.strictEqual(yield* on(Redis.send("GET", "k")), 0)
      yield* on(asking)
      yield* server.awaitOpen(0)
      assert.strictEqual(yield* on(Redis.send("GET", "k")), 1)
    }).pipe(Effect.scoped))

  it.live("TRX-07: a connection lost while watching is a WatchError that is safe to retry, and the whole runs again", () =>
    Effect.gen(function*() {
      let cuts = 1
      const server = yield* FakeNode.make(({ name }) =>
        name === "WATCH" || name === "MULTI"
          ? Encode.ok
          : name === "GET"
          ? cuts-- > 0 ? [FakeNode.cut()] : Encode.bulk("1")
          : name === "SET"
          ? "+QUEUED\r\n"
          : name === "EXEC"
          ? Encode.array([Encode.ok])
          : undefined
      )
      const client = yield* Client.make(server)
      let tries = 0
      const [stored] = yield* Redis.watch(
        "k",
        Effect.suspend(() => {
          tries++
          return Effect.map(Redis.get("k"), () => [Redis.set("k", "v")])
        })
      ).pipe(Client.on(client))
      assert.deepStrictEqual([stored, tries], [true, 2])
    }).pipe(Effect.scoped))

  it.effect("TRX-07: on a replica it runs again once at once, and then with pauses that grow", () =>
    Effect.gen(function*() {
      const server = yield* FakeNode.make(({ name }) =>
        name === "WATCH" || name === "MULTI"
          ? Encode.ok
          : name === "SET"
          ? "-READONLY You can't write against a read only replica.\r\n"
          : name === "EXEC"
          ? "-EXECABORT Transaction discarded because of previous errors.\r\n"
          : undefined
      )
      const client = yield* Client.make(server)
      yield* Effect.forkChild(Client.on(client)(Redis.watch("k", Effect.succeed([Redis.set("k", "v")]))))
      const tries = () => server.commands.filter(({ command }) => command.name === "EXEC").length
      const turn = Effect.promise(() => new Promise<void>((done) => setImmediate(done)))
      // A pause is half as long as it may be at the least.
      const pausesAfter = (count: number) =>
        Effect.gen(function*() {
          yield* server.awaitCommand("EXEC", count)
          yield* server.awaitOpen(0)
          for (let i = 0; i < 20; i++) yield* turn
          assert.strictEqual(tries(), count)
        })
      yield* pausesAfter(2)
      for (const [index, pause] of [50, 100, 200, 400, 800, 1600, 2000, 2000].entries()) {
        yield* TestClock.adjust(pause / 2 - 1)
        yield* pausesAfter(2 + index)
        yield* TestClock.adjust(pause / 2 + 1)
        yield* pausesAfter(3 + index)
      }
    }))

  it.live("PIP-11, TRX-07: EXEC unanswered may have been applied, so it is raised and not run again", () =>
    Effect.gen(function*() {
      const server = yield* FakeNode.make(({ name }) =>
        name === "WATCH" || name === "MULTI"
          ? Encode.ok
          : name === "SET"
          ? "+QUEUED\r\n"
          : name === "EXEC"
          ? [FakeNode.cut()]
          : undefined
      )
      const client = yield* Client.make(server)
      const watched = yield* Redis.watch("k", Effect.succeed([Redis.set("k", "v")])).pipe(
        Client.on(client),
        Effect.flip
      )
      assert.strictEqual(watched._tag === "WatchError" && watched.delivery, "unknown")
      const plain = yield* Redis.transaction([Redis.set("k", "v")]).pipe(Client.on(client), Effect.flip)
      assert.strictEqual(plain._tag === "ConnectionError" && plain.delivery, "unknown")
      assert.isFalse(RedisError.isSafeToRetry(plain))
      assert.strictEqual(server.commands.filter(({ command }) => command.name === "EXEC").length, 2)
    }).pipe(Effect.scoped))

  it.live("a transaction given up while it is being written is written to its end", () =>
    Effect.gen(function*() {
      const first = yield* Deferred.make<void>()
      const server = yield* FakeNode.make(({ name }) =>
        name === "SET"
          ? [FakeNode.gate(first), FakeNode.reply("+QUEUED\r\n")]
          : name === "EXEC"
          ? Encode.array([])
          : Encode.ok
      )
      // A second value does not fit beside the first, so the transaction is cut between two writes.
      const client = yield* Client.make(server, { limits: { inFlightCommands: 2 } })
      const fiber = yield* Effect.forkChild(client.transaction([Redis.set("a", "1"), Redis.set("b", "2")]))
      yield* server.awaitCommand("SET")
      yield* Fiber.interrupt(fiber)
      yield* Deferred.succeed(first, undefined)
      yield* server.awaitCommand("EXEC")
      assert.deepStrictEqual(
        server.commands.map(({ command }) => command.name).filter((name) => /MULTI|SET$|EXEC/.test(name)),
        ["MULTI", "SET", "SET", "EXEC"]
      )
    }).pipe(Effect.scoped))
})

it("TRX-05, TRX-09: MULTI, WATCH and UNWATCH are no commands of their own", () => {
  assert.notProperty(Redis, "multi")
  assert.notProperty(Redis, "unwatch")
  assert.isTrue(Redis.send("WATCH", "k").spec.traits.has("stateful"))
  assert.isDefined(RedisClient.RedisClient)
})
