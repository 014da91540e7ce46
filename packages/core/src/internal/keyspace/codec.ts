/**
 * Encodes and decodes values by their schemas; errors name the key.
 */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { CodecError, RedisCodec } from "../../RedisCodec.ts"
import * as Values from "../values/schemaValues.ts"
import { KeyspaceError } from "./model.ts"

export const refuse = (
  key: string,
  operation: "encode" | "decode",
  detail: string
): Effect.Effect<never, KeyspaceError> => Effect.fail(new KeyspaceError({ key, operation, detail }))

export interface Codec<A, Encoded> {
  readonly encode: (value: A, key: string) => Effect.Effect<Encoded, KeyspaceError>
  readonly decode: (encoded: Encoded, key: string) => Effect.Effect<A, KeyspaceError>
}

const withKey = <A, Encoded>(values: Values.Values<A, Encoded>): Codec<A, Encoded> => {
  const at = (key: string) => ({ detail, operation }: CodecError) => refuse(key, operation, detail)
  return {
    encode: (value, key) => Effect.catch(values.encode(value), at(key)),
    decode: (encoded, key) => Effect.catch(values.decode(encoded), at(key))
  }
}

export const codecOf = <A, Encoded>(schema: Schema.Codec<A, Encoded>, option = "value"): Codec<A, Encoded> =>
  withKey(Values.ofSchema(schema, option))

/** Values as JSON. */
export const jsonOf = <A>(schema: Schema.Codec<A, unknown>): Codec<A, string> => withKey(Values.asJson(schema))

/** Values as the bytes of their JSON, which a codec may change further. */
export const bytesOf = <A>(schema: Schema.Codec<A, unknown>, codec: RedisCodec | undefined): Codec<A, Uint8Array> =>
  withKey(Values.asBytes(Values.asJson(schema), codec))
