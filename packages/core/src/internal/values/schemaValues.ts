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

/** Throws where a program without types gives no schema: otherwise the first that is told is the inside of one. */
const given = <S>(schema: S, option: string): S => {
  if (Schema.isSchema(schema)) return schema
  throw new TypeError(`${option} is missing or is no schema; give one, such as { ${option}: Schema.String }`)
}

export const ofSchema = <A, Encoded>(schema: Schema.Codec<A, Encoded>): Values<A, Encoded> => {
  const encode = Schema.encodeEffect(given(schema, "value"))
  const decode = Schema.decodeEffect(schema)
  return {
    encode: (value) => Effect.catch(encode(value), (error) => misfit("encode", error.message)),
    decode: (encoded) => Effect.catch(decode(encoded), (error) => misfit("decode", error.message))
  }
}

/** The schema of values as JSON. `option` is what an error calls the one that is given. */
export const jsonSchema = <A>(schema: Schema.Codec<A, unknown>, option: string): Schema.Codec<A, string> =>
  Schema.fromJsonString(Schema.toCodecJson(given(schema, option)))

/** Values as JSON. */
export const asJson = <A>(schema: Schema.Codec<A, unknown>): Values<A, string> => ofSchema(jsonSchema(schema, "value"))

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
