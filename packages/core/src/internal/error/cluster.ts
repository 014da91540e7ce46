/**
 * Errors that only a cluster has.
 */
import * as Schema from "effect/Schema"
import {
  attempted,
  Attempts,
  capitalized,
  clipped,
  command,
  Delivery,
  full,
  index,
  marks,
  origin,
  readonly,
  reply,
  stopped
} from "./fields.ts"
import * as Retry from "./retry.ts"
import { TaggedError } from "./tagged.ts"

/**
 * The cluster says that it cannot serve; nothing was run. `code`: `CLUSTERDOWN` or `MASTERDOWN`.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClusterDownError extends TaggedError<ClusterDownError>("@redfx/core/RedisError/ClusterDownError")(
  "ClusterDownError",
  { ...reply, attempts: Schema.Number }
) {
  override get message(): string {
    return `${this.code} ${clipped(this.detail)} (${origin(this)}, ${
      this.attempts === 1 ? "1 attempt" : `${this.attempts} attempts`
    }).${Retry.fateText(this, "Nothing was run", "retry when the cluster is up again", "The command was not run")}`
  }
}

/**
 * None of the cluster's nodes could be reached, or the servers that were reached are not a cluster.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClusterConnectError
  extends TaggedError<ClusterConnectError>("@redfx/core/RedisError/ClusterConnectError")("ClusterConnectError", {
    attempts: Attempts,
    ...marks
  })
{
  override get message(): string {
    return `${
      full(`No node of the cluster is usable${attempted(this.attempts)}`)
    } Give at least one node that can be reached and whose cluster is up.${Retry.wholeText(this)}`
  }
}

/**
 * The keys of one command lie in different hash slots; nothing was run. `detail`: what to do, where there is more to do than to
 * give the keys a common hash tag.
 *
 * @category errors
 * @since 0.1.0
 */
export class CrossSlotError extends TaggedError<CrossSlotError>("@redfx/core/RedisError/CrossSlotError")(
  "CrossSlotError",
  { command, detail: Schema.optionalKey(Schema.String), index, ...marks }
) {
  override get message(): string {
    const { detail = "Give them a common {hash tag}" } = this
    return `The keys of ${origin(this)} lie in different hash slots. ${detail}.${Retry.wholeText(this)}`
  }
}

/**
 * No node of the cluster serves the hash slot; nothing was sent. A command without a key has no slot, and is only refused so
 * when no slot is served.
 *
 * @category errors
 * @since 0.1.0
 */
export class SlotNotCoveredError
  extends TaggedError<SlotNotCoveredError>("@redfx/core/RedisError/SlotNotCoveredError")("SlotNotCoveredError", {
    slot: Schema.optionalKey(Schema.Number),
    ...marks
  })
{
  override get message(): string {
    return `No node of the cluster serves ${this.slot === undefined ? "any slot" : `slot ${this.slot}`}.${
      Retry.fateText(this, "Nothing was sent", "", "The command was not sent")
    }`
  }
}

/**
 * A command used up its tries over redirects, retries and reconnects. `last`: what the last one said.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClusterRetriesExhaustedError
  extends TaggedError<ClusterRetriesExhaustedError>("@redfx/core/RedisError/ClusterRetriesExhaustedError")(
    "ClusterRetriesExhaustedError",
    {
      command,
      slot: Schema.optionalKey(Schema.Number),
      attempts: Schema.Number,
      last: Schema.String,
      index,
      delivery: Delivery,
      readonly,
      ...marks
    }
  )
{
  override get message(): string {
    const failed = this.attempts === 1 ? "failed:" : `failed ${this.attempts} times; the last time:`
    return `${capitalized(origin(this))} ${failed} ${full(this.last)}${Retry.deliveryText(this)}`
  }
}

/**
 * The command has no meaning on a cluster, or none that keeps its promise.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClusterUnsupportedError
  extends TaggedError<ClusterUnsupportedError>("@redfx/core/RedisError/ClusterUnsupportedError")(
    "ClusterUnsupportedError",
    { command, detail: Schema.String, index, ...marks }
  )
{
  override get message(): string {
    return `${capitalized(origin(this))} is not supported on a cluster: ${this.detail}${stopped(Retry.wholeText(this))}`
  }
}
