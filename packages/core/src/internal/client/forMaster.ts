/**
 * Reads that must see every write before them.
 */
import * as RedisCommand from "../../RedisCommand.ts"
import { implOf } from "../command/impl.ts"
import type { CommandImpl } from "../command/impl.ts"

/** The facts of a command that only a master may answer, although it may only read. */
class MasterSpec extends RedisCommand.Spec {
  constructor({ name, operation, readonly }: RedisCommand.Spec) {
    super(name, readonly ? ["readonly"] : [], undefined, operation)
  }
}

/** The facts of a command that the master has to answer, by the facts of the same command where a replica may answer it. */
const specs = new WeakMap<RedisCommand.Spec, MasterSpec>()

const specOf = (spec: RedisCommand.Spec): MasterSpec => {
  const known = specs.get(spec)
  if (known !== undefined) return known
  const made = new MasterSpec(spec)
  specs.set(spec, made)
  return made
}

/**
 * The same read, which the master answers whatever the option `readFrom` says, and the client's cache never. What is done in
 * consequence must not go by a replica that lags behind.
 */
export const forMaster = <A, Bytes, BigInts>(
  command: RedisCommand.RedisCommand<A, Bytes, BigInts>
): RedisCommand.RedisCommand<A, Bytes, BigInts> => {
  // Every command is made so; its types are those of the reply, which stays.
  const { parts, reply, spec, unsent, view } = command as RedisCommand.Any & CommandImpl
  return implOf(undefined, specOf(spec), parts, reply, view, unsent) as never
}

/** Whether only a master may answer a command, although it only reads. */
export const isForMaster = ({ spec }: RedisCommand.Any): boolean => spec instanceof MasterSpec
