/**
 * A server that follows the script of a test: it answers, waits, cuts connections or stalls.
 *
 * It uses real sockets on the loopback interface. Commands that the test does not script, such as those that open a
 * connection, are answered as by a real server; `handshake` says how.
 *
 * **Example** (A connection that dies after the server has counted)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { RedisFakeNode, RedisFakeReply } from "@redfx/testing"
 * import { Effect } from "effect"
 *
 * export const test = Effect.scoped(Effect.gen(function*() {
 *   const node = yield* RedisFakeNode.make(({ name }) =>
 *     name === "INCR" ? RedisFakeNode.cut("reset") : name === "GET" ? RedisFakeReply.bulk("1") : undefined
 *   )
 *   const client = NodeRedisClient.layer({ host: node.host, port: node.port })
 *   return yield* Effect.flip(Redis.incr("visits")).pipe(Effect.provide(client)) // delivery: "unknown"
 * }))
 * ```
 *
 * @since 0.1.0
 */
import { Listeners } from "@redfx/core/unstable/Runtime"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import type { Command } from "./internal/requestParser.ts"
import * as RequestParser from "./internal/requestParser.ts"
import * as Encode from "./RedisFakeReply.ts"

export type { Command } from "./internal/requestParser.ts"

// -----------------------------------------------------------------------------
// Scripts
// -----------------------------------------------------------------------------

/**
 * How a connection is cut: `fin` after everything written before has been sent, `reset` at once.
 *
 * @category models
 * @since 0.1.0
 */
export type Cut = "fin" | "reset"

/**
 * One action of a server in response to a command.
 *
 * @category models
 * @since 0.1.0
 */
export type Step =
  | {
    readonly _tag: "Write"
    /** What is written. */
    readonly bytes: Uint8Array
  }
  | {
    readonly _tag: "Wait"
    /** What is waited for. */
    readonly until: Effect.Effect<unknown>
  }
  | {
    readonly _tag: "Cut"
    /** How the connection ends. */
    readonly how: Cut
  }
  | {
    readonly _tag: "Stall"
    /** Whether the server stops reading as well. */
    readonly reading: boolean
  }

/**
 * What a server does about a command: answers with bytes, takes one step or several, or with `undefined` gives the
 * built-in answer.
 *
 * @category models
 * @since 0.1.0
 */
export type Reply = string | Uint8Array | Step | ReadonlyArray<Step> | undefined

/**
 * Decides what to do about a command. The commands of one connection are handled one after the other.
 *
 * @category models
 * @since 0.1.0
 */
export type Handler = (command: Command, connection: Connection) => Reply

/**
 * Writes bytes.
 *
 * @category steps
 * @since 0.1.0
 */
export const reply = (bytes: string | Uint8Array): Step => ({
  _tag: "Write",
  bytes: typeof bytes === "string" ? Encode.raw(bytes) : bytes
})

/**
 * Does nothing for a time span in real time.
 *
 * @category steps
 * @since 0.1.0
 */
export const delay = (duration: Duration.Input): Step => ({
  _tag: "Wait",
  until: Effect.provideService(Effect.sleep(duration), Clock.Clock, Clock.Clock.defaultValue())
})

/**
 * Does nothing until a test opens the gate with `Deferred.succeed(gate, undefined)`.
 *
 * @category steps
 * @since 0.1.0
 */
export const gate = (gate: Deferred.Deferred<void>): Step => ({ _tag: "Wait", until: Deferred.await(gate) })

/**
 * Opens a gate for which a test waits, to show that the script has reached this step.
 *
 * @category steps
 * @since 0.1.0
 */
export const open = (gate: Deferred.Deferred<void>): Step => ({
  _tag: "Wait",
  until: Deferred.succeed(gate, undefined)
})

/**
 * Ends the connection.
 *
 * @category steps
 * @since 0.1.0
 */
export const cut = (how: Cut = "fin"): Step => ({ _tag: "Cut", how })

/**
 * Writes a part of a reply, and ends the connection.
 *
 * @category steps
 * @since 0.1.0
 */
export const cutAfter = (bytes: string | Uint8Array, how: Cut = "fin"): ReadonlyArray<Step> => [reply(bytes), cut(how)]

/**
 * Never answers again on this connection. With `reading: false` the server also stops reading, so that the client's
 * send buffer fills.
 *
 * @category steps
 * @since 0.1.0
 */
export const stall = (options?: { readonly reading?: boolean | undefined }): Step => ({
  _tag: "Stall",
  reading: options?.reading ?? true
})

// -----------------------------------------------------------------------------
// Built-in answers
// -----------------------------------------------------------------------------

/**
 * How the built-in answers greet a client.
 *
 * @category options
 * @since 0.1.0
 */
export interface Handshake {
  /**
   * `"accept"` (default) answers HELLO with a map; `"unknown"` acts as a server older than 6, `"noproto"` as one
   * without RESP3.
   */
  readonly hello?: "accept" | "unknown" | "noproto" | undefined
  /** The name that HELLO … AUTH and AUTH must carry. Default `"default"`. */
  readonly username?: string | undefined
  /** The password that HELLO … AUTH and AUTH must carry. Until then other commands are refused with NOAUTH. */
  readonly password?: string | undefined
  /** The mode that HELLO reports. Default `"standalone"`. */
  readonly mode?: "standalone" | "cluster" | "sentinel" | undefined
  /** The role that HELLO reports. Default `"master"`. */
  readonly role?: "master" | "replica" | undefined
  /** The version that HELLO reports. Default `"7.0.0"`. */
  readonly version?: string | undefined
}

const helloFields = (handshake: Handshake, connection: Connection) =>
  [
    [Encode.bulk("server"), Encode.bulk("redis")],
    [Encode.bulk("version"), Encode.bulk(handshake.version ?? "7.0.0")],
    [Encode.bulk("proto"), Encode.integer(connection.protocol)],
    [Encode.bulk("id"), Encode.integer(connection.index + 1)],
    [Encode.bulk("mode"), Encode.bulk(handshake.mode ?? "standalone")],
    [Encode.bulk("role"), Encode.bulk(handshake.role ?? "master")],
    [Encode.bulk("modules"), Encode.array([])]
  ] as const

const unknownCommand = (command: Command): Uint8Array =>
  Encode.error(`ERR unknown command '${command.args[0]}', with args beginning with: `)

const wrongPassword = Encode.error("WRONGPASS invalid username-password pair or user is disabled.")

const authenticate = (handshake: Handshake, connection: Connection, username: string, password: string): boolean => {
  const right = password === handshake.password && username === (handshake.username ?? "default")
  connection.authenticated = right || connection.authenticated
  return right
}

const hello = (handshake: Handshake, command: Command, connection: Connection): Uint8Array => {
  if (handshake.hello === "unknown") return unknownCommand(command)
  const protocol = command.args[1]
  if (protocol !== undefined && protocol !== "2" && (protocol !== "3" || handshake.hello === "noproto")) {
    return Encode.error("NOPROTO unsupported protocol version")
  }
  const auth = command.args.findIndex((arg) => arg.toUpperCase() === "AUTH")
  if (auth !== -1 && handshake.password !== undefined) {
    if (!authenticate(handshake, connection, command.args[auth + 1] ?? "", command.args[auth + 2] ?? "")) {
      return wrongPassword
    }
  }
  if (handshake.password !== undefined && !connection.authenticated) {
    return Encode.error(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> " +
        "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
    )
  }
  if (protocol !== undefined) connection.protocol = protocol === "3" ? 3 : 2
  const fields = helloFields(handshake, connection)
  return connection.protocol === 3 ? Encode.map(fields) : Encode.array(fields.flat())
}

const auth = (handshake: Handshake, command: Command, connection: Connection): Uint8Array => {
  if (handshake.password === undefined) {
    return Encode.error(
      "ERR AUTH <password> called without any password configured for the default user. " +
        "Are you sure your configuration is correct?"
    )
  }
  const [, first = "", second] = command.args
  const right = second === undefined
    ? authenticate(handshake, connection, "default", first)
    : authenticate(handshake, connection, first, second)
  return right ? Encode.ok : wrongPassword
}

const builtIn = (handshake: Handshake, command: Command, connection: Connection): Uint8Array => {
  if (command.name === "HELLO") return hello(handshake, command, connection)
  if (command.name === "AUTH") return auth(handshake, command, connection)
  if (handshake.password !== undefined && !connection.authenticated) {
    return Encode.error("NOAUTH Authentication required.")
  }
  switch (command.name) {
    case "PING":
      return command.args[1] === undefined ? Encode.simple("PONG") : Encode.bulk(command.args[1])
    case "CLIENT":
      return command.args[1]?.toUpperCase() === "ID" ? Encode.integer(connection.index + 1) : Encode.ok
    case "SELECT":
    case "READONLY":
    case "READWRITE":
    case "QUIT":
      return Encode.ok
    default:
      return unknownCommand(command)
  }
}

// -----------------------------------------------------------------------------
// The node
// -----------------------------------------------------------------------------

/**
 * A client's connection, as an answer sees it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection {
  /** Counts from 0 in the order of arrival. */
  readonly index: number
  /** The socket of the server's end. */
  readonly socket: Net.Socket
  /** The commands that were handled before the current one. */
  readonly commands: Array<Command>
  /** The version of RESP that HELLO has set. */
  protocol: 2 | 3
  /** Whether AUTH or HELLO has succeeded. */
  authenticated: boolean
}

/**
 * A command as it arrived, and the index of its connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Received {
  /** The index of the connection. */
  readonly connection: number
  /** The command as it arrived. */
  readonly command: Command
  /** The arguments as text. */
  readonly args: ReadonlyArray<string>
}

/**
 * A scripted server.
 *
 * @category models
 * @since 0.1.0
 */
export interface FakeNode {
  /** The host that the server listens on. */
  readonly host: string
  /** The port that the server listens on. */
  readonly port: number
  /** Every command in order of arrival, including those not handled yet. */
  readonly commands: Array<Received>
  /** All connections ever accepted, in order, and those that are open, with the number of each. */
  readonly connections: {
    /** All connections, in the order of arrival. */
    readonly all: ReadonlyArray<Connection>
    /** Those that are open. */
    readonly live: ReadonlyArray<Connection>
    /** How many there were. */
    readonly total: number
    /** How many are open. */
    readonly open: number
  }
  /** Replaces the script for the commands handled from now on. */
  readonly setHandler: (handler: Handler) => void
  /** Waits until `total` connections have been accepted since the start. */
  readonly awaitConnections: (total: number) => Effect.Effect<void>
  /** Waits until exactly `open` connections are open. */
  readonly awaitOpen: (open: number) => Effect.Effect<void>
  /**
   * Waits for a command, which may have arrived before. With `count` it waits for that many, and returns the last one.
   */
  readonly awaitCommand: (
    predicate: string | ((received: Received) => boolean),
    count?: number
  ) => Effect.Effect<Received>
  /** Writes to a connection at once, whatever its script is waiting for. Dies where there has been no such connection. */
  readonly push: (connection: number, bytes: string | Uint8Array) => Effect.Effect<void>
  /** Cuts one connection; nothing happens to one that has ended. Dies where there has been no such connection. */
  readonly cut: (connection: number, how?: Cut) => Effect.Effect<void>
  /** Cuts every open connection. */
  readonly cutAll: (how?: Cut) => Effect.Effect<void>
  /** Refuses new connections; open connections stay. */
  readonly stopListening: Effect.Effect<void>
  /** Accepts connections again, on the same port. */
  readonly listen: Effect.Effect<void>
}

/**
 * A scripted server for the life of a Layer.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisFakeNode extends Context.Service<RedisFakeNode, FakeNode>()("@redfx/testing/RedisFakeNode") {}

/**
 * Options of a scripted server.
 *
 * @category options
 * @since 0.1.0
 */
export interface FakeNodeOptions {
  /**
   * How the server answers a client that connects: see {@link Handshake}. By default it speaks RESP3 and wants no password.
   */
  readonly handshake?: Handshake | undefined
  /** The port that it listens on. Default: a free one. */
  readonly port?: number | undefined
}

const host = "127.0.0.1"

/** Systems do not reset a connection while it is being ended: Node fails then, and keeps its handle. */
const reset = (socket: Net.Socket): void => {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}

const cutSocket = (socket: Net.Socket, how: Cut): void => {
  if (how === "reset") {
    reset(socket)
  } else {
    socket.destroySoon()
  }
}

/**
 * Binds a port. The default is a free one below the range for outgoing connections, as a redialling client could take a
 * port of that range.
 */
const bind = (server: Net.Server, port: number | undefined): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    const candidate = port ?? 22_000 + Math.floor(Math.random() * 10_000)
    const refused = (cause: NodeJS.ErrnoException) =>
      resume(port === undefined && cause.code === "EADDRINUSE" ? bind(server, port) : Effect.die(cause))
    server.once("error", refused)
    server.listen({ host, port: candidate, exclusive: true }, () => {
      server.off("error", refused)
      resume(Effect.succeed(candidate))
    })
  })

const toSteps = (reply_: Exclude<Reply, undefined>): ReadonlyArray<Step> =>
  typeof reply_ === "string" || reply_ instanceof Uint8Array
    ? [reply(reply_)]
    : "_tag" in reply_
    ? [reply_]
    : reply_

const runStep = (connection: Connection, step: Step): Effect.Effect<unknown> => {
  switch (step._tag) {
    case "Write":
      return Effect.sync(() => connection.socket.write(step.bytes))
    case "Wait":
      return step.until
    case "Cut":
      return Effect.andThen(Effect.sync(() => cutSocket(connection.socket, step.how)), Effect.never)
    case "Stall":
      return Effect.andThen(
        Effect.sync(() => {
          if (!step.reading) connection.socket.pause()
        }),
        Effect.never
      )
  }
}

/** Handles the commands of one connection in order, until it is interrupted. */
const serve = (
  connection: Connection,
  queue: Queue.Queue<Command>,
  decide: (command: Command) => ReadonlyArray<Step>
): Effect.Effect<never> =>
  Queue.take(queue).pipe(
    Effect.flatMap((command) => {
      const steps = decide(command)
      connection.commands.push(command)
      return Effect.forEach(steps, (step) => runStep(connection, step), { discard: true })
    }),
    Effect.forever
  )

/** The state of a scripted server. */
interface State {
  readonly handshake: Handshake
  readonly all: Array<Connection>
  readonly commands: Array<Received>
  /** Told of each connection and command, and of the end of each connection. */
  readonly changes: Listeners
  readonly failures: Array<unknown>
  handler: Handler
}

const accept = (state: State, socket: Net.Socket): void => {
  const connection: Connection = { index: state.all.length, socket, commands: [], protocol: 2, authenticated: false }
  const queue = Effect.runSync(Queue.unbounded<Command>())
  const parser = RequestParser.make()
  const fail = (cause: unknown) => {
    state.failures.push(cause)
    reset(socket)
  }
  const decide = (command: Command) =>
    toSteps(state.handler(command, connection) ?? builtIn(state.handshake, command, connection))
  const fiber = Effect.runFork(
    Effect.catchDefect(serve(connection, queue, decide), (cause) => Effect.sync(() => fail(cause)))
  )
  state.all.push(connection)
  socket.setNoDelay(true)
  const onEnd = () => {
    Effect.runFork(Fiber.interrupt(fiber))
    state.changes.tell()
  }
  // A cut connection fails on the client's side; here it only closes. Node emits no "close" when a reset fails, as
  // happens when the client has closed its side just before.
  socket.on("error", onEnd)
  socket.on("close", onEnd)
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const command of parser.push(chunk)) {
        state.commands.push({ connection: connection.index, command, args: command.args })
        Queue.offerUnsafe(queue, command)
      }
    } catch (cause) {
      fail(cause)
    }
    state.changes.tell()
  })
  state.changes.tell()
}

const toNode = (state: State, server: Net.Server, port: number): FakeNode => {
  const { all, changes, commands } = state
  const live = () => all.filter((connection) => !connection.socket.destroyed)
  const at = (index: number): Connection => {
    const connection = all[index]
    if (connection === undefined) {
      throw new Error(`there is no connection ${index}; ${all.length} were accepted since the start`)
    }
    return connection
  }
  const cutEach = (connections: () => ReadonlyArray<Connection>, how: Cut = "fin") =>
    Effect.sync(() => connections().forEach((connection) => cutSocket(connection.socket, how)))
  return {
    host,
    port,
    commands,
    connections: {
      all,
      get live() {
        return live()
      },
      get total() {
        return all.length
      },
      get open() {
        return live().length
      }
    },
    setHandler: (handler) => {
      state.handler = handler
    },
    awaitConnections: (total) => changes.until(() => all.length >= total),
    awaitOpen: (open) => changes.until(() => live().length === open),
    awaitCommand: (predicate, count = 1) => {
      const matches = typeof predicate === "string"
        ? (received: Received) => received.command.name === predicate.toUpperCase()
        : predicate
      const find = () => commands.filter(matches)[count - 1]
      // Commands are only added, so what was found is still there.
      return Effect.map(changes.until(() => find() !== undefined), () => find()!)
    },
    push: (connection, bytes) => Effect.sync(() => at(connection).socket.write(bytes)),
    cut: (connection, how) => cutEach(() => [at(connection)], how),
    cutAll: (how) => cutEach(live, how),
    stopListening: Effect.sync(() => server.close()),
    listen: Effect.asVoid(Effect.suspend(() => bind(server, port)))
  }
}

/**
 * Starts a scripted server, which ends with the scope.
 *
 * The built-in answers apply without a handler, or when the handler returns `undefined`. They cover HELLO, AUTH, PING,
 * CLIENT, SELECT, READONLY, READWRITE and QUIT; any other command is unknown. When the handler throws, or the bytes are
 * not a request, the connection is reset. Closing the scope then fails with a defect, so that the test fails.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  handler: Handler = () => undefined,
  options: FakeNodeOptions = {}
): Effect.fn.Return<FakeNode, never, Scope.Scope> {
  const state: State = {
    handshake: options.handshake ?? {},
    all: [],
    commands: [],
    changes: new Listeners(),
    failures: [],
    handler
  }
  const server = Net.createServer((socket) => accept(state, socket))
  const port = yield* bind(server, options.port)
  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      server.close(() => resume(state.failures.length === 0 ? Effect.void : Effect.die(state.failures[0])))
      for (const connection of state.all) connection.socket.destroy()
    })
  )
  return toNode(state, server, port)
})

/**
 * A scripted server for the life of a Layer; see {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (handler?: Handler, options?: FakeNodeOptions): Layer.Layer<RedisFakeNode> =>
  Layer.effect(RedisFakeNode)(make(handler, options))
