import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Net from "node:net"
import * as FakeNode from "../src/RedisFakeNode.ts"
import * as Encode from "../src/RedisFakeReply.ts"

/** A client without any cleverness: it writes, and waits for text. */
const client = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<Net.Socket, NodeJS.ErrnoException>((resume) => {
      const socket = Net.connect({ host: "127.0.0.1", port })
      socket.once("connect", () => resume(Effect.succeed(socket)))
      socket.once("error", (cause) => resume(Effect.fail(cause)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  ).pipe(Effect.map((socket) => {
    let received = ""
    let ended: string | undefined
    socket.on("data", (chunk) => received += chunk.toString("latin1"))
    socket.on("error", (cause: NodeJS.ErrnoException) => ended = cause.code)
    socket.on("close", () => ended ??= "end")
    const until = <A>(find: () => A | undefined): Effect.Effect<A> =>
      Effect.callback((resume) => {
        const check = () => {
          const found = find()
          if (found === undefined) return
          socket.off("data", check).off("close", check)
          resume(Effect.succeed(found))
        }
        socket.on("data", check).on("close", check)
        check()
      })
    return {
      socket,
      send: (text: string) => Effect.sync(() => socket.write(text)),
      /** Waits for exactly this text, and forgets it. */
      expect: (text: string) =>
        Effect.map(until(() => received.length >= text.length || ended !== undefined || undefined), () => {
          assert.strictEqual(received.slice(0, text.length), text)
          received = received.slice(text.length)
        }),
      ended: until(() => ended),
      received: () => received
    }
  }))

describe("FakeNode", () => {
  it.effect("closes a connection that is reset while it is being ended", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const { ended } = yield* client(node.port)
      yield* node.awaitConnections(1)
      const [connection] = node.connections.all
      const closed = new Promise<void>((resolve, reject) =>
        connection?.socket.once("error", reject).once("close", () => resolve())
      )
      connection?.socket.end()
      yield* node.cutAll("reset")
      yield* Effect.promise(() => closed)
      yield* ended
    }))

  it.effect("answers what every connection starts with", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const { expect, send } = yield* client(node.port)
      yield* send("PING\r\n*2\r\n$4\r\nPING\r\n$2\r\nhi\r\nSELECT 1\r\nCLIENT SETNAME a\r\nCLIENT ID\r\nGET a\r\n")
      yield* expect(
        "+PONG\r\n$2\r\nhi\r\n+OK\r\n+OK\r\n:1\r\n-ERR unknown command 'GET', with args beginning with: \r\n"
      )
      yield* send("HELLO 3\r\n")
      yield* expect("%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n")
    }))

  it.effect("refuses HELLO as old servers do, and asks for a password", () =>
    Effect.gen(function*() {
      const old = yield* FakeNode.make(undefined, { handshake: { hello: "unknown", password: "p" } })
      const first = yield* client(old.port)
      yield* first.send("HELLO 3\r\nPING\r\nAUTH wrong\r\nAUTH p\r\nPING\r\n")
      yield* first.expect(
        "-ERR unknown command 'HELLO', with args beginning with: \r\n-NOAUTH Authentication required.\r\n"
      )
      yield* first.expect("-WRONGPASS invalid username-password pair or user is disabled.\r\n+OK\r\n+PONG\r\n")
      const newer = yield* FakeNode.make(undefined, { handshake: { hello: "noproto", username: "u", password: "p" } })
      const second = yield* client(newer.port)
      yield* second.send("HELLO 3\r\nHELLO 2\r\nHELLO 2 AUTH u p\r\n")
      yield* second.expect("-NOPROTO unsupported protocol version\r\n-NOAUTH HELLO must be called")
      yield* newer.awaitCommand("HELLO", 3)
    }))

  it.effect("reads requests at whatever byte they are split", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make((command) => Encode.bulks(command.bytes))
      const { expect, socket } = yield* client(node.port)
      socket.setNoDelay(true)
      for (const byte of Buffer.from("*3\r\n$3\r\nset\r\n$2\r\n\r\n\r\n$0\r\n\r\nPING x\r\n")) {
        yield* Effect.callback<void>((resume) => {
          socket.write(Uint8Array.of(byte), () => resume(Effect.void))
        })
      }
      yield* expect("*3\r\n$3\r\nset\r\n$2\r\n\r\n\r\n$0\r\n\r\n*2\r\n$4\r\nPING\r\n$1\r\nx\r\n")
      assert.deepStrictEqual(node.commands.map(({ command }) => command.name), ["SET", "PING"])
      assert.deepStrictEqual(node.commands[0]?.args, ["set", "\r\n", ""])
    }))

  it.effect("keeps a byte order mark that a word begins with", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ args }) => Encode.bulk(args[1] ?? ""))
      const { expect, send } = yield* client(node.port)
      const marked = "$4\r\n\ufeffa\r\n"
      yield* send(`*2\r\n$4\r\nECHO\r\n${marked}`)
      // What is expected has a character for each byte.
      yield* expect(Buffer.from(marked).toString("latin1"))
    }))

  it.effect("gives the script the connection and what it handled before", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make((command, connection) =>
        command.name === "GET" ? Encode.bulk(`${connection.index}:${connection.commands.length}`) : undefined
      )
      const first = yield* client(node.port)
      yield* node.awaitConnections(1)
      const second = yield* client(node.port)
      yield* first.send("GET a\r\nGET b\r\n")
      yield* second.send("GET a\r\n")
      yield* first.expect("$3\r\n0:0\r\n$3\r\n0:1\r\n")
      yield* second.expect("$3\r\n1:0\r\n")
    }))

  it.effect("holds a reply until a gate is opened; pushes overtake it, later replies do not", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make((command) =>
        command.name === "SLOW" ? [FakeNode.gate(gate), FakeNode.delay(1), FakeNode.reply(Encode.ok)] : undefined
      )
      const { expect, received, send } = yield* client(node.port)
      yield* send("SLOW\r\nPING\r\n")
      yield* node.awaitCommand("PING")
      yield* node.push(0, Encode.push([Encode.bulk("invalidate"), Encode.nil3]))
      yield* expect(">2\r\n$10\r\ninvalidate\r\n_\r\n")
      assert.strictEqual(received(), "")
      yield* Deferred.succeed(gate, undefined)
      yield* expect("+OK\r\n+PONG\r\n")
    }))

  it.effect("cuts a connection, in the middle of a reply too, in good order or with a reset", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make((command) =>
        command.name === "FIN" ? FakeNode.cutAfter("$10\r\nhal") : FakeNode.cut("reset")
      )
      const first = yield* client(node.port)
      yield* first.send("FIN\r\n")
      yield* first.expect("$10\r\nhal")
      assert.strictEqual(yield* first.ended, "end")
      const second = yield* client(node.port)
      yield* second.send("RESET\r\n")
      assert.strictEqual(yield* second.ended, "ECONNRESET")
      yield* node.awaitOpen(0)
      assert.strictEqual(node.connections.total, 2)
    }))

  it.live("stalls without reading, so that the client's buffer fills", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => FakeNode.stall({ reading: false }))
      const { send, socket } = yield* client(node.port)
      yield* send("GET a\r\n")
      yield* node.awaitCommand("GET")
      const chunk = Buffer.alloc(1 << 20, 120)
      let drained = false
      socket.on("drain", () => drained = true)
      // More than the two system buffers of a loopback connection can take.
      for (let megabytes = 0; megabytes < 32; megabytes++) socket.write(chunk)
      yield* Effect.sleep(50)
      assert.isFalse(drained)
      assert.isAbove(socket.writableLength, 1 << 20)
    }))

  it.effect("stops listening, refuses, and listens again on the same port while connections stay", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const first = yield* client(node.port)
      yield* node.awaitConnections(1)
      yield* node.stopListening
      assert.strictEqual((yield* Effect.flip(client(node.port))).code, "ECONNREFUSED")
      yield* first.send("PING\r\n")
      yield* first.expect("+PONG\r\n")
      yield* node.listen
      const second = yield* client(node.port)
      yield* second.send("PING\r\n")
      yield* second.expect("+PONG\r\n")
      yield* node.cutAll()
      assert.deepStrictEqual([yield* first.ended, yield* second.ended], ["end", "end"])
    }))

  it.effect("takes another script while it runs, and cuts and counts single connections", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => Encode.simple("one"))
      const { ended, expect, send } = yield* client(node.port)
      yield* send("A\r\n")
      yield* expect("+one\r\n")
      node.setHandler(() => Encode.simple("two"))
      yield* send("A\r\n")
      yield* expect("+two\r\n")
      assert.strictEqual(node.connections.open, 1)
      yield* node.cut(0, "reset")
      assert.strictEqual(yield* ended, "ECONNRESET")
      assert.strictEqual(node.connections.open, 0)
    }))

  it.effect("dies when a test pushes to a connection, or cuts one, that there has never been", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      yield* client(node.port)
      yield* node.awaitConnections(1)
      for (const effect of [node.push(1, Encode.ok), node.cut(1), node.cut(-1)]) {
        assert.match(String(yield* Effect.exit(effect)), /there is no connection -?1; 1 were accepted since the start/)
      }
    }))

  it.effect("fails the scope when a script throws, or a client sends what is no request", () =>
    Effect.gen(function*() {
      const run = (text: string) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const node = yield* Scope.provide(
            FakeNode.make(() => {
              throw new Error("a mistake in the script")
            }),
            scope
          )
          const { ended, send } = yield* client(node.port)
          yield* send(text)
          assert.strictEqual(yield* ended, "ECONNRESET")
          return yield* Effect.exit(Scope.close(scope, Exit.void))
        })
      assert.match(String(yield* run("GET\r\n")), /a mistake in the script/)
      assert.match(String(yield* run("*1\r\n+no\r\n")), /not a request/)
    }))
})
