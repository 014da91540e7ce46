/**
 * A connection that one user has for itself, to the server of the first key
 * that it uses: nothing else says which server it wants.
 *
 * @internal
 */
import type { Service } from "@redfx/core/RedisClient"
import * as RedisCommand from "@redfx/core/RedisCommand"
import { atIndex, ClusterUnsupportedError, connectionLoss, CrossSlotError } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import { RequestQueue } from "@redfx/core/RedisRouter"
import type { Held, Redirector, RedisRouter, Request } from "@redfx/core/RedisRouter"
import type { ErrorReply } from "@redfx/core/Resp"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Node } from "./nodes.ts"
import { fail } from "./parking.ts"
import { routingKey } from "./plan.ts"
import type { Redirects } from "./redirects.ts"
import { slotOf } from "./slot.ts"
import type { State } from "./state.ts"
import { endpointOf } from "./topology.ts"
import { exhausted, maxTries, notCovered, pauseAfterRedirect, redirectPause, typed } from "./tries.ts"

/** `slots`: those that it is used for. Whether they are still there its server says itself: others may know more by now. */
interface Bound {
  readonly node: Node
  readonly slots: Set<number>
  readonly router: RedisRouter
  readonly scope: Scope.Closeable
}

class Reservation implements Redirector {
  readonly #state: State
  readonly #redirects: Redirects
  readonly #context: Context.Context<Scope.Scope>
  readonly #binding = Semaphore.makeUnsafe(1)
  readonly #waiting = new RequestQueue()
  #bound: Bound | undefined = undefined
  /** What was sent first. As long as nothing else was, the connection may still become one to another server. */
  #first: Request | undefined = undefined
  #fixed = false
  #returned = false

  constructor(state: State, redirects: Redirects, context: Context.Context<Scope.Scope>) {
    this.#state = state
    this.#redirects = redirects
    this.#context = context
  }

  /** Fails who waits, now and from now on. */
  giveBack(): void {
    this.#returned = true
    for (const waiting of this.#waiting.takeAll()) waiting.fail(tooLate)
  }

  submit(request: Request): void {
    if (this.#returned) return request.fail(tooLate)
    if (this.#bound !== undefined) return this.#send(this.#bound, request)
    this.#waiting.push(request)
    if (this.#waiting.length > 1) return
    this.#fork(this.#flush)
  }

  /** Follows the slot with a connection on which nothing was run yet. */
  onRefusal(request: Request, error: ErrorReply, address: string): boolean {
    if (this.#fixed || this.#returned || !/^(MOVED|ASK|TRYAGAIN)$/.test(error.code)) return false
    const moved = error.code === "MOVED"
    if (moved && this.#state.follow(error.line, endpointOf(address)) === undefined) return false
    request.renew(false, false)
    if (request.redirects >= maxTries) {
      fail(request, exhausted(request.leading, error.line, request.delivery))
      return true
    }
    this.held.refused()
    const left = this.#bound === undefined ? Effect.void : Scope.close(this.#bound.scope, Exit.void)
    this.#bound = undefined
    this.#waiting.push(request)
    // Where a slot is on its way, each command would need an ASKING of its own: wait until it has arrived.
    const pause = moved ? pauseAfterRedirect(request.redirects) : redirectPause
    this.#fork(Effect.andThen(left, pause === 0 ? this.#flush : Effect.andThen(Effect.sleep(pause), this.#flush)))
    return true
  }

  onLoss(): boolean {
    return false
  }

  readonly #flush: Effect.Effect<void> = Effect.suspend(() => {
    const { first } = this.#waiting
    return first === undefined ? Effect.void : Effect.matchCause(this.#bind(first.leading), {
      onFailure: (cause) => {
        const error = cause.reasons.find(Cause.isFailReason)?.error ??
          connectionLoss("Other", "The client failed to reserve a connection", undefined, cause)
        for (const waiting of this.#waiting.takeAll()) waiting.fail(error)
      },
      onSuccess: (bound) => {
        for (const waiting of this.#waiting.takeAll()) this.#send(bound, waiting)
      }
    })
  })

  #fork(effect: Effect.Effect<void>): void {
    const scope = Context.get(this.#context, Scope.Scope)
    Effect.runForkWith(this.#context)(Effect.forkIn(effect, scope, { startImmediately: true }))
  }

  /** The router on the connection, which must be to the server of these commands. */
  routerFor(commands: ReadonlyArray<RedisCommand.Any>): Effect.Effect<RedisRouter, RedisError> {
    // There is a command: nothing else asks for a connection.
    return Effect.flatMap(this.#bind(commands[0]!), (bound) => {
      const refusal = commands.map((command) => this.#refusal(bound, command)).find((error) => error !== undefined)
      if (refusal !== undefined) return Effect.fail(refusal)
      this.#fixed = true
      return Effect.succeed(bound.router)
    })
  }

  /** The connection, as it is known before there is one as well. */
  readonly held: Held = heldBy(() => this.#bound?.router.held)

  #bind(command: RedisCommand.Any): Effect.Effect<Bound, RedisError> {
    return this.#binding.withPermit(Effect.gen({ self: this }, function*() {
      if (this.#returned) return yield* Effect.fail(tooLate)
      if (this.#bound !== undefined) return this.#bound
      yield* this.#state.known
      const node = this.#redirects.masterOf(command)
      if (node === undefined) return yield* Effect.fail(notCovered(command))
      const scope = Scope.forkUnsafe(Context.get(this.#context, Scope.Scope))
      const router = yield* Effect.onError(
        Scope.provide(node.pool.router.reserve, scope),
        () => Scope.close(scope, Exit.void)
      )
      const key = routingKey(command)
      return this.#bound = { node, router, scope, slots: new Set(key === undefined ? [] : [slotOf(key)]) }
    }))
  }

  #send(bound: Bound, request: Request): void {
    const refusal = this.#refusal(bound, request.leading)
    if (refusal !== undefined) return request.fail(refusal)
    if (this.#first === undefined) {
      this.#first = request
      request.redirector = this
    } else if (this.#first !== request) {
      this.#fixed = true
    }
    bound.router.submit(request)
  }

  /**
   * A key of another server cannot be used on this connection. One whose slot has moved since it was used is sent: the
   * answer is that the connection is of no use for it any more, and a later try gets another.
   */
  #refusal({ node, slots }: Bound, command: RedisCommand.Any): RedisError | undefined {
    const key = routingKey(command)
    if (key === undefined || slots.has(slotOf(key))) return undefined
    const refusal = refusalOn(this.#redirects, node, command)
    if (refusal === undefined) slots.add(slotOf(key))
    return refusal
  }
}

const heldBy = (bound: () => Held | undefined): Held => ({
  get watching() {
    return bound()?.watching === true
  },
  executed: () => bound()?.executed(),
  refused: () => bound()?.refused(),
  unwatch: () => bound()?.unwatch()
})

const tooLate = connectionLoss("ClientClosed", "The reserved connection was given back")

/** A key of another server cannot be used on a connection. */
const refusalOn = (redirects: Redirects, node: Node, command: RedisCommand.Any): RedisError | undefined => {
  if (routingKey(command) === undefined) return undefined
  const master = redirects.masterOf(command)
  return master === undefined || master.address === node.address
    ? undefined
    : elsewhere(command, `its key is on another server than the connection, which is to ${node.address}`)
}

/** A router on a connection that is taken when the first command says to which server, until the scope closes. */
export const reserve = (
  state: State,
  redirects: Redirects,
  rest: Pick<RedisRouter, "attributes" | "events" | "stats" | "subscribers">
): Effect.Effect<RedisRouter, never, Scope.Scope> =>
  Effect.gen(function*() {
    const context = yield* Effect.context<Scope.Scope>()
    const reservation = new Reservation(state, redirects, context)
    yield* Effect.addFinalizer(() => Effect.sync(() => reservation.giveBack()))
    const router: RedisRouter = {
      submit: (request) => reservation.submit(request),
      exclusive: (commands) => Effect.flatMap(reservation.routerFor(commands), (bound) => bound.exclusive(commands)),
      stateful: (command) => Effect.flatMap(reservation.routerFor([command]), (bound) => bound.stateful(command)),
      dependent: (command) => Effect.flatMap(reservation.routerFor([command]), (bound) => bound.dependent(command)),
      reserve: Effect.suspend(() => Effect.succeed(router)),
      held: reservation.held,
      ...rest,
      describe: "cluster, reserved"
    }
    return router
  })

/**
 * A reserved client with the errors of a cluster. The router sees only the first key of what is sent at once, and decides
 * by it whether all of that is for its server.
 *
 * - `refuses`: the error that refuses a command of whatever keys.
 */
export const guarded = (
  reserved: Service,
  redirects: Redirects,
  refuses: (command: RedisCommand.Any) => RedisError | undefined
): Service => {
  const refusalOf = (command: RedisCommand.Any) => refuses(command) ?? differentSlots(command)
  const refusalsOf = (commands: ReadonlyArray<RedisCommand.Any>) => {
    const leading = commands.find((command) => routingKey(command) !== undefined)
    const home = leading === undefined ? undefined : redirects.masterOf(leading)
    return commands.map((command) =>
      refusalOf(command) ?? (home === undefined ? undefined : refusalOn(redirects, home, command))
    )
  }
  const client: Service = {
    ...reserved,
    execute: (command) => {
      const refusal = refusalOf(command)
      return refusal === undefined
        ? Effect.mapError(reserved.execute(command), (error) => typed(error))
        : Effect.fail(refusal)
    },
    pipeline: (commands) => {
      const refusals = refusalsOf(commands)
      const sent = commands.filter((_, index) => refusals[index] === undefined)
      return Effect.map(reserved.pipeline(sent), (outcomes) => {
        let next = 0
        return refusals.map((refusal, index) =>
          Exit.mapError(
            // In range: there is one outcome for each command that was sent.
            refusal === undefined ? outcomes[next++]! : Exit.fail(refusal),
            (error) => atIndex(typed(error), index)
          )
        )
      })
    },
    transaction: (commands) => {
      const refusal = refusalsOf(commands).find((error) => error !== undefined)
      return refusal === undefined
        ? Effect.mapError(reserved.transaction(commands), (error) => typed(error))
        : Effect.fail(refusal)
    },
    withTimeout: (limit) => guarded(reserved.withTimeout(limit), redirects, refuses),
    reserve: Effect.suspend(() => Effect.succeed(client))
  }
  return client
}

const differentSlots = (command: RedisCommand.Any): CrossSlotError | undefined => {
  const [first, ...others] = RedisCommand.keys(command)
  return first === undefined || others.every((key) => slotOf(key) === slotOf(first))
    ? undefined
    : new CrossSlotError({ command: command.spec.name })
}

const elsewhere = (command: RedisCommand.Any, what: string): ClusterUnsupportedError =>
  new ClusterUnsupportedError({
    command: command.spec.name,
    detail: `${what}. A reserved connection is to the server of the first key that it is used for: ` +
      "begin with a command on a key, and give all keys a common {hash tag}"
  })
