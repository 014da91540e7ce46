/**
 * Encodes and decodes values by their schemas, as text and as bytes.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CodecError } from "../../RedisCodec.ts"
import type { RedisCodec } from "../../RedisCodec.ts"
import { decodeUtf8Strict, encodeUtf8 } from "../codec/utf8.ts"

/** The two directions between values and their encoded form. */
export interface Values<A, Encoded> {
  readonly encode: (value: A) => Effect.Effect<Encoded, CodecError>
  readonly decode: (encoded: Encoded) => Effect.Effect<A, CodecError>
}

const misfit = (operation: "encode" | "decode", detail: string): Effect.Effect<never, CodecError> =>
  Effect.fail(new CodecError({ operation, detail }))

/**
 * What is wrong where a program without types gives no schema: otherwise the first that is told is the inside of one. What
 * leaves misfits out, or buries them, has to ask for it, as all values would be misfits.
 */
export const missing = (schema: unknown, option: string): string | undefined =>
  Schema.isSchema(schema)
    ? undefined
    : `${option} is missing or is no schema; give one, such as { ${option}: Schema.String }`

export const ofSchema = <A, Encoded>(schema: Schema.Codec<A, Encoded>, option = "value"): Values<A, Encoded> => {
  const wrong = missing(schema, option)
  if (wrong !== undefined) return { encode: () => misfit("encode", wrong), decode: () => misfit("decode", wrong) }
  const encode = Schema.encodeEffect(schema)
  const decode = Schema.decodeEffect(schema)
  return {
    encode: (value) => Effect.catch(encode(value), (error) => misfit("encode", error.message)),
    decode: (encoded) => Effect.catch(decode(encoded), (error) => misfit("decode", error.message))
  }
}

/** Values as JSON. `option` is what errors call the schema. */
export const asJson = <A>(schema: Schema.Codec<A, unknown>, option = "value"): Values<A, string> =>
  // Of what is no schema there is none of its JSON.
  ofSchema(Schema.isSchema(schema) ? Schema.fromJsonString(Schema.toCodecJson(schema)) : schema, option)

/** Bytes as UTF-8. */
export const textOf = (bytes: Uint8Array): Effect.Effect<string, CodecError> => {
  const text = decodeUtf8Strict(bytes, 0, bytes.length)
  return text === undefined ? misfit("decode", "it is not UTF-8") : Effect.succeed(text)
}

/** Values as bytes, which are those of their text, and which a codec may change further. */
export const asBytes = <A>(text: Values<A, string>, codec: RedisCodec | undefined): Values<A, Uint8Array> => {
  const plain: Values<A, Uint8Array> = {
    encode: (value) => Effect.map(text.encode(value), encodeUtf8),
    decode: (bytes) => Effect.flatMap(textOf(bytes), text.decode)
  }
  return codec === undefined ? plain : {
    encode: (value) => Effect.flatMap(plain.encode(value), codec.encode),
    decode: (bytes) => Effect.flatMap(codec.decode(bytes), plain.decode)
  }
}
