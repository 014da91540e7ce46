/**
 * Operations on a connection of their own: blocking commands and transactions. Each runs on the server of its slot, and
 * again as the verdict on its outcome says.
 */
import type { RedisClient } from "@redfx/core/RedisClient"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterUnsupportedError } from "@redfx/core/RedisError"
import type { CommandError, TransactionError } from "@redfx/core/RedisError"
import { failureOf } from "@redfx/core/unstable/Connection"
import { asking } from "@redfx/core/unstable/Request"
import type { Outcome } from "@redfx/core/unstable/Request"
import { elapsed } from "@redfx/core/unstable/Runtime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Node } from "../topology/nodes.ts"
import { tryWithTimeout } from "./commandTimeout.ts"
import type { Tries } from "./commandTimeout.ts"
import { notCovered } from "./finalErrors.ts"
import { slotIn } from "./plan.ts"
import { owned, targetOf, tryOnce } from "./retrying.ts"
import type { Retrying, Target } from "./retrying.ts"
import { unspent } from "./verdictModel.ts"
import type { Sent } from "./verdictModel.ts"

/** - `since`: the milliseconds since the first try began. */
type Run<A, E> = (client: RedisClient["Service"], since: number) => Effect.Effect<A, E>

/**
 * Runs an operation on the server of a command's slot, wherever that is. All tries share the command timeout.
 *
 * - `name`: what a timeout names instead of the command. `readonly`: whether everything that is run only reads.
 */
export const runExclusive = <A, E extends TransactionError>(
  retrying: Retrying,
  { command, name = command.spec.name, readonly }: {
    readonly command: RedisCommand.Any
    readonly name?: string
    readonly readonly: boolean
  },
  run: Run<A, E>
): Effect.Effect<A, E | CommandError> =>
  tryWithTimeout(retrying, command, { name, readonly }, ({ tried, waits }) => {
    let began: number | undefined = undefined
    const send = ({ asking, node }: Target) =>
      tried(
        node.address,
        Effect.suspend(() => {
          const now = elapsed(retrying.clock)
          const since = now - (began ??= now)
          const client = retrying.clientOf(node)
          return asking
            ? withAsking(client, (reserved) => run(reserved, since))
            : run(client, since)
        })
      )
    // Reading the topology has tries of its own.
    return Effect.andThen(
      Effect.mapError(retrying.state.known, (error) => failureOf(error, { name, readonly }, "not-sent")),
      untilRun(retrying, { way: "exclusive", command, readonly }, send, waits)
    )
  })

const untilRun = Effect.fnUntraced(function*<A, E extends TransactionError>(
  retrying: Retrying,
  sent: Sent,
  send: (target: Target) => Effect.Effect<A, E>,
  waits: Tries["waits"]
): Effect.fn.Return<A, E | CommandError> {
  const { redirects, state } = retrying
  const { command } = sent
  let spent = unspent
  let named: Target | undefined = undefined
  while (true) {
    const target: Target | undefined = named ?? owned(redirects.masterOf(command))
    // The node may have been given up and made again during the pause.
    const node: Node | undefined = target === undefined ? undefined : state.nodes.at(target.node.endpoint)
    const once: Effect.Effect<A, E | CommandError> = target === undefined || node === undefined
      ? Effect.fail(notCovered(command))
      : send({ ...target, node })
    const tried = yield* tryOnce(retrying, sent, once, { node, avoided: node?.health.downWith, spent, waits })
    if ("value" in tried) return tried.value
    spent = tried.spent
    named = targetOf(retrying, tried.to, target)
  }
})

/** Runs an operation on a server that does not own the slot yet, over a connection that nobody else uses. */
const withAsking = <A, E>(
  client: RedisClient["Service"],
  run: (client: RedisClient["Service"]) => Effect.Effect<A, E>
): Effect.Effect<A, E | CommandError> =>
  Effect.scoped(
    Effect.flatMap(client.reserve, (reserved) => Effect.andThen(reserved.execute(asking), run(reserved)))
  )

/** Runs a transaction on the server of its one slot. `unsent`: runs one of which nothing is sent. */
export const transaction = (
  retrying: Retrying,
  commands: ReadonlyArray<RedisCommand.Any>,
  unsent: RedisClient["Service"]["transaction"]
): Effect.Effect<ReadonlyArray<Outcome>, TransactionError> => {
  const sent = commands.filter(({ settled }) => settled === undefined)
  const refusal = sent.map(retrying.refuses).find((error) => error !== undefined) ?? differentSlots(sent)
  if (refusal !== undefined) return Effect.fail(refusal)
  const [leading] = sent
  return leading === undefined || commands.some(({ settled }) => settled !== undefined && Exit.isFailure(settled))
    ? unsent(commands)
    : runExclusive(
      retrying,
      { command: leading, name: "EXEC", readonly: sent.every(({ spec }) => spec.readonly) },
      (client) => client.transaction(commands)
    )
}

const differentSlots = (commands: ReadonlyArray<RedisCommand.Any>): ClusterUnsupportedError | undefined => {
  const slots = commands.map(slotIn).filter((slot) => slot !== undefined)
  return new Set(slots).size < 2 ? undefined : new ClusterUnsupportedError({
    command: "MULTI over several slots",
    detail: "one server runs a transaction, and the keys of this one lie in different hash slots. " +
      "Give them a common {hash tag}"
  })
}
