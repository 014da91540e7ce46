/**
 * The master as far as a client knows, and the client's connections that depend
 * on that.
 *
 * Invariant: what is known never goes back to an earlier failover.
 */
import type { RedisEvent } from "@redfx/core/RedisClient"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import { connectionLoss } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type { News, RedisConnection } from "@redfx/core/unstable/Connection"
import { Listeners } from "@redfx/core/unstable/Runtime"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Doubt } from "./doubt.ts"
import { demoted } from "./failures.ts"
import type { Sentinel } from "./sentinels.ts"
import { verdict } from "./verdict.ts"
import type { Observation, Role } from "./verdict.ts"

/**
 * A server that is said to be the master.
 *
 * - `epoch`: the number of the failover that made it the master. A server that was chosen and has no number yet has a half.
 * - `era`: how often the sentinels were set up anew before, so that they count failovers from the beginning. Default 0.
 * - `witness`: the only sentinel that knows of that failover, while others have missed it so far.
 */
export interface Claim {
  readonly address: NodeAddress
  readonly epoch: number
  readonly era?: number | undefined
  readonly witness?: Sentinel | undefined
}

/** The standing of a claim with a single witness. `late`: the witness has not answered. `unknown`: no sentinel has. */
export type Standing = "stands" | "falls" | "late" | "unknown"

/** By how much a claim is later than another one: less than 0 where it is from an earlier failover, 0 where both are from the same. */
const order = (claim: Claim, than: Claim): number => (claim.era ?? 0) - (than.era ?? 0) || claim.epoch - than.epoch

/** The number of times in a row that the only witness of a failover may be late to confirm it. */
const mostLate = 10

export class MasterTracker {
  /** Ends when the first connection was opened, or could not be. */
  readonly begun = Deferred.makeUnsafe<void>()
  readonly doubt = new Doubt()
  readonly #service: string
  readonly #onEvent: (event: RedisEvent) => void
  readonly #open = new Map<RedisConnection, Role>()
  /** The replicas that have owed an answer for longer than usual. */
  readonly #asleep = new Set<string>()
  #master: Claim | undefined = undefined
  /** The master before the one that has a single witness. */
  #before: Claim | undefined = undefined
  #late = 0
  #served = false
  #changes = 0
  readonly #successions = new Listeners()
  /** Told when a replica has fallen asleep. */
  readonly #naps = new Listeners()

  constructor(service: string, onEvent: (event: RedisEvent) => void) {
    this.#service = service
    this.#onEvent = onEvent
  }

  /** The master; `undefined` before it was asked for. */
  get master(): Claim | undefined {
    return this.#master
  }

  /** The address of the master; `undefined` before it was asked for. */
  get address(): string | undefined {
    return this.#master === undefined ? undefined : formatEndpoint(this.#master.address)
  }

  /** The server that has just become the master, before the sentinels say so. */
  get chosen(): Claim | undefined {
    return this.#master === undefined || Number.isInteger(this.#master.epoch) ? undefined : this.#master
  }

  /** The number of times that another server has become the master, the first one included. */
  get changes(): number {
    return this.#changes
  }

  /** Whether there was a connection to a master at any time. */
  get served(): boolean {
    return this.#served
  }

  /** Whether there is an open connection. */
  get inUse(): boolean {
    return [...this.#open.keys()].some(({ exchange }) => !exchange.closed)
  }

  /** Tells when another server becomes the master. */
  readonly news: News = {
    count: () => this.#changes,
    after: (changes) => this.#successions.until(() => this.#changes !== changes)
  }

  /**
   * Keeps track of a connection until the scope closes. `since` are the `changes` that were known when it was right: after
   * others it is looked at again, as they have closed only the connections that were tracked by then.
   */
  add(connection: RedisConnection, role: Role, since: number): Effect.Effect<void, never, Scope.Scope> {
    return Effect.andThen(
      Effect.addFinalizer(() => Effect.sync(() => this.#open.delete(connection))),
      Effect.sync(() => {
        this.#open.set(connection, role)
        // It has told its role a moment ago.
        this.#asleep.delete(connection.address)
        this.#served ||= role === "master"
        if (since !== this.#changes) this.#closeUnlessRight(connection, role, demoted)
      })
    )
  }

  /**
   * Takes note of an outcome on a connection. Returns the error with which the connection is to end, if
   * it is.
   */
  observe(seen: Observation, role: Role, address: string): ReturnType<typeof verdict>["loss"] {
    const { learn, loss } = verdict(seen, role, address)
    if (learn === "doubt") this.doubt.raise()
    if (learn === "another") this.doubt.expectAnother()
    if (learn === "trust" && address === this.address && this.#master?.witness === undefined) this.doubt.settle()
    if (learn === "awake") this.#asleep.delete(address)
    if (learn === "asleep") {
      this.#asleep.add(address)
      this.#naps.tell()
    }
    return loss
  }

  /** Tells that a sentinel cannot be listened to, which no command fails for: failovers are noticed later then. */
  refused(address: string, error: CommandError, retryAfter: Duration.Duration): void {
    this.#onEvent({ _tag: "ConnectFailed", address, error, retryAfter })
  }

  /** Suspends until a replica is asleep to which there is a connection. */
  readonly replicaAsleep: Effect.Effect<void> = this.#naps.until(() => this.#sleepers().length > 0)

  #sleepers(): ReadonlyArray<RedisConnection> {
    return [...this.#open].flatMap(([connection, role]) =>
      role === "replica" && !connection.exchange.closed && this.#asleep.has(connection.address) ? [connection] : []
    )
  }

  /** Takes note of the replicas that are up, and closes connections to others that are asleep. */
  leaveSleepers(up: ReadonlyArray<NodeAddress>): void {
    const names = new Set(up.map(formatEndpoint))
    for (const connection of this.#sleepers()) {
      if (!names.has(connection.address)) connection.close(down(connection.address))
    }
  }

  /** Whether there was a failover since the one that a claim is from. */
  isBehind(claim: Claim): boolean {
    const known = this.#master
    return known !== undefined && order(claim, known) < 0 && formatEndpoint(claim.address) !== this.address
  }

  /**
   * Whether another server than that of a claim has become the master since, by a failover after that of the claim, or by another
   * change than the `changes` known when the claim was made.
   */
  isPast(claim: Claim, changes: number): boolean {
    const known = this.#master
    if (known === undefined || formatEndpoint(claim.address) === this.address) return false
    // The server that was chosen may have been given up since.
    const mayBePast = order(claim, known) === 0 || !Number.isInteger(claim.epoch)
    return this.isBehind(claim) || mayBePast && changes !== this.#changes
  }

  /** Suspends until a claim is past. */
  overtaking(claim: Claim, changes: number): Effect.Effect<void> {
    return this.#successions.until(() => this.isPast(claim, changes))
  }

  /**
   * Takes note of the master, and closes connections to servers that are not what they were opened for. Returns `false` when
   * there was a failover since, or another change than the `changes` known then.
   */
  becomes(claim: Claim, changes: number = this.#changes): boolean {
    const previous = this.address
    const address = formatEndpoint(claim.address)
    const known = this.#master
    if (this.isPast(claim, changes)) return false
    if (previous === address) {
      const later = known === undefined ? 1 : order(claim, known)
      const isBacked = known?.witness !== undefined && claim.witness === undefined && later === 0
      if (later > 0 || isBacked) this.#believe(claim)
      return true
    }
    this.#become(claim, demoted)
    return true
  }

  /** Makes another server the master. Connections to others end with what `loss` returns. */
  #become(claim: Claim, loss: (address: string) => CommandError): void {
    const previous = this.address
    const address = formatEndpoint(claim.address)
    this.#changes++
    this.#believe(claim)
    if (previous !== undefined) {
      this.#onEvent({ _tag: "MasterChanged", service: this.#service, address, previous })
    }
    for (const [connection, role] of this.#open) this.#closeUnlessRight(connection, role, loss)
    this.#successions.tell()
  }

  /** Closes a connection to a server that is not what it was opened for. */
  #closeUnlessRight(connection: RedisConnection, role: Role, loss: (address: string) => CommandError): void {
    const { address } = connection
    const isMaster = address === this.address
    if (role === "master" && !isMaster) connection.close(loss(address))
    if (role === "replica" && isMaster) connection.close(promoted(address))
  }

  #believe(claim: Claim): void {
    // A master that one sentinel alone names is checked again until others name it, or that sentinel no longer does.
    if (claim.witness === undefined) this.#before = undefined
    else if (this.#master?.witness === undefined) this.#before = this.#master
    this.#master = claim
    this.#late = 0
    if (claim.witness === undefined) this.doubt.settle()
    else this.doubt.raise()
  }

  /** Takes note of whether the master that has a single witness still stands. */
  attest(standing: Standing): void {
    const before = this.#before
    this.#late = standing === "late" ? this.#late + 1 : 0
    const falls = standing === "falls" || this.#late >= mostLate
    if (before === undefined || !falls) return
    this.#become(before, orphaned)
    this.doubt.raise()
  }

  /** Takes note that a server that was chosen cannot be reached: the word of the sentinels counts again. */
  disbelieve(address: string): void {
    const { chosen } = this
    if (chosen === undefined || address !== this.address) return
    this.#believe({ ...chosen, epoch: Math.floor(chosen.epoch), witness: undefined })
  }
}

const orphaned = (address: string) =>
  connectionLoss("Demoted", "The failover that made the server the master came to nothing", address)

const down = (address: string) =>
  connectionLoss("HealthCheck", "The server owes an answer, and the sentinels do not say that it is up", address)

const promoted = (address: string) => connectionLoss("Closed", "The replica has become the master", address)
