/**
 * A connection that one user has for itself, to the server of the first key
 * that it uses: nothing else says which server it wants.
 *
 * @internal
 */
import type { Service } from "@redfx/core/RedisClient"
import * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterUnsupportedError, CrossSlotError } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import { RequestQueue } from "@redfx/core/RedisRouter"
import type { RedisRouter, Request } from "@redfx/core/RedisRouter"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Node } from "./nodes.ts"
import { routingKey } from "./plan.ts"
import type { Redirects } from "./redirects.ts"
import { slotOf } from "./slot.ts"
import type { State } from "./state.ts"
import { notCovered, typed } from "./tries.ts"

interface Bound {
  readonly node: Node
  readonly router: RedisRouter
}

class Reservation {
  readonly #state: State
  readonly #redirects: Redirects
  readonly #context: Context.Context<Scope.Scope>
  readonly #binding = Semaphore.makeUnsafe(1)
  readonly #waiting = new RequestQueue()
  #bound: Bound | undefined = undefined

  constructor(state: State, redirects: Redirects, context: Context.Context<Scope.Scope>) {
    this.#state = state
    this.#redirects = redirects
    this.#context = context
  }

  submit(request: Request): void {
    if (this.#bound !== undefined) return this.#send(this.#bound, request)
    this.#waiting.push(request)
    if (this.#waiting.length > 1) return
    const flush = Effect.match(this.#bind(request.leading), {
      onFailure: (error) => {
        for (const waiting of this.#waiting.takeAll()) waiting.fail(error)
      },
      onSuccess: (bound) => {
        for (const waiting of this.#waiting.takeAll()) this.#send(bound, waiting)
      }
    })
    const scope = Context.get(this.#context, Scope.Scope)
    Effect.runForkWith(this.#context)(Effect.forkIn(flush, scope, { startImmediately: true }))
  }

  /** The router on the connection, which must be to the server of these commands. */
  routerFor(commands: ReadonlyArray<RedisCommand.Any>): Effect.Effect<RedisRouter, RedisError> {
    // There is a command: nothing else asks for a connection.
    return Effect.flatMap(this.#bind(commands[0]!), (bound) => {
      const refusal = commands.map((command) => this.#refusal(bound, command)).find((error) => error !== undefined)
      return refusal === undefined ? Effect.succeed(bound.router) : Effect.fail(refusal)
    })
  }

  #bind(command: RedisCommand.Any): Effect.Effect<Bound, RedisError> {
    return this.#binding.withPermit(Effect.gen({ self: this }, function*() {
      if (this.#bound !== undefined) return this.#bound
      yield* this.#state.known
      const node = this.#redirects.masterOf(command)
      if (node === undefined) return yield* Effect.fail(notCovered(command))
      const router = yield* Effect.provideContext(node.pool.router.reserve, this.#context)
      return this.#bound = { node, router }
    }))
  }

  #send(bound: Bound, request: Request): void {
    const refusal = this.#refusal(bound, request.leading)
    if (refusal === undefined) bound.router.submit(request)
    else request.fail(refusal)
  }

  /** A key of another server cannot be used on this connection. */
  #refusal({ node }: Bound, command: RedisCommand.Any): RedisError | undefined {
    return refusalOn(this.#redirects, node, command)
  }
}

/** A key of another server cannot be used on a connection. */
const refusalOn = (redirects: Redirects, node: Node, command: RedisCommand.Any): RedisError | undefined => {
  if (routingKey(command) === undefined) return undefined
  const master = redirects.masterOf(command)
  return master === node || master === undefined
    ? undefined
    : elsewhere(command, `its key is on another server than the connection, which is to ${node.address}`)
}

/** A router on a connection that is taken when the first command says to which server, until the scope closes. */
export const reserve = (
  state: State,
  redirects: Redirects,
  rest: Pick<RedisRouter, "events" | "stats" | "subscribers">
): Effect.Effect<RedisRouter, never, Scope.Scope> =>
  Effect.map(Effect.context<Scope.Scope>(), (context) => {
    const reservation = new Reservation(state, redirects, context)
    const router: RedisRouter = {
      submit: (request) => reservation.submit(request),
      exclusive: (commands) => Effect.flatMap(reservation.routerFor(commands), (bound) => bound.exclusive(commands)),
      stateful: (command) => Effect.flatMap(reservation.routerFor([command]), (bound) => bound.stateful(command)),
      dependent: (command) => Effect.flatMap(reservation.routerFor([command]), (bound) => bound.dependent(command)),
      reserve: Effect.suspend(() => Effect.succeed(router)),
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
        return refusals.map((refusal) =>
          // In range: there is one outcome for each command that was sent.
          refusal === undefined ? Exit.mapError(outcomes[next++]!, (error) => typed(error)) : Exit.fail(refusal)
        )
      })
    },
    transaction: (commands) => {
      const refusal = refusalsOf(commands).find((error) => error !== undefined)
      return refusal === undefined
        ? Effect.mapError(reserved.transaction(commands), (error) => typed(error))
        : Effect.fail(refusal)
    },
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
