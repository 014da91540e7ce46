/**
 * Scripted sentinels and the scripted servers that they watch. A test can change the answers of each at any time.
 */
import { Listeners } from "@redfx/core/unstable/Runtime"
import { NodeRedisConnector } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Roles from "./internal/roles.ts"
import * as FakeNode from "./RedisFakeNode.ts"
import * as Encode from "./RedisFakeReply.ts"
import { rested } from "./Resting.ts"

export const service = "mymaster"

/** A server as a sentinel describes it. */
interface Described {
  readonly port: number
  readonly host?: string | undefined
  readonly flags?: string | undefined
  readonly otherSentinels?: number | undefined
  readonly epoch?: number | undefined
}

/** A sentinel: its answers, and the behaviour that replaces an answer. */
export interface Sentinel {
  readonly node: FakeNode.FakeNode
  readonly host: string
  readonly port: number
  master: Described | undefined
  /** The server that it is promoting while a failover is under way. */
  promoted: number | undefined
  replicas: ReadonlyArray<Described>
  sentinels: ReadonlyArray<Described>
  instead: FakeNode.Handler | undefined
  /** The questions whose answers it has already chosen, and what is told of each. */
  readonly asked: Array<string>
  readonly questions: Listeners
}

/**
 * A data server: its role, of a replica the state of the link to its master and the offset up to which it has that one's data,
 * and the behaviour that replaces an answer.
 */
export interface Data {
  readonly node: FakeNode.FakeNode
  readonly host: string
  readonly port: number
  role: "master" | "slave"
  state: string
  offset: number
  instead: FakeNode.Handler | undefined
}

const described = (server: Described, flags: string): Uint8Array => {
  const { epoch, host = "127.0.0.1", otherSentinels = 2, port } = server
  const fields = ["name", service, "ip", host, "port", String(port), "runid", "x", "flags", server.flags ?? flags]
  const counts = ["num-other-sentinels", String(otherSentinels)]
  return Encode.bulks([...fields, ...counts, ...(epoch === undefined ? [] : ["config-epoch", String(epoch)])])
}

const unknown = Encode.error("ERR No such master with that name")

const answerTo = (self: Sentinel, question: string, name: string | undefined): Uint8Array => {
  if (name !== service || self.master === undefined) return unknown
  switch (question) {
    case "MASTER":
      return described(self.master, "master")
    case "GET-MASTER-ADDR-BY-NAME":
      return Encode.bulks(["127.0.0.1", String(self.promoted ?? self.master.port)])
    case "REPLICAS":
      return Encode.array(self.replicas.map((replica) => described(replica, "slave")))
    case "SENTINELS":
      return Encode.array(self.sentinels.map((sentinel) => described(sentinel, "sentinel")))
    default:
      return unknown
  }
}

const ask = (self: Sentinel, question: string, name: string | undefined): Uint8Array => {
  const answer = answerTo(self, question, name)
  self.asked.push(question)
  // This comes last, because a waiting test may change the next answer.
  self.questions.tell()
  return answer
}

const subscribed = (channel: string) => Encode.push([Encode.bulk("subscribe"), Encode.bulk(channel), Encode.integer(1)])

/** Starts a sentinel that watches nothing yet. */
export const makeSentinel = Effect.fnUntraced(function*(
  options: FakeNode.FakeNodeOptions = {}
): Effect.fn.Return<Sentinel, never, Scope.Scope> {
  const node = yield* FakeNode.make((command, connection) => {
    const own = self.instead?.(command, connection)
    if (own !== undefined) return own
    if (options.handshake?.password !== undefined && !connection.authenticated) return undefined
    const [name, ...args] = command.args
    return name === "SENTINEL"
      ? ask(self, args[0] ?? "", args[1])
      : name === "SUBSCRIBE"
      ? subscribed(args[0] ?? "")
      : undefined
  }, options)
  const self: Sentinel = {
    node,
    host: node.host,
    port: node.port,
    master: undefined,
    promoted: undefined,
    replicas: [],
    sentinels: [],
    instead: undefined,
    asked: [],
    questions: new Listeners()
  }
  return self
})

// A data server does not know its master.
const replicaRole = (state: string) => Roles.replicaOf({ host: "127.0.0.1", port: 1 }, state)

const readonly = Encode.error("READONLY You can't write against a read only replica.")

/** Starts a data server. It answers GET with its port; a replica refuses SET and INCR. */
export const makeData = Effect.fnUntraced(function*(
  role: Data["role"],
  options: FakeNode.FakeNodeOptions = {}
): Effect.fn.Return<Data, never, Scope.Scope> {
  const node = yield* FakeNode.make((command, connection) => {
    const own = self.instead?.(command, connection)
    if (own !== undefined) return own
    if (options.handshake?.password !== undefined && !connection.authenticated) return undefined
    switch (command.name) {
      case "ROLE":
        return self.role === "master" ? Roles.master : replicaRole(self.state)
      case "INFO":
        return Encode.bulk(`# Replication\r\nslave_repl_offset:${self.offset}\r\n`)
      case "GET":
        return Encode.bulk(String(self.port))
      case "SET":
        return self.role === "master" ? Encode.ok : readonly
      case "INCR":
        return self.role === "master" ? Encode.integer(1) : readonly
      case "SUBSCRIBE":
        return subscribed(command.args[1] ?? "")
      default:
        return undefined
    }
  }, options)
  const self: Data = {
    node,
    host: node.host,
    port: node.port,
    role,
    state: "connected",
    offset: 100,
    instead: undefined
  }
  return self
})

/** As many as a number says. */
type Several<A, N extends number, Listed extends ReadonlyArray<A> = []> = Listed["length"] extends N ? Listed
  : Several<A, N, [...Listed, A]>

/** Sentinels that agree on a master and its replicas. */
export interface Group<Sentinels extends number, Replicas extends number> {
  readonly master: Data
  readonly replicas: Several<Data, Replicas>
  /** The first of the sentinels. */
  readonly sentinel: Sentinel
  readonly sentinels: Several<Sentinel, Sentinels>
}

/** Makes sentinels, by default one, that agree on a master and its replicas, by default none. */
export const make = Effect.fnUntraced(function*<const Sentinels extends number = 1, const Replicas extends number = 0>(
  options: { readonly sentinels?: Sentinels; readonly replicas?: Replicas } = {}
): Effect.fn.Return<Group<Sentinels, Replicas>, never, Scope.Scope> {
  const master = yield* makeData("master")
  const replicas = yield* Effect.replicateEffect(makeData("slave"), options.replicas ?? 0)
  const sentinels = yield* Effect.replicateEffect(makeSentinel(), options.sentinels ?? 1)
  for (const sentinel of sentinels) {
    sentinel.master = { port: master.port }
    sentinel.replicas = replicas.map(({ port }) => ({ port }))
  }
  // They were made as often as that.
  return { master, replicas, sentinel: sentinels[0], sentinels } as Group<Sentinels, Replicas>
})

/** All sentinels name another master from now on. That server becomes a master, and the previous master a replica. */
export const failOver = (sentinels: ReadonlyArray<Sentinel>, from: Data, to: Data): Effect.Effect<void> =>
  Effect.sync(() => {
    from.role = "slave"
    to.role = "master"
    for (const sentinel of sentinels) sentinel.master = { port: to.port }
  })

/** Announces a failover to all subscribers of a sentinel. */
export const announce = (sentinel: Sentinel, from: Data, to: Data, name = service): Effect.Effect<void> =>
  publish(sentinel, "+switch-master", `${name} 127.0.0.1 ${from.port} 127.0.0.1 ${to.port}`)

/** Announces to all subscribers of a sentinel the replica that it has chosen as the new master. */
export const choose = (sentinel: Sentinel, replica: Data, master: Data): Effect.Effect<void> => {
  const slave = `slave 127.0.0.1:${replica.port} 127.0.0.1 ${replica.port}`
  return publish(sentinel, "+selected-slave", `${slave} @ ${service} 127.0.0.1 ${master.port}`)
}

/** Announces a text on a channel to all subscribers of a sentinel. */
export const publish = (sentinel: Sentinel, channel: string, text: string): Effect.Effect<void> => {
  const message = Encode.push([Encode.bulk("message"), Encode.bulk(channel), Encode.bulk(text)])
  const { connections } = sentinel.node
  return Effect.forEach(
    connections.live.filter(({ commands }) => commands.some((command) => command.name === "SUBSCRIBE")),
    ({ index }) => sentinel.node.push(index, message),
    { discard: true }
  )
}

/** How often a sentinel was asked a question. */
export const asked = (sentinel: Sentinel, question = "MASTER"): number =>
  sentinel.asked.filter((other) => other === question).length

/** Waits until a sentinel was asked a question `count` times. Later changes affect only later answers. */
export const awaitAsked = (sentinel: Sentinel, question: string, count = 1): Effect.Effect<void> =>
  Effect.andThen(sentinel.questions.until(() => asked(sentinel, question) >= count), rested)

/** The names of all commands that a server received, without those that open a connection. */
export const names = ({ node }: { readonly node: FakeNode.FakeNode }): ReadonlyArray<string> =>
  node.commands.map(({ command }) => command.name).filter((name) => !["HELLO", "CLIENT"].includes(name))

type GroupOptions = Partial<RedisSentinel.GroupOptions>

/** A client of fake sentinels, for as long as the scope is open. */
export const client = (
  sentinels: RedisSentinel.GroupOptions["sentinels"],
  options: GroupOptions & { readonly role?: "master" | "replica" } = {}
) => Effect.provide(RedisSentinel.make({ ...options, sentinels, service }), NodeRedisConnector.layer)

/** The group of fake sentinels. */
export const group = (sentinels: RedisSentinel.GroupOptions["sentinels"], options: GroupOptions = {}) =>
  Effect.provide(RedisSentinel.makeGroup({ ...options, sentinels }), NodeRedisConnector.layer)
