/**
 * A transaction that was watched over, and not applied as far as is known.
 */
import * as Schema from "effect/Schema"
import { Delivery, marks } from "./fields.ts"
import * as Retry from "./retry.ts"
import { TaggedError } from "./tagged.ts"

/**
 * A watched key changed, and the transaction was not applied; or the connection that watched it was lost.
 *
 * **Details**
 *
 * - `delivery`: `not-sent` — nothing was applied. `unknown` — the transaction may have been, where its connection was lost, or what
 *   the body of `Redis.watch` wrote at once.
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
    const isCertain = this.delivery === "not-sent" && this.mayHaveWritten !== true
    const what = this.reason === "changed"
      ? `A watched key changed before EXEC; nothing${isCertain ? "" : " of the transaction"} was applied.`
      : "The connection that watched the keys was lost before EXEC was answered."
    const next = isCertain
      ? " Run the whole transaction again."
      : Retry.wholeText({ _tag: this._tag, partial: this.partial, mayHaveWritten: true })
    return `${what}${next}`
  }
}
