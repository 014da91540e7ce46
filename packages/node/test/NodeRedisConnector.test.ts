import { assert, describe, it } from "@effect/vitest"
import type { ConnectOptions, Endpoint, TlsOptions } from "@redfx/core/RedisConnector"
import { RedisConnector } from "@redfx/core/RedisConnector"
import * as NodeRedisConnector from "@redfx/node/NodeRedisConnector"
import * as RedisServer from "@redfx/node/RedisServer"
import * as Certificates from "@redfx/testing/Certificates"
import * as Pace from "@redfx/testing/Pace"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import * as Scope from "effect/Scope"
import type * as Socket from "effect/socket/Socket"
import { writeFile } from "node:fs/promises"
import * as Net from "node:net"
import * as Path from "node:path"
import * as Tls from "node:tls"
import { dial, longestAttempt } from "../src/internal/dial.ts"

const defaults: ConnectOptions = {
  tls: undefined,
  connectTimeout: Duration.seconds(5),
  keepAlive: true,
  keepAliveInitialDelay: Duration.seconds(30)
}

const socketTo = (endpoint: Endpoint, options?: Partial<ConnectOptions>) =>
  Effect.flatMap(RedisConnector, (connector) => connector.socket(endpoint, { ...defaults, ...options })).pipe(
    Effect.provide(NodeRedisConnector.layer)
  )

/** Two addresses that nobody listens on before the one that answers. */
const threeAddresses: Net.LookupFunction = (_host, _options, done) =>
  done(null, ["127.0.0.2", "::1", "127.0.0.1"].map((address) => ({ address, family: Net.isIP(address) })))

/** Sends PING on a connection of its own, and yields the answer. */
const ping = (endpoint: Endpoint, options?: Partial<ConnectOptions>): Effect.Effect<string, Socket.SocketError> =>
  Effect.gen(function*() {
    const socket = yield* socketTo(endpoint, options)
    const { pull } = yield* socket.reader
    const { write } = yield* socket.writer
    yield* write("PING\r\n")
    return Buffer.concat((yield* pull).map((chunk) => Buffer.from(chunk))).toString()
  }).pipe(Effect.scoped)

const pingTls = (endpoint: Endpoint, tls: TlsOptions) => ping(endpoint, { tls })

/** What a failed dial is known by: the reason's tag and kind, and the code of Node's error. */
interface Failure {
  readonly tag: string
  readonly kind: string | undefined
  readonly code: string | undefined
}

const failure = <A, R>(effect: Effect.Effect<A, Socket.SocketError, R>): Effect.Effect<Failure, A, R> =>
  Effect.map(Effect.flip(effect), ({ reason }) => ({
    tag: reason._tag,
    kind: reason._tag === "SocketOpenError" ? reason.kind : undefined,
    code: "cause" in reason ? (reason.cause as NodeJS.ErrnoException).code : undefined
  }))

const openFailure = (code: string | undefined): Failure => ({ tag: "SocketOpenError", kind: "Unknown", code })

/** A plain TCP server that runs with the scope. */
const listen = (onConnection: (socket: Net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly sockets: Array<Net.Socket>; readonly server: Net.Server }>(
      (resume) => {
        const sockets: Array<Net.Socket> = []
        const server = Net.createServer((socket) => {
          sockets.push(socket)
          socket.on("error", () => {})
          onConnection(socket)
        })
        server.listen({ port: 0, host: "127.0.0.1" }, () => {
          const address = server.address()
          assert.isObject(address)
          resume(Effect.succeed({ port: (address as Net.AddressInfo).port, sockets, server }))
        })
      }
    ),
    ({ server, sockets }) =>
      Effect.callback<void>((resume) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resume(Effect.void))
      })
  )

const host = "127.0.0.1"

/** Handles of this process that are open. */
const resources = () => {
  const names = process.getActiveResourcesInfo()
  return {
    sockets: names.filter((name) => name === "TCPSocketWrap").length,
    timers: names.filter((name) => name === "Timeout").length
  }
}

/** Bytes of a write that no pair of socket buffers can hold. */
const written = 64 << 20

describe("TCP and unix sockets", () => {
  it.effect("reaches a real server over TCP and over a unix socket", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ unixSocket: true })
      assert.isDefined(server.path)
      assert.strictEqual(yield* ping({ host, port: server.port }), "+PONG\r\n")
      assert.strictEqual(yield* ping({ path: server.path }), "+PONG\r\n")
      // CFG-11: what only TCP has is ignored.
      assert.strictEqual(yield* ping({ path: server.path }, { tls: {} }), "+PONG\r\n")
    }))

  it.effect("CFG-01: tries every address that the host resolves to, in order", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const socket = yield* dial({ host: "redis.test", port: node.port }, defaults, { lookup: threeAddresses })
      yield* node.awaitConnections(1)
      assert.strictEqual(socket.remoteAddress, "127.0.0.1")
    }))

  it("CFG-01: leaves time for the other addresses when the first is silent", () => {
    const most = Net.getDefaultAutoSelectFamilyAttemptTimeout()
    const attempts = [0, 200, 1000, 60_000, Infinity].map((limit) => longestAttempt(Duration.millis(limit)))
    assert.deepStrictEqual(attempts, [10, 50, 250, most, most])
  })

  it.effect("CFG-01: tries every address over TLS too", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make
      const server = yield* tlsServer(certificates)
      const socket = yield* dial(
        { host: "redis.test", port: server.tls.port },
        { ...defaults, tls: { ca: certificates.ca } },
        { lookup: threeAddresses }
      )
      assert.strictEqual(socket.remoteAddress, "127.0.0.1")
      assert.isTrue(socket instanceof Tls.TLSSocket && socket.authorized)
    }))

  it.effect("fails with the code of Node's error when nobody listens, a path is too long, a name unknown, a port none", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      yield* node.stopListening
      assert.deepStrictEqual(yield* failure(ping({ host, port: node.port })), openFailure("ECONNREFUSED"))
      assert.deepStrictEqual(yield* failure(ping({ path: "/nowhere/redis.sock" })), openFailure("ENOENT"))
      assert.deepStrictEqual(yield* failure(ping({ path: "/long".repeat(100) })), openFailure("EINVAL"))
      assert.deepStrictEqual(yield* failure(ping({ host, port: 70_000 })), openFailure("ERR_SOCKET_BAD_PORT"))
      const unknown = yield* failure(ping({ host: "no-such-host.invalid", port: 1 }))
      assert.match(unknown.code ?? "", /^(ENOTFOUND|EAI_AGAIN)$/)
    }))

  it.live("hears what a socket tells between any two steps of the fiber that dials", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const refusing = yield* FakeNode.make()
      yield* refusing.stopListening
      for (let steps = 3; steps < 40; steps++) {
        // After so many steps a fiber lets others, and the sockets, go on.
        const resting = Effect.provideService(MaxOpsBeforeYield, steps)
        assert.strictEqual(yield* resting(ping({ host, port: node.port })), "+PONG\r\n")
        const refused = failure(ping({ host, port: refusing.port }))
        assert.deepStrictEqual(yield* resting(refused), openFailure("ECONNREFUSED"))
      }
    }))

  it.effect("CFG-08, CFG-09, CFG-30: switches Nagle's algorithm off, and keep-alive on when asked for", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make
      const server = yield* tlsServer(certificates)
      for (const tls of [undefined, { ca: certificates.ca }]) {
        for (const keepAlive of [true, false]) {
          const calls: Array<ReadonlyArray<unknown>> = []
          const socket = yield* dialObserved(
            { host, port: tls === undefined ? server.port : server.tls.port },
            { ...defaults, tls, keepAlive },
            calls
          )
          assert.isFalse(socket.destroyed)
          assert.deepStrictEqual(calls, [["setNoDelay", true], ...(keepAlive ? [["setKeepAlive", true, 30_000]] : [])])
        }
      }
    }))
})

/** Dials, and notes the options that are set on the socket. */
const dialObserved = (endpoint: Endpoint, options: ConnectOptions, calls: Array<ReadonlyArray<unknown>>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const { setKeepAlive, setNoDelay } = Net.Socket.prototype
      const observe = (name: string, method: (this: Net.Socket, ...args: Array<never>) => Net.Socket) =>
        function(this: Net.Socket, ...args: Array<never>) {
          calls.push([name, ...args])
          return method.apply(this, args)
        }
      Object.assign(Net.Socket.prototype, {
        setNoDelay: observe("setNoDelay", setNoDelay),
        setKeepAlive: observe("setKeepAlive", setKeepAlive)
      })
      return { setKeepAlive, setNoDelay }
    }),
    () => dial(endpoint, options),
    (original) => Effect.sync(() => Object.assign(Net.Socket.prototype, original))
  )

const tlsServer = Effect.fnUntraced(function*(
  certificates: Certificates.Certificates,
  options?: { readonly identity?: Certificates.Identity; readonly clientCertificate?: "required" }
) {
  const server = yield* RedisServer.make({
    tls: {
      ca: certificates.ca,
      ...(options?.identity ?? certificates.server),
      clientCertificate: options?.clientCertificate
    }
  })
  assert.isDefined(server.tls)
  return { directory: server.directory, port: server.port, tls: server.tls }
})

describe("TLS", () => {
  it.effect("CFG-18, CFG-22: trusts the given authority, for a name and for an address", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make
      const { tls: { ca, port } } = yield* tlsServer(certificates)
      assert.strictEqual(yield* pingTls({ host: "localhost", port }, { ca }), "+PONG\r\n")
      assert.strictEqual(yield* pingTls({ host, port }, { ca }), "+PONG\r\n")
      assert.strictEqual(yield* pingTls({ host, port }, { ca: [certificates.strangerCa, ca] }), "+PONG\r\n")
      assert.strictEqual(yield* pingTls({ host, port }, { ca, servername: "redis.test" }), "+PONG\r\n")
    }))

  it.effect("CFG-21: refuses a server that is not trusted, unless nothing is verified", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make
      const { tls: { port } } = yield* tlsServer(certificates)
      const untrusted = openFailure("SELF_SIGNED_CERT_IN_CHAIN")
      assert.deepStrictEqual(yield* failure(pingTls({ host, port }, {})), untrusted)
      assert.deepStrictEqual(yield* failure(pingTls({ host, port }, { ca: certificates.strangerCa })), untrusted)
      assert.deepStrictEqual(
        yield* failure(pingTls({ host, port }, { ca: certificates.strangerCa, checkHostname: false })),
        untrusted
      )
      assert.strictEqual(yield* pingTls({ host, port }, { verify: "none" }), "+PONG\r\n")
    }))

  it.effect("CFG-23: refuses a certificate for another name or address, unless names are not checked", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make
      const { tls: { ca, port } } = yield* tlsServer(certificates, { identity: certificates.otherName })
      const otherName = openFailure("ERR_TLS_CERT_ALTNAME_INVALID")
      assert.deepStrictEqual(yield* failure(pingTls({ host: "localhost", port }, { ca })), otherName)
      assert.deepStrictEqual(yield* failure(pingTls({ host, port }, { ca })), otherName)
      assert.deepStrictEqual(yield* failure(pingTls({ host, port }, { ca, servername: "127.0.0.1" })), otherName)
      assert.strictEqual(yield* pingTls({ host, port }, { ca, servername: "elsewhere.test" }), "+PONG\r\n")
      assert.strictEqual(yield* pingTls({ host, port }, { ca, checkHostname: false }), "+PONG\r\n")
      assert.strictEqual(yield* pingTls({ host, port }, { ca, verify: "none" }), "+PONG\r\n")
    }))

  it.effect("CFG-19, CFG-20: presents a client certificate to a server that asks for one", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make
      const { tls: { ca, port } } = yield* tlsServer(certificates, { clientCertificate: "required" })
      assert.strictEqual(yield* pingTls({ host, port }, { ca, ...certificates.client }), "+PONG\r\n")
      // In TLS 1.3 a client is refused after its side of the handshake is done: the first read fails.
      const refused = yield* Effect.flip(pingTls({ host, port }, { ca }))
      assert.include(["SocketReadError", "SocketCloseError"], refused.reason._tag)
    }))

  it.effect("fails without showing them when key and certificate are broken or incomplete", () =>
    Effect.gen(function*() {
      const key = Redacted.make("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----")
      const { client } = yield* Certificates.make
      for (
        const tls of [{ key }, { cert: client.cert }, { cert: client.cert, key }, { cert: "nonsense", key: client.key }]
      ) {
        const error = yield* Effect.flip(pingTls({ host, port: 1 }, tls))
        assert.strictEqual(error.reason._tag, "SocketOpenError")
        const shown = `${String(error)} ${JSON.stringify(error)} ${String(error.cause)}`
        assert.notInclude(shown, "c2VjcmV0")
        assert.notInclude(shown, Redacted.value(client.key).split("\n")[1] ?? "")
      }
    }))

  it.effect("fails without the certificate of the client when a file of it or of its key holds none", () =>
    Effect.gen(function*() {
      const { ca, client, ...certificates } = yield* Certificates.make
      // The server would take a client without a certificate, too.
      const { directory, tls: { port } } = yield* tlsServer({ ca, client, ...certificates })
      for (const contents of ["", "as it is being written\n"]) {
        const path = Path.join(directory, "empty.pem")
        yield* Effect.promise(() => writeFile(path, contents))
        for (const own of [{ cert: path, key: client.key }, { cert: client.cert, key: Redacted.make(path) }]) {
          assert.deepStrictEqual(yield* failure(pingTls({ host, port }, { ca, ...own })), openFailure("ERR_TLS_FILE"))
        }
      }
    }))

  it.effect("fails when the server hangs up in the middle of the handshake", () =>
    Effect.gen(function*() {
      const server = yield* listen((socket) => socket.once("data", () => socket.end()))
      const error = yield* failure(pingTls({ host, port: server.port }, {}))
      assert.deepStrictEqual(error, openFailure("ECONNRESET"))
    }))
})

describe("ends", () => {
  it.live("CFG-07: gives up after the connect timeout, and leaves no socket behind", () =>
    Effect.gen(function*() {
      // Accepts, and never answers the TLS handshake.
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const server = yield* listen((socket) => socket.resume())
      const pace = yield* Pace.watch
      const started = performance.now()
      const scope = yield* Scope.make()
      const socket = yield* socketTo({ host, port: server.port }, { tls: {}, connectTimeout: Duration.millis(100) })
      const error = yield* failure(Scope.provide(socket.reader, scope))
      assert.deepStrictEqual(error, { tag: "SocketOpenError", kind: "Timeout", code: undefined })
      assert.isBelow(pace.between(started, performance.now()), 2000)
      // Gone at once, and not only with the scope.
      yield* untilClosed(server.sockets[0])
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(node.connections.total, 0)
    }))

  it.live("destroys the socket of a dial that is interrupted", () =>
    Effect.gen(function*() {
      const server = yield* listen((socket) => socket.resume())
      const fiber = yield* Effect.forkChild(pingTls({ host, port: server.port }, {}))
      yield* untilAccepted(server)
      yield* Fiber.interrupt(fiber)
      yield* untilClosed(server.sockets[0])
    }))

  it.live("destroys the socket with its scope although the peer reads no more", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make
      const plain = yield* listen((socket) => socket.pause())
      const secure = yield* listenTls(certificates)
      for (const [server, tls] of [[plain, undefined], [secure, { ca: certificates.ca }]] as const) {
        const scope = yield* Scope.make()
        const socket = yield* socketTo({ host, port: server.port }, { tls })
        const { pull } = yield* Scope.provide(socket.reader, scope)
        const { write } = yield* Scope.provide(socket.writer, scope)
        yield* untilAccepted(server)
        const reading = yield* Effect.forkChild(Effect.exit(pull), { startImmediately: true })
        // Far more than the two system buffers of a loopback connection can take: this write cannot end.
        const writing = yield* Effect.forkChild(Effect.exit(write(new Uint8Array(written))), { startImmediately: true })
        assert.isUndefined(writing.pollUnsafe())
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(Exit.isFailure(yield* Fiber.join(reading)))
        assert.isTrue(Exit.isFailure(yield* Fiber.join(writing)))
        // A socket that lingered to write the rest would deliver all of it now.
        assert.isBelow(yield* bytesUntilClosed(server.sockets[0]), written)
      }
    }))

  it.live("ends connections that are idle, and leaves no handle and no timer behind", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const before = resources()
      yield* Effect.scoped(Effect.gen(function*() {
        for (let index = 0; index < 3; index++) {
          const socket = yield* socketTo({ host, port: node.port })
          yield* socket.reader
        }
        yield* node.awaitOpen(3)
      }))
      yield* node.awaitOpen(0)
      // Handles are let go of a few turns of the event loop after the sockets are closed; this waits for all of them.
      yield* Effect.callback<void>((resume) => {
        const check = () => {
          const after = resources()
          if (after.sockets <= before.sockets && after.timers <= before.timers) resume(Effect.void)
          else setImmediate(check)
        }
        check()
      })
    }))

  it.effect("tells a reader of a cut connection, in good order or by a reset", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make((command) =>
        command.name === "PING" ? FakeNode.cut("fin") : FakeNode.cut("reset")
      )
      const closed = yield* Effect.flip(ping({ host, port: node.port }))
      assert.isTrue(closed.reason._tag === "SocketCloseError" && closed.reason.code === 1000)
      node.setHandler(() => FakeNode.cut("reset"))
      assert.deepStrictEqual(yield* failure(ping({ host, port: node.port })), {
        tag: "SocketReadError",
        kind: undefined,
        code: "ECONNRESET"
      })
    }))
})

const untilClosed = (socket: Net.Socket | undefined): Effect.Effect<void> =>
  Effect.callback((resume) => {
    assert.isDefined(socket)
    if (socket.destroyed) return resume(Effect.void)
    socket.once("close", () => resume(Effect.void))
  })

/** Reads what is left on the server's side of a connection. */
const bytesUntilClosed = (socket: Net.Socket | undefined): Effect.Effect<number> =>
  Effect.callback((resume) => {
    assert.isDefined(socket)
    let bytes = 0
    socket.on("data", (chunk) => bytes += chunk.length)
    socket.once("close", () => resume(Effect.succeed(bytes)))
    socket.resume()
  })

const untilAccepted = (server: { readonly server: Net.Server; readonly sockets: ReadonlyArray<Net.Socket> }) =>
  Effect.callback<void>((resume) => {
    if (server.sockets.length > 0) return resume(Effect.void)
    server.server.once(
      server.server instanceof Tls.Server ? "secureConnection" : "connection",
      () => resume(Effect.void)
    )
  })

/** A TLS server that completes handshakes and then reads nothing. */
const listenTls = ({ server: { cert, key } }: Certificates.Certificates) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly sockets: Array<Net.Socket>; readonly server: Tls.Server }>(
      (resume) => {
        const sockets: Array<Net.Socket> = []
        const server = Tls.createServer({ cert, key: Redacted.value(key) }, (socket) => {
          sockets.push(socket)
          socket.on("error", () => {})
          socket.pause()
        })
        server.listen({ port: 0, host: "127.0.0.1" }, () =>
          resume(Effect.succeed({ port: (server.address() as Net.AddressInfo).port, sockets, server })))
      }
    ),
    ({ server, sockets }) =>
      Effect.callback<void>((resume) => {
        for (const socket of sockets) {
          socket.destroy()
        }
        server.close(() =>
          resume(Effect.void)
        )
      })
  )
