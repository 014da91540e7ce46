/**
 * What runs on a connection of its own: blocking commands and transactions.
 * They are run on the server of their slot, and again where that has moved or
 * failed and nothing was run.
 *
 * @internal
 */
import type { Service } from "@redfx/core/RedisClient"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterUnsupportedError } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import { asking } from "@redfx/core/RedisRouter"
import type { Outcome } from "@redfx/core/RedisRouter"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Node } from "./nodes.ts"
import { routingKey } from "./plan.ts"
import { askedIn, waitFor } from "./retrying.ts"
import type { Retrying } from "./retrying.ts"
import { slotOf } from "./slot.ts"
import { giveUp, hasTry, notCovered, pauseBefore, reasonOf, spend, typed, unspent } from "./tries.ts"
import { timedOut, within } from "./wholeLimit.ts"

type Run<A> = (client: Service) => Effect.Effect<A, RedisError>

/** Runs something on the server of a command's slot, wherever that is. The command timeout is that of all tries. */
export const following = <A>(
  retrying: Retrying,
  command: RedisCommand.Any,
  run: Run<A>
): Effect.Effect<A, RedisError> =>
  Effect.suspend(() => {
    let running = false
    const attempt = (asked: Node | undefined) =>
      Effect.suspend(() => {
        const { redirects, state } = retrying
        // It may have been given up and made again during the pause.
        const node = asked === undefined ? redirects.masterOf(command) : state.nodes.at(asked.endpoint)
        if (node === undefined) return Effect.fail(notCovered(command))
        running = true
        return Effect.tapError(
          asked === undefined ? run(retrying.clientOf(node)) : withAsking(retrying.clientOf(node), run),
          () =>
            Effect.sync(() => {
              running = false
            })
        )
      })
    return within(retrying, [command], {
      // Reading the topology has tries of its own.
      whole: Effect.andThen(retrying.state.known, untilRun(retrying, command, attempt)),
      orElse: (limit) => Effect.fail(timedOut(command, limit, running))
    })
  })

const untilRun = Effect.fnUntraced(function*<A>(
  retrying: Retrying,
  command: RedisCommand.Any,
  attempt: (asked: Node | undefined) => Effect.Effect<A, RedisError>
): Effect.fn.Return<A, RedisError> {
  let spent = unspent
  let asked: Node | undefined = undefined
  while (true) {
    const exit: Exit.Exit<A, RedisError> = yield* Effect.exit(attempt(asked))
    if (Exit.isSuccess(exit)) return exit.value
    const error = exit.cause.reasons.find(Cause.isFailReason)?.error
    const reason = error === undefined ? undefined : reasonOf(error)
    if (error === undefined || reason === undefined) return yield* Exit.mapError(exit, (error) => typed(error))
    if (!hasTry(spent, reason, retrying.settings.clusterDownRetryAttempts)) {
      return yield* Effect.fail(giveUp(command, error, spent))
    }
    asked = askedIn(retrying, error, asked)
    yield* waitFor(retrying, reason, pauseBefore(spent, reason))
    spent = spend(spent, new Set([reason]))
  }
})

/** Runs something on a server that does not own the slot yet, over one connection that nobody else uses. */
const withAsking = <A>(client: Service, run: Run<A>): Effect.Effect<A, RedisError> =>
  Effect.scoped(
    Effect.flatMap(client.reserve, (reserved) => Effect.andThen(reserved.execute(asking), run(reserved)))
  )

/** Runs a transaction on the server of its one slot. */
export const transaction = (
  retrying: Retrying,
  commands: ReadonlyArray<RedisCommand.Any>
): Effect.Effect<ReadonlyArray<Outcome>, RedisError> => {
  const sent = commands.filter(({ settled }) => settled === undefined)
  const refusal = sent.map(retrying.refuses).find((error) => error !== undefined) ?? differentSlots(sent)
  if (refusal !== undefined) return Effect.fail(refusal)
  const [leading] = sent
  return leading === undefined || commands.some(({ settled }) => settled !== undefined && Exit.isFailure(settled))
    ? retrying.unsent(commands)
    : following(retrying, leading, (client) => client.transaction(commands))
}

const differentSlots = (commands: ReadonlyArray<RedisCommand.Any>): ClusterUnsupportedError | undefined => {
  const keys = commands.map(routingKey).filter((key) => key !== undefined)
  return new Set(keys.map(slotOf)).size < 2 ? undefined : new ClusterUnsupportedError({
    command: "MULTI",
    detail: "a transaction is run by one server, and the keys of this one lie in different hash slots. " +
      "Give them a common {hash tag}"
  })
}
