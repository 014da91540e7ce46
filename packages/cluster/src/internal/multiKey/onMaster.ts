/**
 * Reads that must see every write before them.
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import { forMaster } from "@redfx/core/unstable/Router"
import type * as Effect from "effect/Effect"
import type { Cluster } from "../topology/cluster.ts"

/** The reply, as it came, of the master to a command: a value that is written in consequence must not be an old one. */
export const onMaster = (cluster: Cluster, command: RedisCommand.Any): Effect.Effect<Resp.Value, CommandError> =>
  cluster.execute(RedisCommand.undecoded(forMaster(command)))
