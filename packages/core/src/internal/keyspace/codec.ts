/**
 * Encodes and decodes values by their schemas; errors name the key.
 */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { CodecError, RedisCodec } from "../../RedisCodec.ts"
import type { CommandError } from "../../RedisError.ts"
import { decodeUtf8 } from "../codec/utf8.ts"
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

const at = (key: string) => ({ detail, operation }: CodecError) => refuse(key, operation, detail)

const withKey = <A, Encoded>(values: Values.Values<A, Encoded>): Codec<A, Encoded> => ({
  encode: (value, key) => Effect.catch(values.encode(value), at(key)),
  decode: (encoded, key) => Effect.catch(values.decode(encoded), at(key))
})

/** The text of a name or a member that was scanned as bytes, because one that is no text would end the scan. */
export const textOf = (
  bytes: Uint8Array,
  key = decodeUtf8(bytes, 0, bytes.length)
): Effect.Effect<string, KeyspaceError> => Effect.catch(Values.textOf(bytes), at(key))

/** Reads what a key holds. What is no text fits no schema. */
export const reading = <A, R>(
  command: Effect.Effect<A, CommandError, R>,
  key: string
): Effect.Effect<A, CommandError | KeyspaceError, R> =>
  Effect.catchTag(command, "DecodeError", ({ detail }) => refuse(key, "decode", detail))

export const codecOf = <A, Encoded>(schema: Schema.Codec<A, Encoded>, option = "value"): Codec<A, Encoded> =>
  withKey(Values.ofSchema(schema, option))

/** Values as JSON. */
export const jsonOf = <A>(schema: Schema.Codec<A, unknown>): Codec<A, string> => withKey(Values.asJson(schema))

/** Values as the bytes of their JSON, which a codec may change further. */
export const bytesOf = <A>(schema: Schema.Codec<A, unknown>, codec: RedisCodec | undefined): Codec<A, Uint8Array> =>
  withKey(Values.asBytes(Values.asJson(schema), codec))
