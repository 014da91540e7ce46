/**
 * Reads that must see every write before them.
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError } from "@redfx/core/RedisError"
import * as RedisReply from "@redfx/core/RedisReply"
import type * as Resp from "@redfx/core/Resp"
import type * as Effect from "effect/Effect"
import type { Cluster } from "../topology/cluster.ts"

/** The facts of a command that only a master may answer, although it may only read. */
class MasterSpec extends RedisCommand.Spec {
  constructor({ name, readonly }: RedisCommand.Spec) {
    super(name, readonly ? ["readonly"] : [])
  }
}

/** Those facts by the facts of the same command where a replica may answer it. */
const specs = new WeakMap<RedisCommand.Spec, MasterSpec>()

const specOf = (spec: RedisCommand.Spec): MasterSpec => {
  const known = specs.get(spec)
  if (known !== undefined) return known
  const made = new MasterSpec(spec)
  specs.set(spec, made)
  return made
}

/** Whether only a master may answer a command, although it only reads. */
export const isForMaster = ({ spec }: RedisCommand.Any): boolean => spec instanceof MasterSpec

const reply = RedisReply.make<Resp.Value>((value) => value)

/**
 * The reply, as it came, of the master to a command, whatever the option `readFrom` says. A value that is
 * written in consequence must not come from a replica that lags behind.
 */
export const onMaster = (cluster: Cluster, command: RedisCommand.Any): Effect.Effect<Resp.Value, CommandError> =>
  cluster.execute(RedisCommand.make({ spec: specOf(command.spec), args: () => command.parts, reply }))
