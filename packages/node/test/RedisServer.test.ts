import { assert, describe, it } from "@effect/vitest"
import * as RedisServer from "@redfx/node/RedisServer"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import { promisify } from "node:util"
import { isAlive } from "./harness/servers.ts"

/** Sends inline commands and QUIT, and yields all that came back until `last`, or the end of the connection. */
const talkUntil = (last?: RegExp) =>
(
  target: { readonly port: number; readonly host?: string } | { readonly path: string },
  ...commands: ReadonlyArray<string>
): Effect.Effect<string, Error> =>
  Effect.callback((resume) => {
    const socket = Net.connect(target)
    let received = ""
    socket.on("data", (chunk) => {
      received += chunk
      if (last?.test(received) === true) socket.destroy()
    })
    socket.on("error", (cause) => resume(Effect.fail(cause)))
    socket.on("close", () => resume(Effect.succeed(received)))
    socket.write([...commands, "QUIT", ""].join("\r\n"))
    return Effect.sync(() => socket.destroy())
  })

const talk = talkUntil()

describe("RedisServer", () => {
  it.effect("starts a server that answers, also under a test's clock, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const [server, pid] = yield* Effect.scoped(Effect.gen(function*() {
        const server = yield* RedisServer.make()
        assert.strictEqual(yield* talk(server, "PING"), "+PONG\r\n+OK\r\n")
        assert.strictEqual(server.url, `redis://127.0.0.1:${server.port}`)
        assert.isTrue(Fs.existsSync(server.directory))
        return [server, yield* server.pid] as const
      }))
      assert.isDefined(pid)
      assert.isFalse(isAlive(pid))
      assert.isFalse(Fs.existsSync(server.directory))
      assert.strictEqual(yield* server.pid, undefined)
      assert.strictEqual((yield* Effect.flip(server.restart)).reason, "Closed")
    }))

  it.effect("gives each of many servers that start at once a port of its own", () =>
    Effect.gen(function*() {
      const servers = yield* Effect.all(Array.from({ length: 6 }, () => RedisServer.make()), {
        concurrency: "unbounded"
      })
      assert.strictEqual(new Set(servers.map((server) => server.port)).size, 6)
      for (const server of servers) {
        assert.include(yield* talk(server, "INFO server"), `process_id:${yield* server.pid}\r\n`)
      }
    }))

  it.effect("is a Layer", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.RedisServer
      assert.strictEqual(yield* talk(server, "PING"), "+PONG\r\n+OK\r\n")
    }).pipe(Effect.provide(RedisServer.layer())))

  it.effect("takes a password, users, directives and a unix socket", () =>
    Effect.gen(function*() {
      const password = "a \"quoted\" \\ pass\u0001word"
      const server = yield* RedisServer.make({
        password: Redacted.make(password),
        acl: ["user reader on >secret ~* +get +config|get"],
        config: { maxclients: "77", "client-output-buffer-limit": ["normal 0 0 0", "pubsub 1mb 1mb 1"] },
        unixSocket: true
      })
      assert.isDefined(server.path)
      assert.match(yield* talk({ path: server.path }, "PING"), /^-NOAUTH /)
      assert.match(yield* talk(server, "AUTH \"a \\\"quoted\\\" \\\\ pass\\x01word\"", "PING"), /^\+OK\r\n\+PONG/)
      assert.match(
        yield* talk({ path: server.path }, "AUTH reader secret", "CONFIG GET maxclients", "SET a b"),
        /^\+OK\r\n\*2\r\n\$10\r\nmaxclients\r\n\$2\r\n77\r\n-NOPERM /
      )
    }))

  it.effect("makes a password up that nobody else knows", () =>
    Effect.gen(function*() {
      const [first, second] = yield* Effect.all([
        RedisServer.make({ password: "random" }),
        RedisServer.make({ password: "random" })
      ])
      assert.match(yield* talk(first, "PING"), /^-NOAUTH /)
      if (first.password === undefined || second.password === undefined) return assert.fail("there are two")
      assert.match(yield* talk(first, `AUTH ${Redacted.value(first.password)}`, "PING"), /^\+OK\r\n\+PONG/)
      assert.match(yield* talk(first, `AUTH ${Redacted.value(second.password)}`), /^-WRONGPASS /)
    }))

  it.effect("starts a cluster node, whose bus port is free too", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ clusterEnabled: true })
      assert.isAtMost(server.port + 10_000, 65_535)
      assert.include(yield* talk(server, "CLUSTER INFO"), "cluster_state:fail")
    }))

  it.effect("starts a Sentinel that knows its master", () =>
    Effect.gen(function*() {
      const master = yield* RedisServer.make()
      const sentinel = yield* RedisServer.make({
        sentinel: true,
        config: { sentinel: [`monitor mymaster 127.0.0.1 ${master.port} 1`, "down-after-milliseconds mymaster 1000"] }
      })
      // A Sentinel does not know QUIT, so the connection is left when the answer is whole.
      const answer = yield* talkUntil(/-ERR unknown command/)(sentinel, "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster")
      assert.include(answer, `\r\n${master.port}\r\n`)
    }))

  it.effect("restarts on the same port with the same files after a kill", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ persistence: "aof" })
      const before = yield* server.pid
      yield* talk(server, "SET a 1")
      yield* server.kill()
      assert.isFalse(isAlive(before))
      assert.strictEqual(yield* server.pid, undefined)
      assert.strictEqual(((yield* Effect.flip(talk(server))) as NodeJS.ErrnoException).code, "ECONNREFUSED")
      yield* server.restart
      assert.notStrictEqual(yield* server.pid, before)
      assert.strictEqual(yield* talk(server, "GET a"), "$1\r\n1\r\n+OK\r\n")
    }))

  /** Takes the port of a server that does not run, and answers as servers do that want a password. */
  const take = ({ host, port }: RedisServer.RedisServer["Service"]) =>
    Effect.acquireRelease(
      Effect.callback<Net.Server>((resume) => {
        const refuse = (socket: Net.Socket) => socket.on("error", () => {}).end("-NOAUTH\r\n-NOAUTH\r\n")
        const other = Net.createServer(refuse).listen({ host, port }, () => resume(Effect.succeed(other)))
      }),
      (other) => Effect.sync(() => other.close())
    )

  it.live("restarts on its port when who has taken it meanwhile has given it back", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* server.kill()
      const other = yield* take(server)
      const restarting = yield* Effect.forkChild(server.restart, { startImmediately: true })
      // However much it tries meanwhile, it has to wait.
      yield* Effect.sleep("500 millis")
      assert.isUndefined(restarting.pollUnsafe())
      other.close()
      yield* Fiber.join(restarting)
      assert.strictEqual(yield* talk(server, "PING"), "+PONG\r\n+OK\r\n")
      assert.isDefined(yield* server.pid)
    }))

  it.live("waits no longer for its port when its scope closes", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const server = yield* Scope.provide(RedisServer.make(), scope)
      yield* server.kill()
      yield* take(server)
      const restarting = yield* Effect.forkChild(Effect.flip(server.restart), { startImmediately: true })
      const began = performance.now()
      yield* Scope.close(scope, Exit.void)
      assert.isBelow(performance.now() - began, 60_000, "it would have given up by itself")
      assert.include((yield* Fiber.join(restarting)).detail, "Address already in use")
    }))

  it.effect("keeps a snapshot over a stop, and loses it over a kill", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ persistence: "rdb" })
      yield* talk(server, "SET a 1")
      yield* server.stop
      yield* server.restart
      yield* talk(server, "SET b 1")
      yield* server.kill()
      yield* server.restart
      assert.strictEqual(yield* talk(server, "EXISTS a", "EXISTS b"), ":1\r\n:0\r\n+OK\r\n")
    }))

  it.live("pauses and resumes: a paused server accepts and does not answer", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* server.pause
      const answer = yield* Effect.forkChild(talk(server, "PING"))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Effect.timeout(Fiber.join(answer), "50 millis"))))
      const again = yield* Effect.forkChild(talk(server, "PING"))
      yield* server.resume
      assert.strictEqual(yield* Fiber.join(again), "+PONG\r\n+OK\r\n")
    }))

  it.effect("ends a paused server with its scope", () =>
    Effect.gen(function*() {
      const pid = yield* Effect.scoped(Effect.gen(function*() {
        const server = yield* RedisServer.make()
        yield* server.pause
        return yield* server.pid
      }))
      assert.isDefined(pid)
      assert.isFalse(isAlive(pid))
    }))

  it.live("leaves no process and no directory when it is interrupted while it starts", () =>
    Effect.gen(function*() {
      // A directory of its own, so that nothing else in it can be mistaken for a leak.
      const directory = Fs.mkdtempSync(Path.join(process.env["TMPDIR"] ?? "/tmp", "interrupt-"))
      const before = process.env["TMPDIR"]
      yield* Effect.acquireRelease(
        Effect.sync(() => process.env["TMPDIR"] = directory),
        () =>
          Effect.sync(() => {
            if (before === undefined) delete process.env["TMPDIR"]
            else process.env["TMPDIR"] = before
            Fs.rmSync(directory, { recursive: true })
          })
      )
      let started = 0
      for (let milliseconds = 0; milliseconds <= 30; milliseconds += 3) {
        const fiber = yield* Effect.forkChild(Effect.scoped(RedisServer.make()))
        yield* Effect.sleep(milliseconds)
        yield* Fiber.interrupt(fiber)
        if (Exit.isSuccess(yield* Fiber.await(fiber))) started++
        assert.deepStrictEqual(Fs.readdirSync(directory), [])
        assert.isFalse(process.getActiveResourcesInfo().includes("ProcessWrap"))
      }
      assert.isBelow(started, 11)
    }))

  it.effect("names the remedies when there is no server", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(RedisServer.make()).pipe(
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ REDIS_SERVER: "no-such-server" })))
      )
      assert.strictEqual(error.reason, "NotFound")
      assert.match(error.message, /no-such-server.*REDIS_SERVER/)
      const missing = yield* Effect.flip(RedisServer.make({ binary: "/nowhere/redis-server" }))
      assert.strictEqual(missing.reason, "NotFound")
      assert.match(missing.message, /REDIS_SERVER/)
    }))

  it("has an error whose JSON does not fail, whatever hangs on its cause", () => {
    const cause = Object.assign(new Error("spawn"), { self: {} })
    cause.self = cause
    const error = new RedisServer.RedisServerError({ reason: "Other", detail: "d", cause })
    assert.deepInclude(JSON.parse(JSON.stringify(error)), {
      reason: "Other",
      cause: { name: "Error", message: "spawn" }
    })
  })

  it.live("refuses a password that is text, and says how to give it", () =>
    Effect.gen(function*() {
      // What types do not allow comes from programs without types.
      const text = "s3cret" as unknown as Redacted.Redacted<string>
      const { detail } = yield* Effect.flip(RedisServer.make({ password: text }))
      assert.strictEqual(detail, "password must be a Redacted, such as Redacted.make(text), or \"random\"")
    }).pipe(Effect.scoped))

  it.live("starts without options also where they are null", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make(null as never)
      assert.isAbove(server.port, 0)
    }).pipe(Effect.scoped))

  it.live("refuses at once a config with which nobody could reach the server, and says what to do", () =>
    Effect.gen(function*() {
      const refused = (config: Record<string, string | ReadonlyArray<string>>) =>
        Effect.map(Effect.flip(RedisServer.make({ binary: "no-such-server", config })), ({ detail }) => detail)
      assert.match(yield* refused({ port: "7777" }), /^config cannot have port: .*`port` of the server/)
      assert.match(yield* refused({ "TLS-port": "7777" }), /^config cannot have TLS-port: .*the option tls/)
      assert.match(yield* refused({ daemonize: "yes" }), /^config cannot have daemonize: /)
      for (const bind of ["::1", "127.0.0.2 -::1", ["127.0.0.1", "::1"]]) {
        assert.match(yield* refused({ bind }), /^config cannot have bind without 127\.0\.0\.1: /)
      }
      for (const bind of ["-127.0.0.1 ::1", "* -::*", "0.0.0.0", "localhost"]) {
        assert.match(yield* refused({ bind }), /no-such-server/)
      }
      assert.match(yield* refused({ daemonize: "no" }), /no-such-server/)
      const server = yield* RedisServer.make({ config: { bind: "localhost", daemonize: "no" } })
      assert.strictEqual(server.host, "127.0.0.1")
    }).pipe(Effect.scoped))

  it.effect("fails with the log's last lines, and without secrets, when the server ends by itself", () =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(RedisServer.make({ config: { "no-such-directive": "yes" } }))
      assert.strictEqual(refused.reason, "Exited")
      assert.match(refused.message, /exit code 1[^]*no-such-directive/)
      const secret = yield* Effect.flip(RedisServer.make({ acl: ["user app on >hunter2 +nonsense"] }))
      assert.strictEqual(secret.reason, "Exited")
      assert.notInclude(secret.message, "hunter2")
      const unwatched = { sentinel: "auth-pass nobody hunter2" }
      const sentinel = yield* Effect.flip(RedisServer.make({ sentinel: true, config: unwatched }))
      assert.match(sentinel.message, /auth-pass nobody <redacted>/)
    }))

  it.live("gives up on a server that does not answer in time, and ends it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(RedisServer.make({ binary: "sleep" }).pipe(Effect.scoped))
      // `sleep` refuses its arguments: what cannot be a server is seen by its end.
      assert.strictEqual(error.reason, "Exited")
      const scope = yield* Scope.make()
      const loading = yield* Effect.flip(
        Scope.provide(RedisServer.make({ startTimeout: 0 }), scope)
      )
      assert.strictEqual(loading.reason, "Timeout")
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(process.getActiveResourcesInfo().includes("ProcessWrap"))
    }))

  it.effect("ends a server whose program calls process.exit, and removes its files", () =>
    Effect.gen(function*() {
      const script = `
        import * as RedisServer from "@redfx/node/RedisServer"
        import * as Effect from "effect/Effect"
        await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const server = yield* RedisServer.make()
          process.stdout.write(JSON.stringify([yield* server.pid, server.directory]), () => process.exit(0))
          yield* Effect.never
        })))`
      const output = yield* Effect.promise(() =>
        promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { cwd: import.meta.dirname })
      )
      const [pid, directory] = JSON.parse(output.stdout) as [number, string]
      assert.isFalse(Fs.existsSync(directory))
      // The kill is asked for before the program ends; the system may take a moment longer.
      yield* Effect.callback<void>((resume) => {
        const check = () => isAlive(pid) ? setImmediate(check) : resume(Effect.void)
        check()
      })
    }))

  it.effect.each(["SIGKILL", "SIGINT"] as const)(
    "ends a server whose program is ended by %s, and removes its files",
    (signal) =>
      Effect.gen(function*() {
        const script = `
        import * as RedisServer from "@redfx/node/RedisServer"
        import * as Effect from "effect/Effect"
        await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const server = yield* RedisServer.make()
          process.stdout.write(JSON.stringify([yield* server.pid, server.directory]))
          yield* Effect.never
        })))`
        const program = execFile(process.execPath, ["--input-type=module", "-e", script], { cwd: import.meta.dirname })
        yield* Effect.addFinalizer(() => Effect.sync(() => program.kill("SIGKILL")))
        const output = yield* Effect.callback<string>((resume) => {
          program.stdout?.once("data", (text: string) => resume(Effect.succeed(text)))
        })
        const [pid, directory] = JSON.parse(output) as [number, string]
        assert.isTrue(isAlive(pid))
        program.kill(signal)
        yield* Effect.callback<void>((resume) => {
          const check = () => isAlive(pid) || Fs.existsSync(directory) ? setImmediate(check) : resume(Effect.void)
          check()
        })
      })
  )

  it.effect("builds a Layer anew for each scope", () =>
    Effect.gen(function*() {
      const first = yield* Effect.map(
        Layer.build(Layer.fresh(RedisServer.layer())),
        Context.get(RedisServer.RedisServer)
      )
      const second = yield* Effect.map(
        Layer.build(Layer.fresh(RedisServer.layer())),
        Context.get(RedisServer.RedisServer)
      )
      assert.notStrictEqual(first.port, second.port)
    }))
})
