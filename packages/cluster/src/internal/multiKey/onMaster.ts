/**
 * Reads that must see every write before them.
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError } from "@redfx/core/RedisError"
import * as RedisReply from "@redfx/core/RedisReply"
import type * as Resp from "@redfx/core/Resp"
import type * as Effect from "effect/Effect"
import type { Cluster } from "../topology/cluster.ts"

/** The facts of commands that only masters answer, by name. */
const specs = new Map<string, RedisCommand.Spec>()

const specOf = ({ name, readonly }: RedisCommand.Spec): RedisCommand.Spec => {
  const spec = specs.get(name) ?? new RedisCommand.Spec(name, readonly ? ["readonly"] : [])
  specs.set(name, spec)
  return spec
}

/** Whether only a master may answer a command, although it only reads. */
export const isForMaster = ({ spec }: RedisCommand.Any): boolean => specs.get(spec.name) === spec

const reply = RedisReply.make<Resp.Value>((value) => value)

/**
 * The reply, as it came, of the master to a command, whatever the option `readFrom` says. A value that is
 * written in consequence must not come from a replica that lags behind.
 */
export const onMaster = (cluster: Cluster, command: RedisCommand.Any): Effect.Effect<Resp.Value, CommandError> =>
  cluster.execute(RedisCommand.make({ spec: specOf(command.spec), args: () => command.parts, reply }))
