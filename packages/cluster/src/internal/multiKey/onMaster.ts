/**
 * Reads that must see every write before them.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError } from "@redfx/core/RedisError"
import { forMaster } from "@redfx/core/unstable/Router"
import type * as Effect from "effect/Effect"
import type { Cluster } from "../topology/cluster.ts"

/** The reply of the master to a command: a value that is written in consequence must not be an old one. */
export const onMaster = <A>(
  cluster: Cluster,
  command: RedisCommand.RedisCommand<A>
): Effect.Effect<A, CommandError> => cluster.execute(forMaster(command))
