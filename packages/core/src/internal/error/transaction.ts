/**
 * A transaction that was not applied.
 */
import * as Schema from "effect/Schema"
import { Delivery, marks } from "./fields.ts"
import * as Retry from "./retry.ts"
import { TaggedError } from "./tagged.ts"

/**
 * A watched key changed, or the connection that watched it was lost; the transaction was not applied.
 *
 * @category errors
 * @since 0.1.0
 */
export class WatchError extends TaggedError<WatchError>("@redfx/core/RedisError/WatchError")("WatchError", {
  reason: Schema.Literals(["changed", "connectionLost"]),
  keys: Schema.Array(Schema.String),
  delivery: Delivery,
  ...marks
}) {
  override get message(): string {
    const what = this.reason === "changed"
      ? "A watched key changed before EXEC; nothing was applied."
      : "The connection that watched the keys was lost before EXEC was answered."
    return `${what}${this.mayHaveWritten === true ? Retry.wholeText(this) : " Run the whole transaction again."}`
  }
}
