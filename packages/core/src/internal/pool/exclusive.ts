/**
 * Connections that one user at a time has alone: for blocking commands, transactions that watch, and reserved clients.
 *
 * Invariants:
 *
 * - Open connections and dials together are never more than the limit.
 * - Each open connection is with one claim, or idle, or being cleaned; never two of these.
 * - Callers that wait are served first come first served, and the first of them have a dial each: a dial that is not needed
 *   any more, because somebody gave a connection back, goes to the next one.
 * - What a claim has is written down before its fiber hears of it. So whatever is interrupted when, ending the claim gives
 *   back what it has, or leaves the queue.
 *
 * A connection that is handed on is in the state of its handshake: see the recycler.
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { RedisConnector } from "../../RedisConnector.ts"
import type { CommandError, ConnectionError } from "../../RedisError.ts"
import type { RedisConnection } from "../connection/model.ts"
import { clientClosed, connectionLoss, timeLimit } from "../error/events.ts"
import { aside } from "../runtime/aside.ts"
import { elapsed, hasCome, LoopTime, passed, sleepUntil } from "../runtime/elapsed.ts"
import { errorOf } from "../runtime/firstError.ts"
import { fork } from "../runtime/ownContext.ts"
import { Attempts, failureText, lateCheck } from "./attempts.ts"
import type { Wait } from "./attempts.ts"
import { Claim, Member } from "./claims.ts"
import type { Dial } from "./claims.ts"
import { Opening } from "./opening.ts"
import type { Opened } from "./opening.ts"
import { givenBack, Lease } from "./recycle.ts"
import { Life } from "./redial.ts"
import type { Options } from "./redial.ts"

/** How long a connection may take to be cleaned before it is closed: a new one costs less than that. */
const cleaningLimit = "1 second"

/**
 * The facts about an open connection.
 *
 * - `unusedSince`: when it was opened, or given back.
 * - `isLeft`: whether its user has closed it.
 */
interface Facts {
  readonly scope: Scope.Closeable
  readonly life: Life
  unusedSince: number
  isLeft: boolean
}

export class ExclusivePool {
  readonly #options: Options
  readonly #context: Context.Context<RedisConnector>
  readonly #scope: Scope.Closeable
  readonly #clock: Clock.Clock
  readonly #limit: number
  readonly #min: number
  readonly #idleTimeout: number
  readonly #healthCheckInterval: number
  readonly #opening: Opening
  readonly #members = new Set<Member>()
  readonly #everybody = new Member()
  readonly #open = new Map<RedisConnection, Facts>()
  /** The idle connections, the one that was given back last at the end. */
  readonly #idle: Array<RedisConnection> = []
  /** The connections that are being handed over, the one that is its turn first. */
  readonly #offered: Array<RedisConnection> = []
  readonly #dials = new Set<Dial>()
  /** The claims that wait, in order. */
  readonly #waiting = new Set<Claim>()
  #sweeping = false
  /** The reason why no claim gets a connection any more. */
  #closed: CommandError | undefined = undefined

  constructor(options: Options, context: Context.Context<RedisConnector>, scope: Scope.Closeable, clock: Clock.Clock) {
    const { healthCheckInterval, pool } = options.settings
    this.#options = options
    this.#context = context
    this.#scope = scope
    this.#clock = clock
    this.#opening = new Opening(options, context, scope, () => this.#now())
    this.#limit = pool.max - pool.shared
    this.#min = Math.min(pool.min, this.#limit)
    this.#idleTimeout = Duration.toMillis(pool.idleTimeout)
    this.#healthCheckInterval = Duration.toMillis(healthCheckInterval)
    this.#members.add(this.#everybody)
  }

  /** The number of open connections. */
  get open(): number {
    return this.#open.size
  }

  /** The number of connections that nobody uses. */
  get idle(): number {
    return this.#idle.length
  }

  /** The number of claims that wait for a connection. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** A member until the scope closes. The end of the scope takes the member's connections away; nobody waits for it. */
  readonly join: Effect.Effect<Member, never, Scope.Scope> = Effect.acquireRelease(
    Effect.sync(() => {
      const member = new Member()
      this.#members.add(member)
      return member
    }),
    (member) =>
      Effect.sync(() => {
        this.#members.delete(member)
        this.#end(member, clientClosed(this.#options.dialer.address))
      })
  )

  /** Leases a connection until the scope closes. */
  lease(member = this.#everybody, wait?: Wait): Effect.Effect<Lease, CommandError, Scope.Scope> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.scope, (scope) =>
        Effect.suspend(() => {
          const claim = new Claim(member)
          const end = Effect.sync(() => this.#release(claim))
          if (wait !== undefined) wait.late = (limit) => this.#lateness(claim)?.(limit)
          return Effect.onExit(
            restore(Effect.provideService(this.#take(claim), Clock.Clock, this.#clock)),
            (exit) => {
              // The end of a claim takes away what it waits for.
              if (wait !== undefined) wait.late = Exit.isSuccess(exit) ? undefined : this.#lateness(claim)
              // A claim that failed holds nothing, so the scope need not end it.
              return Exit.isSuccess(exit) ? Scope.addFinalizer(scope, end) : end
            }
          )
        }))
    )
  }

  /** Closes idle connections, with `inUse` the others as well. */
  disconnect(why: () => CommandError, { inUse }: { readonly inUse: boolean }): void {
    for (const connection of inUse ? [...this.#open.keys()] : [...this.#idle]) connection.close(why())
  }

  /** Fails the callers that wait and closes everything, for good. */
  retire(reason: CommandError): void {
    this.#closed ??= reason
    for (const member of this.#members) this.#end(member, this.#closed)
    for (const connection of this.#open.keys()) connection.close(this.#closed)
  }

  #end(member: Member, reason: CommandError): void {
    member.ended = reason
    for (const claim of member.claims) {
      if (claim.connection === undefined) this.#settle(claim, Exit.fail(reason))
      else claim.connection.close(reason)
    }
  }

  // ---------------------------------------------------------------------------
  // Claims
  // ---------------------------------------------------------------------------

  /** Takes a connection for a claim. A connection that is of no use any more is replaced and not handed out. */
  #take(claim: Claim): Effect.Effect<Lease, CommandError> {
    return Effect.gen({ self: this }, function*() {
      while (true) {
        const connection = yield* this.#connectionFor(claim)
        const isUsable = yield* this.#isUsable(connection)
        const facts = this.#open.get(connection)
        if (isUsable && facts !== undefined && connection.exchange.leaving === undefined) {
          return claim.lease = new Lease(connection, () => {
            facts.isLeft = true
          })
        }
        this.#putDown(claim)
      }
    })
  }

  #connectionFor(claim: Claim): Effect.Effect<RedisConnection, CommandError> {
    const { acquireTimeout, max } = this.#options.settings.pool
    return Effect.suspend(() => {
      const atOnce = this.#atOnce(claim)
      if (atOnce !== undefined) return atOnce
      if (Duration.toMillis(acquireTimeout) === 0 && this.#claimed > this.#limit) {
        return Effect.fail(
          this.#loss("PoolExhausted", `Too many connections: the pool's limit of ${max} (pool.max) is reached`)
        )
      }
      const wait = Effect.callback<RedisConnection, CommandError>((resume) => {
        // The fiber may have rested since, and nobody could be told that the claim was ended, or be given what came back.
        const atOnce = this.#atOnce(claim)
        if (atOnce !== undefined) return resume(atOnce)
        claim.settle = resume
        claim.since = this.#now()
        this.#waiting.add(claim)
        this.#dial()
      })
      return Duration.isFinite(acquireTimeout) && Duration.toMillis(acquireTimeout) > 0
        ? Effect.raceFirst(wait, this.#waitedTooLong(claim))
        : wait
    })
  }

  /** What a claim need not wait for: a connection that nobody uses, or the reason why it gets none any more. */
  #atOnce(claim: Claim): Effect.Effect<RedisConnection, CommandError> | undefined {
    const refusal = this.#closed ?? claim.member.ended
    if (refusal !== undefined) return Effect.fail(refusal)
    claim.member.claims.add(claim)
    const idle = this.#idle.pop()
    return idle === undefined ? undefined : Effect.succeed(claim.connection = idle)
  }

  /** The number of claims that have a connection or want one. */
  get #claimed(): number {
    let count = 0
    for (const { claims } of this.#members) {
      for (const claim of claims) if (claim.connection?.exchange.closed !== true) count++
    }
    return count
  }

  /** Fails after the time to wait for a free connection. The dial that follows has a limit of its own. */
  #waitedTooLong(claim: Claim): Effect.Effect<never, CommandError> {
    const { acquireTimeout, max } = this.#options.settings.pool
    return Effect.flatMap(passed(new LoopTime(this.#clock), Duration.toMillis(acquireTimeout)), () => {
      if (claim.dial !== undefined) return Effect.never
      const waited = Duration.format(acquireTimeout)
      return Effect.fail(
        this.#loss(
          "PoolTimeout",
          `No connection available: the pool's limit of ${max} (pool.max) was reached for ${waited}`
        )
      )
    })
  }

  /** What a claim waits for at the moment, for the error of one whose time has passed. */
  #lateness(claim: Claim): Wait["late"] {
    const { connection, dial } = claim
    if (dial !== undefined) return (limit) => dial.attempts.late(limit)
    if (connection !== undefined) return (limit) => lateCheck(limit, connection.address)
    // It was not among those that wait when it failed by itself.
    if (!this.#waiting.has(claim)) return undefined
    const detail = this.#shortage(this.#now() - claim.since)
    return (limit) => timeLimit("write", limit, this.#options.dialer.address, detail)
  }

  /** Why a claim that waits has no connection and no dial. */
  #shortage(waited: number): string {
    const { max, shared } = this.#options.settings.pool
    const opened = this.#dials.size === 0 ? "" : ` or being opened (${this.#dials.size})`
    const { failure } = this.#opening
    const failed = failure === undefined ? "" : `; the last attempt to open one failed: ${failureText(failure)}`
    return `all ${this.#limit} connections that callers have alone were in use${opened}, and none became free in ` +
      `${
        Math.round(waited)
      } ms${failed}; use them for a shorter time, or raise pool.max (${max}, with ${shared} shared)`
  }

  #settle(claim: Claim, exit: Exit.Exit<RedisConnection, CommandError>): void {
    const { settle } = claim
    claim.settle = undefined
    this.#waiting.delete(claim)
    this.#passOn(claim)
    if (settle !== undefined) aside(() => settle(exit))
  }

  /** Ends a claim in whatever state it is. */
  #release(claim: Claim): void {
    claim.settle = undefined
    this.#waiting.delete(claim)
    this.#passOn(claim)
    this.#putDown(claim)
    claim.member.claims.delete(claim)
  }

  /** Gives the dial of a claim to a caller that waits without one. */
  #passOn(claim: Claim): void {
    const { dial } = claim
    if (dial === undefined) return
    claim.dial = undefined
    this.#assign(dial)
  }

  #assign(dial: Dial): void {
    dial.isOwn = false
    dial.claim = this.#firstWithoutDial
    if (dial.claim !== undefined) dial.claim.dial = dial
  }

  get #firstWithoutDial(): Claim | undefined {
    for (const claim of this.#waiting) if (claim.dial === undefined) return claim
    return undefined
  }

  /** Takes the connection from a claim, and cleans it of everything that the claim left on it. */
  #putDown(claim: Claim): void {
    const { connection, lease } = claim
    claim.connection = undefined
    claim.lease = undefined
    if (connection === undefined) return
    // A claim without a lease may have ended while its connection was checked; then a reply is still to come.
    const verdict = lease?.giveBack() ?? (connection.exchange.idle ? "Clean" : "Spoilt")
    if (verdict === "Spoilt" || this.#idleTimeout === 0 || claim.member.ended !== undefined) {
      return close(connection)
    }
    if (verdict === "Clean" || lease === undefined) return this.#takeBack(connection)
    const cleaned = Effect.timeoutOrElse(lease.undone, {
      duration: cleaningLimit,
      orElse: () => Effect.succeed(false)
    })
    this.#fork(Effect.map(cleaned, (clean) => clean ? this.#takeBack(connection) : close(connection)))
  }

  /** Closes a clean connection where others wait for its room; callers that wait here get one later. */
  #takeBack(connection: RedisConnection): void {
    const life = this.#open.get(connection)?.life
    if (life !== undefined && this.#options.isWanted?.(life.age) === true) close(connection)
    else this.#offer(connection)
  }

  /** Whether a connection is still of use after it was idle. */
  #isUsable(connection: RedisConnection): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const facts = this.#open.get(connection)
      if (facts === undefined) return Effect.succeed(false)
      if (this.#now() - facts.unusedSince < this.#healthCheckInterval) return Effect.succeed(true)
      return Effect.match(connection.probe, {
        onFailure: (error) => {
          connection.close(error)
          return false
        },
        onSuccess: () => true
      })
    })
  }

  // ---------------------------------------------------------------------------
  // Connections
  // ---------------------------------------------------------------------------

  /**
   * Gives a clean connection to a caller that waits, or puts it among the idle ones. A caller may have given it back before this
   * ends, and the next one as well: they get it in a loop, as thousands would not fit on the stack.
   */
  #offer(connection: RedisConnection): void {
    if (this.#waiting.size === 0) return this.#hand(connection)
    this.#offered.push(connection)
    if (this.#offered.length > 1) return
    for (let next = this.#offered[0]; next !== undefined; next = this.#offered[0]) {
      this.#hand(next)
      this.#offered.shift()
    }
  }

  #hand(connection: RedisConnection): void {
    const facts = this.#open.get(connection)
    // The connection was lost meanwhile.
    if (facts === undefined) return
    if (this.#closed !== undefined) return connection.close(this.#closed)
    facts.unusedSince = this.#now()
    const first = this.#waiting.values().next().value
    if (first !== undefined) return this.#settle(first, Exit.succeed(first.connection = connection))
    this.#idle.push(connection)
    this.#sweep()
  }

  /** Begins the dials that are wanted and that the limit admits. */
  #dial(): void {
    const room = () => this.#closed === undefined && this.#open.size + this.#dials.size < this.#limit
    for (const dial of this.#dials) if (dial.claim === undefined) this.#assign(dial)
    for (let claim = this.#firstWithoutDial; claim !== undefined && room(); claim = this.#firstWithoutDial) {
      this.#begin(claim)
    }
    while (this.#open.size + this.#dials.size < this.#min && room()) this.#begin(undefined)
  }

  #begin(claim: Claim | undefined): void {
    const attempts = new Attempts(this.#options.dialer.address, () => this.#now())
    if (this.#opening.failure !== undefined) attempts.fail(this.#opening.failure)
    const dial: Dial = { claim, isOwn: true, attempts }
    if (claim !== undefined) claim.dial = dial
    this.#dials.add(dial)
    const opened = this.#opening.open(attempts, (connection, failure) => this.#onLost(connection, failure))
    this.#fork(Effect.onExit(opened, (exit) => Effect.sync(() => this.#onDialled(dial, exit))))
  }

  #onDialled(dial: Dial, exit: Exit.Exit<Opened, CommandError>): void {
    const { claim } = dial
    this.#dials.delete(dial)
    if (claim !== undefined) claim.dial = undefined
    if (Exit.isSuccess(exit)) {
      const { connection, lost, scope } = exit.value
      const { address, protocol } = connection
      this.#open.set(connection, {
        scope,
        life: new Life(connection, this.#clock),
        unusedSince: this.#now(),
        isLeft: false
      })
      this.#options.onEvent({ _tag: "Connected", address, protocol })
      const failure = lost()
      if (failure === undefined) this.#offer(connection)
      else this.#onLost(connection, failure)
    } else if (claim !== undefined && dial.isOwn) {
      // Only the claim for which the dial was begun learns of its failure; the others get a dial of their own now.
      const error = errorOf(exit.cause)
      this.#settle(claim, Exit.fail(error ?? this.#loss("Other", "The client failed to open the connection")))
    }
    if (this.#waiting.size > 0) this.#dial()
  }

  #onLost(connection: RedisConnection, failure: CommandError): void {
    const facts = this.#open.get(connection)
    if (facts === undefined) return
    this.#open.delete(connection)
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    const isOwnDoing = failure._tag === "ConnectionError" && failure.reason === "ClientClosed"
    const error = isOwnDoing ? undefined : failure
    this.#options.onEvent({ _tag: "Disconnected", address: connection.address, error })
    if (facts.life.answers > 0 || facts.life.hasLasted) this.#opening.succeed()
    // A server that ends connections before it has answered anything is not dialled again without a pause.
    else if (!isOwnDoing && !facts.isLeft) this.#opening.postpone(failure)
    this.#fork(Effect.uninterruptible(Scope.close(facts.scope, Exit.void)))
    this.#dial()
  }

  /** Closes connections that have been idle for too long, as long as there are any that may be closed. */
  #sweep(): void {
    const oldest = () => this.#open.size > this.#min ? this.#idle[0] : undefined
    if (this.#sweeping || this.#idleTimeout === Infinity || oldest() === undefined) return
    this.#sweeping = true
    this.#fork(Effect.gen({ self: this }, function*() {
      for (let connection = oldest(); connection !== undefined; connection = oldest()) {
        // A lost connection is not idle, so this one is open.
        const at = this.#open.get(connection)!.unusedSince + this.#idleTimeout
        if (!hasCome(this.#clock, at)) yield* sleepUntil(this.#clock, at)
        else connection.close(this.#loss("ClientClosed", "The connection was idle"))
      }
      this.#sweeping = false
    }))
  }

  #fork(effect: Effect.Effect<void, unknown, RedisConnector>): void {
    fork(this.#context)(
      Effect.forkIn(Effect.ignore(effect), this.#scope, { startImmediately: true })
    )
  }

  #now(): number {
    return elapsed(this.#clock)
  }

  #loss(reason: ConnectionError["reason"], detail: string): CommandError {
    return connectionLoss(reason, detail, this.#options.dialer.address)
  }
}

/** Closes a connection that was given back. */
const close = (connection: RedisConnection): void => connection.close(givenBack(connection.address))

/** Makes a pool that lives as long as the scope. It opens nothing before it is asked to. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<ExclusivePool, never, RedisConnector | Scope.Scope> {
  const context = yield* Effect.context<RedisConnector>()
  const clock = yield* Clock.Clock
  const scope = yield* Scope.fork(yield* Effect.scope)
  const pool = new ExclusivePool(options, context, scope, clock)
  // The users of the connections learn the reason before the connections are closed.
  yield* Effect.addFinalizer(() => Effect.sync(() => pool.retire(clientClosed(options.dialer.address))))
  return pool
})
