/**
 * No server that sentinels name is usable.
 */
import * as Schema from "effect/Schema"
import { attempted, Attempts, full, marks } from "./fields.ts"
import { quoted } from "./printable.ts"
import * as Retry from "./retry.ts"
import { TaggedError } from "./tagged.ts"

const notFound = {
  service: Schema.String,
  attempts: Attempts,
  permanent: Schema.optionalKey(Schema.Boolean),
  ...marks
}

/**
 * No sentinel names a usable master of the service. `attempts`: what each one said. `permanent`: whether all of them will
 * say the same next time, as with a wrong password for sentinels or a certificate that is refused.
 *
 * @category errors
 * @since 0.1.0
 */
export class MasterNotFoundError extends TaggedError<MasterNotFoundError>("@redfx/core/RedisError/MasterNotFoundError")(
  "MasterNotFoundError",
  notFound
) {
  override get message(): string {
    return `${full(`No master found for ${quoted(this.service)}${attempted(this.attempts)}`)}${
      Retry.fateText(this, "Nothing was sent", "retry while a failover may be under way", "The command was not sent")
    }`
  }
}

/**
 * No replica of the service is usable, and no master either. `attempts` and `permanent` are as in
 * {@link MasterNotFoundError}.
 *
 * @category errors
 * @since 0.1.0
 */
export class ReplicaNotFoundError
  extends TaggedError<ReplicaNotFoundError>("@redfx/core/RedisError/ReplicaNotFoundError")(
    "ReplicaNotFoundError",
    notFound
  )
{
  override get message(): string {
    return `${full(`No replica found for ${quoted(this.service)}${attempted(this.attempts)}`)}${
      Retry.fateText(this, "Nothing was sent", "", "The command was not sent")
    }`
  }
}
