/**
 * A connection that one user has alone, to the server of the first key that is used on it: nothing else says which
 * server the user wants.
 */
import { decorated } from "@redfx/core/RedisClient"
import type { RedisClient } from "@redfx/core/RedisClient"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterUnsupportedError, ConnectionError, connectionLoss } from "@redfx/core/RedisError"
import type { CommandError, TransactionError } from "@redfx/core/RedisError"
import { weave } from "@redfx/core/unstable/Request"
import type { Request, RequestQueue } from "@redfx/core/unstable/Request"
import type { Held, RedisRouter, Wait } from "@redfx/core/unstable/Router"
import { acquireIn, errorOf, fork } from "@redfx/core/unstable/Runtime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { typed } from "../topology/clusterErrors.ts"
import type { Node } from "../topology/nodes.ts"
import { slotOf } from "../topology/slot.ts"
import { notCovered } from "./finalErrors.ts"
import { JudgedRequests } from "./judgedRequests.ts"
import type { Again } from "./judgedRequests.ts"
import { refusalOfSeveralSlots, routingKey, slotIn } from "./plan.ts"
import type { Redirects } from "./redirects.ts"
import { failed } from "./refusals.ts"
import { judged } from "./retrying.ts"
import type { Retrying } from "./retrying.ts"
import type { State } from "./state.ts"
import { unspent } from "./verdictModel.ts"
import type { Spent } from "./verdictModel.ts"
import { fail, WaitingQueue } from "./waitingRequests.ts"

/** - `served`: the slots that the server had when the connection was taken. */
interface Bound {
  readonly node: Node
  readonly served: (slot: number) => boolean
  readonly router: RedisRouter
  readonly scope: Scope.Closeable
}

class Reservation extends JudgedRequests {
  readonly #redirects: Redirects
  readonly #context: Context.Context<Scope.Scope>
  readonly #binding = Semaphore.makeUnsafe(1)
  /** The wait for the connection. */
  readonly wait: Wait = { late: undefined }
  readonly #waiting: RequestQueue = new WaitingQueue(() => this.#spent.last, this.wait)
  #bound: Bound | undefined = undefined
  /** The command that was sent first. While it is the only one, a connection to another server may replace this one. */
  #first: Request | undefined = undefined
  #fixed = false
  #returned = false
  #spent: Spent = unspent

  constructor(state: State, redirects: Redirects, context: Context.Context<Scope.Scope>) {
    super(state, "reserved")
    this.#redirects = redirects
    this.#context = context
  }

  /** Fails the callers that wait, now and from now on. */
  giveBack(): void {
    this.#returned = true
    for (const waiting of this.#waiting.takeAll()) waiting.fail(tooLate)
  }

  submit(request: Request): void {
    if (this.#returned) return request.fail(tooLate)
    // Requests that wait go first, also while the fiber that is about to send them rests.
    if (this.#bound !== undefined && this.#waiting.length === 0) return this.#send(this.#bound, request)
    this.#waiting.push(request)
    if (this.#waiting.length > 1) return
    this.#fork(this.#flush)
  }

  /** It follows the slot to another server, as long as nothing was run on this connection. */
  protected override spentBy(): Spent | undefined {
    return this.#fixed || this.#returned ? undefined : this.#spent
  }

  protected override sentTo(): string | undefined {
    return this.#bound?.node.address
  }

  protected override again(request: Request, { after, ran, spent }: Again): void {
    this.#spent = spent
    request.renew({ asking: false, mayHaveRun: ran })
    this.held.refused()
    const left = this.#unbind()
    this.#first = undefined
    this.#waiting.push(request)
    this.#fork(Effect.andThen(
      left,
      Effect.matchEffect(this.state.wait(after), {
        onFailure: (error) => Effect.sync(() => this.#failAll(error)),
        onSuccess: () => this.#flush
      })
    ))
  }

  #failAll(error: CommandError): void {
    for (const waiting of this.#waiting.takeAll()) fail(waiting, error)
  }

  /** Sends what waits, to the server of the first command: when its caller has gone meanwhile, to that of the next one. */
  readonly #flush: Effect.Effect<void> = Effect.suspend(() => {
    const { first } = this.#waiting
    return first === undefined ? Effect.void : Effect.matchCauseEffect(this.#bind(first.leading), {
      onFailure: (cause) => {
        if (this.#waiting.first !== first) return this.#flush
        const error = errorOf(cause) ??
          connectionLoss("Other", "The client failed to reserve a connection", undefined, cause)
        return Effect.sync(() => this.#failAll(error))
      },
      onSuccess: (bound) => {
        // It may have been left while the fiber rested.
        if (bound !== this.#bound) return this.#flush
        if (this.#first === undefined && !this.#fixed && this.#waiting.first !== first) {
          return Effect.andThen(this.#unbind(), this.#flush)
        }
        return Effect.sync(() => {
          for (const waiting of this.#waiting.takeAll()) this.#send(bound, waiting)
        })
      }
    })
  })

  /** Leaves the connection at once, and gives it back. */
  #unbind(): Effect.Effect<void> {
    const bound = this.#bound
    this.#bound = undefined
    return bound === undefined ? Effect.void : Scope.close(bound.scope, Exit.void)
  }

  #fork(effect: Effect.Effect<void>): void {
    const scope = Context.get(this.#context, Scope.Scope)
    fork(this.#context)(Effect.forkIn(effect, scope, { startImmediately: true }))
  }

  /** The router on the connection, which must lead to the server of these commands. */
  routerFor(commands: ReadonlyArray<RedisCommand.Any>): Effect.Effect<RedisRouter, CommandError> {
    // A connection is only asked for with a command, so there is a first one.
    return Effect.flatMap(this.#bind(commands[0]!), (bound) => {
      // It may have been left while the fiber rested.
      if (bound !== this.#bound) return this.routerFor(commands)
      const refusal = commands.map((command) => this.#refusal(bound, command)).find((error) => error !== undefined)
      if (refusal !== undefined) return Effect.fail(refusal)
      this.#fixed = true
      return Effect.succeed(bound.router)
    })
  }

  /** The connection, which is known even before it is open. */
  readonly held: Held = heldBy(() => this.#bound?.router.held)

  /**
   * Takes a connection to the server of a command's slot, wherever that is. Nothing is run before there is one. It is known as soon as
   * it is taken: the caller may go away, and the next one uses it.
   */
  #bind(command: RedisCommand.Any): Effect.Effect<Bound, CommandError> {
    return this.#binding.withPermit(Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        if (this.#bound === undefined) yield* restore(this.state.known)
        while (this.#bound === undefined) {
          if (this.#returned) return yield* Effect.fail(tooLate)
          const node = this.#redirects.masterOf(command)
          const avoided = node?.health.downWith
          const opened = yield* Effect.result(
            node === undefined
              ? Effect.fail(notCovered(command))
              : avoided !== undefined
              ? Effect.fail(avoided)
              : this.#open(node, command, restore(node.pool.router.reserve(this.wait)))
          )
          if (Result.isSuccess(opened)) {
            const bound = opened.success
            if ((this.#redirects.masterOf(command) ?? bound.node).address === bound.node.address) {
              return this.#bound = bound
            }
            // The slot has moved meanwhile, so this is not its server.
            yield* Scope.close(bound.scope, Exit.void)
            continue
          }
          const { next, spent } = judged({ state: this.state }, { way: "reserved", command }, {
            error: opened.failure,
            isAvoided: avoided !== undefined,
            node,
            spent: this.#spent
          })
          if (next._tag === "Settle") return yield* Effect.fail(next.error ?? opened.failure)
          this.#spent = spent
          yield* restore(this.state.wait(next.after))
        }
        return this.#bound
      })
    ))
  }

  #open(
    node: Node,
    command: RedisCommand.Any,
    taken: ReturnType<RedisRouter["reserve"]>
  ): Effect.Effect<Bound, CommandError> {
    return Effect.suspend(() => {
      const scope = Scope.forkUnsafe(Context.get(this.#context, Scope.Scope))
      const { topology } = this.state
      const slot = slotIn(command)
      return Effect.map(acquireIn(scope)(taken), (router): Bound => ({
        node,
        served: (other) => other === slot || topology?.owners[other]?.master === node.address,
        router,
        scope
      }))
    })
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

  /** The error of a command whose key another server has, so that it cannot be used on this connection. */
  #refusal({ node, served }: Bound, command: RedisCommand.Any): CommandError | undefined {
    return refusalOn(this.#redirects, node, command, served)
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

/**
 * The error of a key that another server has. When the server of the connection once had the slot, as `served` says,
 * the slot has moved, and the program has made no mistake.
 */
const refusalOn = (
  redirects: Redirects,
  node: Node,
  command: RedisCommand.Any,
  served: (slot: number) => boolean
): CommandError | undefined => {
  const key = routingKey(command)
  const master = key === undefined ? undefined : redirects.masterOf(command)
  if (key === undefined || master === undefined || master.address === node.address) return undefined
  const slot = slotOf(key)
  return served(slot)
    ? new ConnectionError({
      reason: "Demoted",
      detail: `Slot ${slot} has moved to ${master.address}`,
      address: node.address,
      command: command.spec.name,
      delivery: "not-sent",
      readonly: command.spec.readonly
    })
    : elsewhere(command, `its key is on another server than the connection, which is to ${node.address}`)
}

/**
 * A router on a connection, until the scope closes. The connection is taken when the first command says to which
 * server.
 */
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
      exclusive: (commands, wait) => {
        if (wait !== undefined) wait.late = (limit) => reservation.wait.late?.(limit)
        return Effect.flatMap(reservation.routerFor(commands), (bound) => bound.exclusive(commands))
      },
      stateful: (command) => Effect.flatMap(reservation.routerFor([command]), (bound) => bound.stateful(command)),
      dependent: (command) => Effect.flatMap(reservation.routerFor([command]), (bound) => bound.dependent(command)),
      reserve: () => Effect.succeed(router),
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
 * - `everywhere`: runs a command on the servers of the cluster that it is for.
 */
export const guarded = (
  reserved: RedisClient["Service"],
  retrying: Retrying,
  everywhere: RedisClient["Service"]["execute"]
): RedisClient["Service"] => {
  const { redirects } = retrying
  // Whether there was a command that says which server is wanted.
  let begun = false
  const refusalOf = (command: RedisCommand.Any) => retrying.refusesWrite(command) ?? refusalOfSeveralSlots(command)
  const refusalsOf = (commands: ReadonlyArray<RedisCommand.Any>) => {
    const leading = commands.find((command) => routingKey(command) !== undefined)
    const home = leading === undefined ? undefined : redirects.masterOf(leading)
    return commands.map((command) =>
      refusalOf(command) ?? (home === undefined ? undefined : refusalOn(redirects, home, command, never))
    )
  }
  const learned = <E extends TransactionError>(command: RedisCommand.Any, error: E): E | CommandError => {
    const { next } = judged(retrying, { way: "held", command }, { error, node: undefined, spent: unspent })
    return next._tag === "Settle" ? next.error ?? typed(error) : typed(error)
  }
  return decorated(reserved, (reserved) => ({
    execute: (command) =>
      Effect.suspend(() => {
        // Loading a library does not say which server is wanted.
        if (!begun && command.spec.capitals.startsWith("FUNCTION")) return everywhere(command)
        begun = true
        const refusal = refusalOf(command)
        return refusal === undefined
          ? Effect.mapError(reserved.execute(command), (error) => learned(command, error))
          : Effect.fail(refusal)
      }),
    pipeline: (commands) =>
      Effect.suspend(() => {
        begun = true
        const refusals = refusalsOf(commands)
        return weave(commands, (_, index) =>
          failed(refusals[index]), (sent) =>
          Effect.map(reserved.pipeline(sent), (outcomes) =>
            // There is one outcome for each command that was sent, so the index is in range.
            outcomes.map((outcome, index) =>
              Exit.mapError(outcome, (error) => learned(sent[index]!, error))
            )))
      }),
    transaction: (commands) =>
      Effect.suspend(() => {
        begun = true
        const refusal = refusalsOf(commands).find((error) => error !== undefined)
        const [leading] = commands
        // Where keys are watched, a conflict is reported even without commands.
        return refusal === undefined
          ? Effect.mapError(
            reserved.transaction(commands),
            (error) => leading === undefined ? typed(error) : learned(leading, error)
          )
          : Effect.fail(refusal)
      })
  }))
}

const never = (): boolean => false

const elsewhere = (command: RedisCommand.Any, what: string): ClusterUnsupportedError =>
  new ClusterUnsupportedError({
    command: command.spec.name,
    detail: `${what}. A reserved connection is to the server of the first key that it is used for: ` +
      "begin with a command on a key, and give all keys a common {hash tag}"
  })
