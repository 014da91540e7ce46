/**
 * Streams whose entries have a schema.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CodecError } from "../../RedisCodec.ts"
import type { RedisCodec } from "../../RedisCodec.ts"
import { nameOf } from "../codec/names.ts"
import { printable, quoted } from "../error/printable.ts"
import { TaggedError } from "../error/tagged.ts"
import type { BytesFields } from "../reply/streamEntry.ts"
import { recordOf } from "../values/record.ts"
import * as Values from "../values/schemaValues.ts"

/**
 * An entry that does not fit the schema of its stream.
 *
 * **Details**
 *
 * `operation`: `"decode"` when an entry does not fit; `id` then has its id. `"encode"` when a given value cannot be
 * added; nothing was sent then. The error does not show the entry itself.
 *
 * @category errors
 * @since 0.1.0
 */
export class EntryError extends TaggedError<EntryError>("@redfx/core/RedisStream/EntryError")("EntryError", {
  stream: Schema.String,
  id: Schema.UndefinedOr(Schema.String),
  operation: Schema.Literals(["encode", "decode"]),
  detail: Schema.String
}) {
  override get message(): string {
    const stream = quoted(this.stream)
    return this.operation === "decode"
      ? `The entry ${printable(String(this.id))} of the stream ${stream} is not what its schema says: ${this.detail}`
      : `The entry for the stream ${stream} cannot be written: ${this.detail}. Nothing was sent.`
  }
}

/**
 * The form of the entries of a stream. It is either a record with one field per property, whose encoded side is text,
 * or a value as JSON in one field.
 *
 * @category options
 * @since 0.1.0
 */
export type EntrySchema<A> =
  | {
    /** The schema of a record with one field per property, whose encoded side is text. */
    readonly fields: Schema.Codec<A, { readonly [field: string]: string | undefined }>
  }
  | {
    /** The schema of a value that is kept as JSON in one field. */
    readonly value: Schema.Codec<A, unknown>
    /** The name of that one field. Default `"value"`. */
    readonly field?: string | undefined
    /** What the bytes of that field go through, such as `NodeCompression` of `@redfx/node`. Default nothing. */
    readonly codec?: RedisCodec | undefined
  }

/** Converts entries to the fields that are added, and from the fields that are read. */
interface Entries<A> {
  /** What is wrong where there is no schema. */
  readonly missing: string | undefined
  readonly encode: (value: A) => Effect.Effect<ReadonlyArray<readonly [string, string | Uint8Array]>, CodecError>
  readonly decode: (fields: BytesFields) => Effect.Effect<A, CodecError>
}

export const entriesOf = <A>(schema: EntrySchema<A>): Entries<A> =>
  "fields" in schema ? asFields(schema.fields) : asField(schema.value, schema.field ?? "value", schema.codec)

const asFields = <A>(schema: Schema.Codec<A, { readonly [field: string]: string | undefined }>): Entries<A> => {
  const values = Values.ofSchema(schema, "fields")
  return {
    missing: Values.missing(schema, "fields"),
    encode: (value) =>
      Effect.map(
        values.encode(value),
        (fields) => Object.entries(fields).flatMap(([name, text]) => text === undefined ? [] : [[name, text] as const])
      ),
    decode: (fields) =>
      Effect.flatMap(
        Effect.forEach(fields, ([name, text]) => Effect.all([Values.textOf(name), Values.textOf(text)])),
        (pairs) => values.decode(recordOf(pairs))
      )
  }
}

const asField = <A>(
  schema: Schema.Codec<A, unknown>,
  field: string,
  codec: RedisCodec | undefined
): Entries<A> => {
  const values = Values.asBytes(Values.asJson(schema), codec)
  const name = nameOf(field)
  return {
    missing: Values.missing(schema, "value"),
    encode: (value) => Effect.map(values.encode(value), (bytes) => [[field, bytes] as const]),
    decode: (fields) => {
      const found = fields.find(([bytes]) => nameOf(bytes) === name)
      return found === undefined
        ? Effect.fail(new CodecError({ operation: "decode", detail: `there is no field ${JSON.stringify(field)}` }))
        : values.decode(found[1])
    }
  }
}
