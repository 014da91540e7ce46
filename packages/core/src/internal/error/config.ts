/**
 * Errors of options that are not valid.
 */
import * as Schema from "effect/Schema"
import { TaggedError } from "./tagged.ts"

/**
 * An option that is not valid: found when a Layer is built, before any I/O.
 *
 * @category errors
 * @since 0.1.0
 */
export class RedisConfigError extends TaggedError<RedisConfigError>("@redfx/core/RedisError/RedisConfigError")(
  "RedisConfigError",
  { option: Schema.String, detail: Schema.String }
) {
  override get message(): string {
    return `The option ${this.option} is not valid: ${this.detail}`
  }
}

/**
 * A URL that names no Redis server. `url` is printed without its credentials.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidUrlError extends TaggedError<InvalidUrlError>("@redfx/core/RedisError/InvalidUrlError")(
  "InvalidUrlError",
  { url: Schema.String, detail: Schema.String }
) {
  override get message(): string {
    return `The URL ${this.url} is not valid: ${this.detail}`
  }
}
