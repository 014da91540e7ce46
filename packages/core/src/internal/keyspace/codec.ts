/**
 * Values by their schemas, with the key in what goes wrong.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { RedisCodec } from "../../RedisCodec.ts"
import { decodeUtf8Strict, encodeUtf8 } from "../codec/utf8.ts"
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

export const codecOf = <A, Encoded>(schema: Schema.Codec<A, Encoded>): Codec<A, Encoded> => {
  const encode = Schema.encodeEffect(schema)
  const decode = Schema.decodeEffect(schema)
  return {
    encode: (value, key) => Effect.catch(encode(value), (error) => refuse(key, "encode", error.message)),
    decode: (encoded, key) => Effect.catch(decode(encoded), (error) => refuse(key, "decode", error.message))
  }
}

/** Values as JSON. */
export const jsonOf = <A>(schema: Schema.Codec<A, unknown>): Codec<A, string> =>
  codecOf(Schema.fromJsonString(Schema.toCodecJson(schema)))

/** Text as bytes, which a codec may change further. */
export const bytesOf = <A>(text: Codec<A, string>, codec: RedisCodec | undefined): Codec<A, Uint8Array> => {
  const plain: Codec<A, Uint8Array> = {
    encode: (value, key) => Effect.map(text.encode(value, key), encodeUtf8),
    decode: (bytes, key) => {
      const decoded = decodeUtf8Strict(bytes, 0, bytes.length)
      return decoded === undefined ? refuse(key, "decode", "it is not UTF-8") : text.decode(decoded, key)
    }
  }
  return codec === undefined ? plain : {
    encode: (value, key) =>
      Effect.flatMap(
        plain.encode(value, key),
        (bytes) => Effect.catch(codec.encode(bytes), ({ detail }) => refuse(key, "encode", detail))
      ),
    decode: (bytes, key) =>
      Effect.flatMap(
        Effect.catch(codec.decode(bytes), ({ detail }) => refuse(key, "decode", detail)),
        (decoded) => plain.decode(decoded, key)
      )
  }
}
