/**
 * Hands replies to requests.
 */
import type * as Resp from "../../Resp.ts"
import type { Origin, Request } from "./request.ts"

/**
 * Hands a reply to its request. A defect in handling the reply is its caller's to know: the connection has the replies of
 * others, and a request that is not in flight any more would wait for nothing until its limit.
 */
export const give = (value: Resp.Value, request: Request, origin: Origin): void => {
  try {
    request.reply(value, origin)
  } catch (defect) {
    request.die(defect)
  }
}
