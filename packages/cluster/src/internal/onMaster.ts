/**
 * Reads that must see every write before them.
 *
 * @internal
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { RedisError } from "@redfx/core/RedisError"
import type * as Effect from "effect/Effect"
import type { Cluster } from "./cluster.ts"

/** The facts of commands as if they wrote something, by name. */
const specs = new Map<string, RedisCommand.Spec>()

const specOf = (name: string): RedisCommand.Spec => {
  const spec = specs.get(name) ?? new RedisCommand.Spec(name, [])
  specs.set(name, spec)
  return spec
}

/**
 * Runs a command that reads where writes go, whatever the option `readFrom` says: what is written elsewhere in
 * consequence must not come from a replica that lags behind.
 */
export const onMaster = <A>(
  cluster: Cluster,
  command: RedisCommand.RedisCommand<A, unknown, unknown>
): Effect.Effect<A, RedisError> =>
  cluster.execute(
    RedisCommand.make<A, unknown, unknown>({
      spec: specOf(command.spec.name),
      args: () => command.parts,
      reply: replyOf(command)
    })
  )
