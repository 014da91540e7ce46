/**
 * What is done to bytes on their way to Redis and back, such as compression.
 *
 * Keyspaces, typed streams and typed channels take a codec. `NodeCompression` of `@redfx/node` makes some.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaggedError } from "./internal/error/tagged.ts"

/**
 * A codec cannot read or write some bytes.
 *
 * - `detail`: why. It does not show the bytes.
 *
 * @category errors
 * @since 0.1.0
 */
export class CodecError extends TaggedError<CodecError>("@redfx/core/RedisCodec/CodecError")("CodecError", {
  operation: Schema.Literals(["encode", "decode"]),
  detail: Schema.String
}) {
  override get message(): string {
    return this.operation === "decode"
      ? `The bytes cannot be read: ${this.detail}`
      : `The bytes cannot be written: ${this.detail}`
  }
}

/**
 * From bytes to bytes and back: `decode` returns what `encode` was given. `decode` must refuse bytes that `encode` did not
 * write, or return them as they are.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisCodec {
  /** Changes bytes on their way to the server. */
  readonly encode: (bytes: Uint8Array) => Effect.Effect<Uint8Array, CodecError>
  /** Gives back what `encode` was given. It refuses bytes that `encode` did not write, or returns them as they are. */
  readonly decode: (bytes: Uint8Array) => Effect.Effect<Uint8Array, CodecError>
}
