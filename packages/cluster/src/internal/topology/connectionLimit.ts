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
import type { SharedLimit } from "@redfx/core/unstable/Pool"
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
 * The milliseconds between two closings of idle connections while somebody waits, and those for which a connection serves one
 * node before the next: a node full of callers would keep all room, and to dial anew for each costs more than to wait.
 */
const turn = 50

export class ConnectionLimit {
  readonly #options: ConnectionLimitOptions
  /** The numbers of connections to each server. */
  readonly #held = new Map<Health, Record<Kind, number>>()
  /** The callers that wait, in order. Each tries once more, and returns whether it succeeded. */
  readonly #waiting = new Map<Permit, () => boolean>()

  constructor(options: ConnectionLimitOptions) {
    this.#options = options
  }

  /** The limit as the pool of the server of this health sees it. */
  of(health: Health): SharedLimit {
    return {
      limited: (dialer, kind) => this.#limited(health, dialer, kind),
      isWanted: (age) => age >= turn && this.#isWanted
    }
  }

  /** Whether somebody waits for the only connection to a server, which is not down. */
  get #isWanted(): boolean {
    for (const permit of this.#waiting.keys()) if (this.#isForOnly(permit)) return true
    return false
  }

  /** Whether a permit is for the only exclusive connection to its server, which is not down. */
  readonly #isForOnly = ({ health }: Permit): boolean => isUp(health) && (this.#held.get(health)?.exclusive ?? 0) === 0

  readonly #limited = (health: Health, dialer: Dialer, kind: Kind): Dialer => ({
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
    const taken = Effect.callback<void>((resume) => {
      const attempt = () => {
        if (!this.#take(permit)) return false
        this.#waiting.delete(permit)
        resume(Effect.void)
        return true
      }
      if (!attempt()) this.#waiting.set(permit, attempt)
      return Effect.sync(() => this.#waiting.delete(permit))
    })
    // The caller that has waited longest makes room for all. A server that goes down makes room as well.
    const isFirst = () => this.#waiting.keys().next().value === permit
    const makeRoom = Effect.andThen(
      Effect.sleep(turn),
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
    // Of a server that is down no more are opened than of any other.
    const counts = permit.health.downWith === undefined ? isUp : () => true
    if (permit.state !== "waiting" || !this.#isFree(permit.kind, counts)) return false
    this.#hold(permit)
    return true
  }

  /** Whether there is room for one more, where those to such servers count. */
  #isFree(kind: Kind, counts: (health: Health) => boolean): boolean {
    const sum = { shared: 0, exclusive: 0 }
    for (const [health, { exclusive, shared }] of this.#held) {
      if (!counts(health)) continue
      sum.shared += shared
      sum.exclusive += exclusive
    }
    return kind === "shared"
      ? sum.shared + sum.exclusive < this.#options.pool.max
      : sum.exclusive < this.#room(sum.shared)
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
    // Other callers of the same server may have waited for longer, and would keep its room among themselves.
    this.#admitWaiting(({ health }) => health !== permit.health)
    this.#admitWaiting()
  }

  #admitWaiting(which: (permit: Permit) => boolean = () => true): void {
    for (const [permit, attempt] of this.#waiting) {
      // Thousands may wait, and mostly there is no room for anybody.
      if (which(permit) && !attempt() && !this.#isFree("exclusive", isUp)) return
    }
  }
}

const isUp = ({ downWith }: Health): boolean => downWith === undefined
