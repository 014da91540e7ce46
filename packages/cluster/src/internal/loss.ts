/**
 * What the client finds out about connections by itself.
 *
 * @internal
 */
import { ConnectionError } from "@redfx/core/RedisError"

/** A connection that is lost or cannot be had, before it is known which commands that befalls. */
export const lossOf = (
  reason: ConnectionError["reason"],
  detail: string,
  address?: string,
  cause?: unknown
): ConnectionError =>
  new ConnectionError({
    reason,
    detail,
    delivery: "not-sent",
    readonly: false,
    ...(address === undefined ? {} : { address }),
    ...(cause === undefined ? {} : { cause })
  })
