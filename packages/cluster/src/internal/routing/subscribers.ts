/**
 * Decides where subscriptions go. Any server delivers what is published anywhere; a shard channel is subscribed to
 * where its slot is served, and events that each server reports only for itself are subscribed to on all masters.
 */
import { clusterNodes } from "@redfx/core/commands/Cluster"
import { role } from "@redfx/core/commands/Server"
import * as RedisArg from "@redfx/core/RedisArg"
import type { Key } from "@redfx/core/RedisArg"
import type { RedisEvent } from "@redfx/core/RedisClient"
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import { ClusterUnsupportedError, connectionLoss, SlotNotCoveredError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type { Kind } from "@redfx/core/RedisPubSub"
import * as RedisReply from "@redfx/core/RedisReply"
import type { ErrorReply } from "@redfx/core/Resp"
import type { RedisConnection } from "@redfx/core/unstable/Connection"
import { asText } from "@redfx/core/unstable/Request"
import type { Spread, Subscribers as RouterSubscribers } from "@redfx/core/unstable/Router"
import { fork, inContext, Listeners, withTimeout } from "@redfx/core/unstable/Runtime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { typed } from "../topology/clusterErrors.ts"
import { laterOf } from "../topology/discovery.ts"
import type { Health } from "../topology/health.ts"
import type { Node } from "../topology/nodes.ts"
import { slotOf } from "../topology/slot.ts"
import { addressesOf, idOf } from "../topology/topology.ts"
import type { Topology } from "../topology/topology.ts"
import { anyNode } from "./anyOf.ts"
import type { Hung, State } from "./state.ts"
import { outcomeOf } from "./verdict.ts"
import { unspent } from "./verdictModel.ts"

const anywhere = ""

/** In the place of a server: nobody serves the slot of a shard channel. */
const unserved = "?"

const keyspaceEvents =
  "each server tells of the events of its own keys only, so that those of all others would be missing. " +
  "Redis.keyspaceEvents hears all masters, also those that become one later"

const notServed = () => connectionLoss("Other", "No server of the cluster serves the slot of a shard channel")

const nobody = () => connectionLoss("Other", "The cluster has no master that serves slots, and so none to subscribe on")

/**
 * Whether a channel is one of keyspace events, or a pattern made for them: the text before its first wildcard begins
 * like their names.
 */
const isKeyspaceChannel = (kind: Kind, channel: Key): boolean => {
  const text = asText(channel)
  const start = (kind === "psubscribe" ? /^[^*?[\\]*/.exec(text)?.[0] ?? "" : text).slice(0, 11)
  return start.length === 11 || kind === "psubscribe" && start.length >= 5
    ? ["__keyspace@", "__keyevent@"].some((name) => name.startsWith(start))
    : false
}

interface Roles {
  readonly masters: ReadonlySet<string>
  readonly members: ReadonlySet<string>
}

const rolesIn = (topology: Topology): Roles => ({
  masters: new Set(topology.shards.map(({ master }) => master)),
  members: new Set(addressesOf(topology))
})

/** Why a connection that was opened for a master is of no use any more; `undefined` when it is. */
const uselessness = ({ address }: RedisConnection, { masters, members }: Roles): CommandError | undefined =>
  !members.has(address)
    ? unnamed(address)
    : !masters.has(address)
    ? connectionLoss("Demoted", "The server is a replica now", address)
    : undefined

const unnamed = (address: string) => connectionLoss("Closed", "The cluster does not name the server any more", address)

/** The flags of servers that the one that tells of them does not reach, or holds for gone. */
const gone = ["fail", "fail?", "handshake", "noaddr"]

/** Whether a server knows the one of an id, and has no doubts about it. */
const knows = (asked: Node, id: string): Effect.Effect<boolean, CommandError> =>
  Effect.map(
    asked.client.execute(clusterNodes()),
    (nodes) => nodes.some((node) => node.id === id && !gone.some((flag) => node.flags.has(flag)))
  )

/** The milliseconds for which a server that hangs may leave a PING unanswered on a connection of subscriptions, and those until the next. */
const patience = 500

/**
 * The milliseconds until a server that the topology leaves out is asked again at the earliest. Each time takes a connection, and
 * while a command waits for some other server the topology is read ten times a second.
 */
const leftOutPause = 1000

/** What a connection was opened for, and how long it is there. */
interface Opened {
  readonly server: string
  readonly scope: Scope.Scope
}

/** Ends a connection to a server that is down, when it answers nothing there. */
const untilSilent = (connection: RedisConnection, health: Health, error: CommandError): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { exchange, probe } = connection
    while (health.downWith !== undefined) {
      const { received } = exchange
      const answer = yield* Effect.exit(withTimeout(probe, { limit: patience, orElse: () => Effect.fail(error) }))
      if (Exit.isFailure(answer) && exchange.received === received) return connection.close(error)
      yield* Effect.sleep(patience)
    }
  })

export class Subscribers {
  readonly #state: State
  readonly #context: Context.Context<RedisConnector>
  readonly #open = new Map<RedisConnection, Opened>()
  /** The servers that a connection to was lost: each may have another role when it is back. */
  readonly #lost = new Set<string>()
  /**
   * The server that was good last time. Messages come to each server in its own time, so another one may repeat what this one
   * has sent: some 40 ms of it, as servers write to each other with Nagle's algorithm.
   */
  #last: Node | undefined = undefined
  /** Told whenever channels may belong on other servers. */
  readonly #listeners = new Listeners()
  /** The servers that are being asked for their role, and whether each has to be asked again. */
  readonly #asked = new Map<string, boolean>()
  readonly onEvent: (event: RedisEvent) => void

  constructor(state: State, context: Context.Context<RedisConnector>, onEvent: (event: RedisEvent) => void) {
    this.#state = state
    this.#context = context
    this.onEvent = onEvent
    // Subscriptions depend on the topology even while no command is sent: a server that has left the cluster sends
    // nothing, and no error either.
    state.followers.add(() => this.#open.size > 0)
  }

  readonly serverFor: RouterSubscribers["serverFor"] = (kind, channel) =>
    kind === "ssubscribe" ? this.#state.routeOf(slotOf(channel))?.master.address ?? unserved : anywhere

  /**
   * Any server but the master refuses a shard channel, or takes it as a replica. Reading the topology has tries of its
   * own, so others wait for it before their first try, too.
   */
  readonly known: RouterSubscribers["known"] = (kind, channels) =>
    kind === "ssubscribe" ? this.#served(channels.map(slotOf)) : this.#state.known

  #served(slots: ReadonlyArray<number>): Effect.Effect<void, CommandError> {
    const missing = () => slots.find((slot) => this.#state.routeOf(slot) === undefined)
    return Effect.gen({ self: this }, function*() {
      yield* this.#state.known
      if (missing() === undefined) return
      yield* this.#state.refresh
      const slot = missing()
      if (slot !== undefined) return yield* Effect.fail(new SlotNotCoveredError({ slot }))
    })
  }

  /** Tries as the verdict says: like any command that only reads. */
  readonly retry: RouterSubscribers["retry"] = (name, kind, channels) => {
    const command = RedisCommand.make({
      spec: new RedisCommand.Spec(name, ["readonly"]),
      // Only a shard channel decides where it goes.
      args: () => kind === "ssubscribe" ? channels.map(RedisArg.key) : [],
      reply: RedisReply.raw
    })
    let spent = unspent
    return (error) =>
      Effect.suspend(() => {
        const address = "address" in error ? error.address : undefined
        const verdict = this.#state.judge({ way: "subscription", command }, address, outcomeOf(error), spent)
        spent = verdict.spent
        return verdict.next._tag === "Settle"
          ? Effect.fail(verdict.next.error ?? typed(error))
          : this.#state.wait(verdict.next.after)
      })
  }

  /** A subscription is on one server, and each server reports only its own keys. */
  readonly refuses: RouterSubscribers["refuses"] = (kind, channel) =>
    isKeyspaceChannel(kind, channel)
      ? new ClusterUnsupportedError({ command: kind.toUpperCase(), detail: keyspaceEvents })
      : undefined

  readonly spread: Spread = {
    includes: isKeyspaceChannel,
    known: Effect.suspend(() =>
      Effect.andThen(
        this.#state.known,
        Effect.suspend(() => {
          // Without commands nobody has noticed changes since; a change is reported as a gap.
          this.#state.requestRefresh()
          return this.#state.masters.length === 0 ? Effect.fail(nobody()) : Effect.void
        })
      )
    ),
    servers: () => this.#state.masters.map(({ address }) => address),
    execute: (server, command) => Effect.suspend(() => this.#state.nodes.atAddress(server).client.execute(command))
  }

  readonly onChange: RouterSubscribers["onChange"] = (listener) => this.#listeners.add(listener)

  readonly isServer = (server: string): boolean => server === anywhere || this.#state.isMaster(server)

  /**
   * Asks the server that gives a channel up, because it knows who has the channel now. Without that, the channel would
   * be subscribed to on that server again: replicas accept that and get the messages from their master, but not before
   * they know it. Where a server has not given the channel up and another seems to have it, the one of the two that the
   * cluster believes is asked: a topology that was read from a server that is behind moves nothing.
   */
  readonly moved: RouterSubscribers["moved"] = (server, owner) => {
    if (server === unserved) return Effect.void
    const { nodes } = this.#state
    const asked = owner === undefined
      ? Effect.succeed(server)
      : Effect.map(laterOf(nodes.atAddress(owner), nodes.atAddress(server)), ({ address }) => address)
    return Effect.ignore(Effect.flatMap(asked, (address) => this.#state.learnFrom(address)))
  }

  /**
   * Asks a server that has taken a shard channel for its role. A master that was replaced without the client's knowledge
   * takes channels as a replica, and would say nothing when its master stops.
   */
  readonly confirmed: RouterSubscribers["confirmed"] = (kind, server) =>
    kind === "ssubscribe" ? this.#verify(server) : Effect.void

  /** One question at a time; the answer must be later than the last confirmation. */
  #verify(server: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const isAsked = this.#asked.has(server)
      this.#asked.set(server, isAsked)
      return isAsked ? Effect.void : Effect.ensuring(
        Effect.repeat(this.#askRole(server), { while: () => this.#asked.get(server) === true }),
        Effect.sync(() => this.#asked.delete(server))
      )
    })
  }

  #askRole(server: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#asked.set(server, false)
      return this.#state.nodes.atAddress(server).client.execute(role())
    }).pipe(
      Effect.flatMap(({ role }) => role === "slave" ? this.#state.learnFrom(server) : Effect.void),
      // A user without the right to ask learns it from the topology.
      Effect.catchTag("NoPermissionError", () => Effect.sync(() => this.#state.requestRefresh())),
      Effect.ignore
    )
  }

  readonly connect: RouterSubscribers["connect"] = (server, listener) =>
    Effect.gen({ self: this }, function*() {
      // Each try reads the topology again; channels whose slot is served by then go there.
      if (server === unserved) {
        yield* this.#state.refresh
        return yield* Effect.fail(notServed())
      }
      yield* this.#state.known
      const node = yield* this.#serverAt(server)
      const before = this.#state.topology
      const id = before === undefined ? undefined : idOf(before, node.address)
      const connection = yield* Effect.tapError(
        node.dialer.open({ ...listener, onRefusal: (error, command) => this.#learn(error, command, node.address) }),
        () =>
          Effect.sync(() => {
            if (this.#last === node) this.#last = undefined
          })
      )
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          this.#open.delete(connection)
          this.#lost.add(server)
        })
      )
      this.#open.set(connection, { server, scope: yield* Effect.scope })
      // What was learned while it was opened has concerned only those that were open by then.
      const { topology } = this.#state
      const useless = server === anywhere || topology === undefined
        ? undefined
        : uselessness(connection, rolesIn(topology))
      const error = useless ?? node.health.downWith
      if (error !== undefined) connection.close(error)
      if (server === anywhere) yield* Effect.forkScoped(this.#untilUnnamed(connection, id), { startImmediately: true })
      return connection
    }).pipe(inContext(this.#context))

  /** Learns from a refusal, as of a channel whose slot has moved: then that channel alone goes elsewhere. */
  #learn({ code, line }: ErrorReply, command: RedisCommand.Any, address: string): undefined {
    this.#state.judge(
      { way: "subscription", command },
      address,
      { _tag: "Refused", code, line, queued: false },
      unspent
    )
  }

  /**
   * Ends a connection to a server that has left the cluster. Its messages do not come there any more, and it need not send an
   * error. That a topology leaves it out does not say so: servers leave out a replica to which nothing was replicated yet, such
   * as a master that has just handed over, and messages come there as before. Who goes away from it misses some, or is told
   * some again. Nor does the word of the others say that it has not left: they know one that has forgotten them (`CLUSTER RESET`)
   * for as long as nobody has them forget it.
   */
  #untilUnnamed(connection: RedisConnection, id: string | undefined): Effect.Effect<void> {
    const { address } = connection
    const isNamed = () => this.#state.members.some((node) => node.address === address)
    return Effect.gen({ self: this }, function*() {
      while (true) {
        const seen = this.#state.topology
        if (!isNamed()) {
          if (!(yield* this.#isKnown(id, address)) && !isNamed()) return connection.close(unnamed(address))
          yield* Effect.sleep(leftOutPause)
        }
        yield* this.#state.adopted.until(() => this.#state.topology !== seen)
      }
    })
  }

  /** Whether one of the masters and the server of an id know each other. One that nobody tells of is as good as gone. */
  #isKnown(id: string | undefined, address: string): Effect.Effect<boolean> {
    const { masters, nodes, topology } = this.#state
    const asked = anyNode(Context.get(this.#context, Random.Random), masters)
    const other = asked === undefined || topology === undefined ? undefined : idOf(topology, asked.address)
    if (id === undefined || asked === undefined || other === undefined) return Effect.succeed(false)
    return Effect.orElseSucceed(
      Effect.flatMap(
        knows(asked, id),
        (isKnown) => isKnown ? knows(nodes.atAddress(address), other) : Effect.succeed(false)
      ),
      () => false
    )
  }

  /**
   * Ends connections that were opened for masters which are none any more. Such a server need not send an error; it may just
   * send nothing.
   */
  retain(topology: Topology): void {
    // A subscription that another server serves by now loses nothing when its old connection ends.
    this.#listeners.tell()
    const roles = rolesIn(topology)
    for (const server of this.#lost) if (!roles.masters.has(server)) this.#lost.delete(server)
    for (const [connection, { server }] of this.#open) {
      const error = server === anywhere ? undefined : uselessness(connection, roles)
      if (error !== undefined) connection.close(error)
    }
  }

  /**
   * Ends connections to a server that hangs, once it says nothing there either. One that holds back writes, as it is about to
   * hand over or was told to (`CLIENT PAUSE`), does not answer a PING behind a write, and sends messages as ever.
   */
  onHung({ address, error }: Hung): void {
    const health = this.#state.nodes.find(address)?.health
    for (const [connection, { scope }] of this.#open) {
      if (connection.address !== address) continue
      // It is sent a PING whenever nothing comes from it for half a second. One that was sent a moment ago may be far away.
      if (health === undefined || health.estranged !== undefined || connection.liveness.silence >= patience) {
        connection.close(error)
      } else fork(this.#context)(Effect.forkIn(untilSilent(connection, health, error), scope))
    }
  }

  /** The server to connect to. A server that is down is waited for, unless another will do. */
  #serverAt(server: string): Effect.Effect<Node, CommandError> {
    return Effect.gen({ self: this }, function*() {
      while (true) {
        const node = server === anywhere ? this.#anywhere() : yield* this.#masterAt(server)
        if (node === undefined) return yield* Effect.die(new Error("a topology without nodes"))
        if (server === anywhere || node.health.downWith === undefined) return node
        yield* this.#state.wait("recovery")
      }
    })
  }

  #anywhere(): Node | undefined {
    const { members } = this.#state
    if (this.#last === undefined || !members.includes(this.#last) || !this.#last.health.isHealthy) {
      this.#last = anyNode(Context.get(this.#context, Random.Random), members)
    }
    return this.#last
  }

  /** A master by its address. A master that was lost is only used if it still is one. */
  #masterAt(server: string): Effect.Effect<Node, CommandError> {
    return Effect.gen({ self: this }, function*() {
      const find = () => this.#state.masters.find(({ address }) => address === server)
      // A redirect may have named a master that is not known as one yet.
      if (this.#lost.has(server) || find() === undefined) yield* this.#state.refresh
      const node = find()
      if (node !== undefined) this.#lost.delete(server)
      return node ?? (yield* Effect.fail(connectionLoss("Demoted", "The server is no master any more", server)))
    })
  }
}
