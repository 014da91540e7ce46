/**
 * The limit of the connections to all nodes of the cluster together.
 *
 * Exclusive connections leave room for a shared one to each node, so that a
 * program full of blocking commands still reaches a new master. Where there is
 * no such room a shared connection is opened all the same, beyond the limit,
 * and so is one exclusive connection: without it nothing that blocks would run.
 *
 * Connections to a server that is down do not count: nothing more is sent there, and what it owes may keep them in use for long,
 * which is no reason for anybody to wait for another server.
 */
import type { ConnectionSettings } from "@redfx/core/RedisConfig"
import { connectionLoss } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type { Dialer, Listener } from "@redfx/core/unstable/Connection"
import { failAll } from "@redfx/core/unstable/Request"
import { withTimeout } from "@redfx/core/unstable/Runtime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Health } from "./health.ts"

type Kind = "shared" | "exclusive"

/** The share of one connection in the limit, which the connection waits for, has, or is done with for good. */
interface Permit {
  readonly kind: Kind
  readonly health: Health
  state: "waiting" | "held" | "released"
}

export interface ConnectionLimitOptions {
  readonly pool: ConnectionSettings["pool"]
  /** The number of nodes that commands are sent to. */
  readonly nodes: () => number
  /** Closes connections that nobody uses. */
  readonly makeRoom: Effect.Effect<void>
}

/**
 * The pause between two closings of idle connections while somebody waits. A connection that was given back meanwhile
 * is of use to another node.
 */
const roomInterval = "50 millis"

export class ConnectionLimit {
  readonly #options: ConnectionLimitOptions
  /** The numbers of connections to each server. */
  readonly #held = new Map<Health, Record<Kind, number>>()
  /** The callers that wait, in order. Each tries once more, and returns whether it succeeded. */
  readonly #waiting = new Set<() => boolean>()

  constructor(options: ConnectionLimitOptions) {
    this.#options = options
  }

  /** A dialer, to the server of this health, that keeps within the limit. */
  readonly limited = (health: Health) => (dialer: Dialer, kind: Kind): Dialer => ({
    ...dialer,
    open: (listener) =>
      Effect.flatMap(this.#admit(dialer, kind, health, listener), (permit) =>
        dialer.open({
          ...listener,
          onUnsent: (unsent, failure) => {
            // A lost connection does not count, however long somebody holds it.
            this.#release(permit)
            const { onUnsent = failAll } = listener
            onUnsent(unsent, failure)
          }
        }))
  })

  #admit(
    { address }: Dialer,
    kind: Kind,
    health: Health,
    listener: Listener
  ): Effect.Effect<Permit, CommandError, Scope.Scope> {
    return Effect.suspend(() => {
      const permit: Permit = { kind, health, state: "waiting" }
      return Effect.addFinalizer(() => Effect.sync(() => this.#release(permit))).pipe(
        Effect.andThen(Effect.suspend(() => this.#take(permit) ? Effect.void : this.#wait(permit, address, listener))),
        Effect.as(permit)
      )
    })
  }

  #wait(permit: Permit, address: string, { onProgress }: Listener): Effect.Effect<void, CommandError> {
    const { makeRoom } = this.#options
    if (permit.kind === "shared") {
      return Effect.map(makeRoom, () => {
        if (!this.#take(permit)) this.#hold(permit)
      })
    }
    onProgress?.(`${this.#reached} is reached, and no connection that callers have alone became free`, address)
    // Whoever waits to dial a server that proves to be down need wait no longer.
    return Effect.raceFirst(this.#waitAtMost(address, this.#awaitRoom(permit)), permit.health.untilDown)
  }

  get #reached(): string {
    const { nodes, pool } = this.#options
    const limit = `the limit of ${pool.max} to all nodes of the cluster (pool.max)`
    if (this.#room(0) > 1) return limit
    // Whoever has many nodes may not know that one connection is all there is for what blocks.
    const to = nodes() === 1 ? "1 node" : `${nodes()} nodes`
    return `${limit}, which leaves one besides the shared connections to ${to},`
  }

  /** How many exclusive connections there may be. */
  #room(shared: number): number {
    const { nodes, pool } = this.#options
    return Math.max(pool.max - Math.max(shared, pool.shared * nodes()), 1)
  }

  #awaitRoom(permit: Permit): Effect.Effect<void> {
    let attempt = (): boolean => false
    const taken = Effect.callback<void>((resume) => {
      attempt = () => {
        if (!this.#take(permit)) return false
        this.#waiting.delete(attempt)
        resume(Effect.void)
        return true
      }
      if (!attempt()) this.#waiting.add(attempt)
      return Effect.sync(() => this.#waiting.delete(attempt))
    })
    // The caller that has waited longest makes room for all. A server that goes down makes room as well.
    const isFirst = () => this.#waiting.values().next().value === attempt
    const makeRoom = Effect.andThen(
      Effect.sleep(roomInterval),
      Effect.suspend(() => isFirst() ? Effect.map(this.#options.makeRoom, () => this.#admitWaiting()) : Effect.void)
    )
    return Effect.andThen(this.#options.makeRoom, Effect.raceFirst(taken, Effect.forever(makeRoom)))
  }

  /** Waits as long as somebody may wait for a connection. */
  #waitAtMost(address: string, wait: Effect.Effect<void>): Effect.Effect<void, CommandError> {
    const { acquireTimeout } = this.#options.pool
    const reached = this.#reached
    const limit = Duration.toMillis(acquireTimeout)
    const waited = Duration.format(acquireTimeout)
    return withTimeout(wait, {
      limit,
      orElse: () =>
        Effect.fail(
          limit === 0
            ? connectionLoss("PoolExhausted", `Too many connections: ${reached} is reached`, address)
            : connectionLoss("PoolTimeout", `No connection available: ${reached} was reached for ${waited}`, address)
        )
    })
  }

  #take(permit: Permit): boolean {
    const { pool } = this.#options
    // Of a server that is down no more are opened than of any other.
    const { exclusive, shared } = this.#counted(permit.health.downWith !== undefined)
    const isFree = permit.kind === "shared" ? shared + exclusive < pool.max : exclusive < this.#room(shared)
    if (permit.state !== "waiting" || !isFree) return false
    this.#hold(permit)
    return true
  }

  /** The numbers of connections, with or without those to servers that are down. */
  #counted(withDown: boolean): Record<Kind, number> {
    const sum = { shared: 0, exclusive: 0 }
    for (const [health, { exclusive, shared }] of this.#held) {
      if (!withDown && health.downWith !== undefined) continue
      sum.shared += shared
      sum.exclusive += exclusive
    }
    return sum
  }

  #hold(permit: Permit): void {
    permit.state = "held"
    const held = this.#held.get(permit.health) ?? { shared: 0, exclusive: 0 }
    held[permit.kind]++
    this.#held.set(permit.health, held)
  }

  #release(permit: Permit): void {
    const held = this.#held.get(permit.health)
    if (permit.state === "held" && held !== undefined) {
      held[permit.kind]--
      if (held.shared + held.exclusive === 0) this.#held.delete(permit.health)
    }
    permit.state = "released"
    this.#admitWaiting()
  }

  #admitWaiting(): void {
    for (const attempt of this.#waiting) attempt()
  }
}
