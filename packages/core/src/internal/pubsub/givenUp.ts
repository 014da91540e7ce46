/**
 * What servers say to a command for a shard channel whose slot they do not serve. They have no subscriptions there.
 */
import type { CommandError } from "../../RedisError.ts"
import * as Resp from "../../Resp.ts"

const codes: ReadonlySet<string> = new Set(["MOVED", "CLUSTERDOWN"])

export const isGivenUp = (error: CommandError | Resp.Value): boolean => {
  if (error instanceof Resp.ErrorReply) return codes.has(error.code)
  if (!(error instanceof Error)) return false
  if (error._tag === "ConnectionError") return error.cause instanceof Resp.ErrorReply && isGivenUp(error.cause)
  return error._tag === "ResponseError" && codes.has(error.code)
}
