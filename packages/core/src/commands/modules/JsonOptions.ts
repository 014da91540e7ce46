/**
 * The options of the commands on JSON documents, and how values are sent.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"

/**
 * What JSON can express.
 *
 * @category json
 * @since 0.1.0
 */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [name: string]: Json }

/**
 * Options of {@link jsonGet}: the layout of the text, which matters in the bytes view only.
 *
 * @category json
 * @since 0.1.0
 */
export interface JsonGetOptions {
  /** Stands before each member, once for each level. Default nothing. */
  readonly indent?: string | undefined
  /** Stands at the end of each line. Default nothing. */
  readonly newline?: string | undefined
  /** Stands between the name of a member and its value. Default nothing. */
  readonly space?: string | undefined
}

/**
 * When {@link jsonSet} stores a value: with `nx` only if nothing is at the path, with `xx` only if something is.
 *
 * @category json
 * @since 0.1.0
 */
export type JsonSetCondition =
  | {
    /** Only if nothing is at the path. */
    readonly nx?: boolean | undefined
    readonly xx?: undefined
  }
  | {
    readonly nx?: undefined
    /** Only if something is at the path. */
    readonly xx?: boolean | undefined
  }

/**
 * Options of {@link jsonSet}.
 *
 * @category json
 * @since 0.1.0
 */
export type JsonSetOptions = JsonSetCondition & {
  /** How arrays of floating-point numbers are stored. One with a number that does not fit is refused. Redis 8.8. */
  readonly fpha?: "bf16" | "fp16" | "fp32" | "fp64" | undefined
}

/**
 * Options of {@link jsonSetSerialized}.
 *
 * @category json
 * @since 0.1.0
 */
export type JsonSetSerializedOptions = JsonSetOptions & {
  /** The form of the value: `"json"` (the server's default), `"string"`, or `"bson"` for a BSON document. */
  readonly format?: "json" | "string" | "bson" | undefined
}

// -----------------------------------------------------------------------------
// Arguments
// -----------------------------------------------------------------------------

/**
 * A value as JSON text. Refuses a value that JSON cannot express, nested ones too.
 *
 * @category arguments
 * @since 0.1.0
 */
export const encode = (value: Json): string => {
  const text = stringify(value)
  // JSON.stringify writes null for a number that JSON does not have. Most texts have no null, and need no second pass.
  if (text.includes("null")) stringify(value, refused)
  return text
}

const stringify = (value: Json, replacer?: (name: string, value: unknown) => unknown): string => {
  let text: string | undefined
  try {
    text = JSON.stringify(value, replacer)
  } catch (error) {
    return error instanceof Arg.InvalidArgument
      ? Arg.invalid(error.detail)
      : Arg.invalid("has no JSON text: it holds itself, or a bigint")
  }
  // JavaScript callers may pass a value that has no JSON text.
  return text ?? Arg.invalid("has no JSON text")
}

const refused = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? Arg.invalid(`has no JSON text for ${value}`) : value

/**
 * Values as JSON texts; at least one is needed.
 *
 * @category arguments
 * @since 0.1.0
 */
export const encodeAll = (values: ReadonlyArray<Json>): ReadonlyArray<string> =>
  values.length === 0 ? Arg.invalid("needs at least one value") : values.map(encode)
