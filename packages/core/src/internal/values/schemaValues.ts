/**
 * Encodes and decodes values by their schemas, as text and as bytes.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CodecError } from "../../RedisCodec.ts"
import type { RedisCodec } from "../../RedisCodec.ts"
import { decodeUtf8Strict, encodeUtf8 } from "../codec/utf8.ts"
import { printable, thrown } from "../error/printable.ts"
import { errorOf } from "../runtime/firstError.ts"

/** The two directions between values and their encoded form. */
export interface Values<A, Encoded> {
  readonly encode: (value: A) => Effect.Effect<Encoded, CodecError>
  readonly decode: (encoded: Encoded) => Effect.Effect<A, CodecError>
}

const misfit = (operation: "encode" | "decode", detail: string): Effect.Effect<never, CodecError> =>
  Effect.fail(new CodecError({ operation, detail }))

/**
 * Why a value does not fit its schema; `undefined` when something else has ended its reading. A schema that refers to itself takes
 * some of the stack for each level of a value. That the stack was full is no defect of the program, as the value may be a
 * stranger's.
 */
export const misfitIn = (cause: Cause.Cause<Schema.SchemaError>): string | undefined => {
  const error = errorOf(cause)
  // It names members of the value, which may be a stranger's; lines of it are lines of the schema's.
  if (error !== undefined) return error.message.split("\n").map(printable).join("\n")
  const defect = Cause.squash(cause)
  return defect instanceof Error && /call stack|too much recursion/i.test(defect.message)
    ? "it is nested too deeply for its schema"
    : undefined
}

const misfitOf = (
  operation: "encode" | "decode",
  detailOf: (cause: Cause.Cause<Schema.SchemaError>) => string | undefined
) =>
(cause: Cause.Cause<Schema.SchemaError>): Effect.Effect<never, CodecError> => {
  const detail = detailOf(cause)
  // What is no misfit is no failure either.
  return detail === undefined ? Effect.failCause(cause as Cause.Cause<never>) : misfit(operation, detail)
}

/** Why a value cannot be written. One that its schema cannot read is refused like any other argument that cannot be read. */
const refusalIn = (cause: Cause.Cause<Schema.SchemaError>): string | undefined =>
  misfitIn(cause) ?? (Cause.hasDies(cause) ? `its schema cannot read it (${thrown(Cause.squash(cause))})` : undefined)

/**
 * What is told where something had to end at once and failed: `detailOf` says it of what was to be expected, and `waits` of what
 * waits, which is ended. Anything else is a defect, which is thrown.
 */
export const detailAtOnce = <E>(
  cause: Cause.Cause<E>,
  detailOf: (cause: Cause.Cause<E>) => string | undefined,
  waits: string
): string => {
  const defect = Cause.squash(cause)
  if (Cause.isAsyncFiberError(defect)) {
    defect.fiber.interruptUnsafe()
    return waits
  }
  const detail = detailOf(cause)
  if (detail === undefined) throw defect
  return detail
}

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
    encode: (value) => Effect.catchCause(encode(value), misfitOf("encode", refusalIn)),
    decode: (encoded) => Effect.catchCause(decode(encoded), misfitOf("decode", misfitIn))
  }
}

/** Values as JSON. `option` is what errors call the schema. */
export const asJson = <A>(schema: Schema.Codec<A, unknown>, option = "value"): Values<A, string> =>
  // Only a schema has a schema of its JSON; anything else is refused by `ofSchema`.
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
