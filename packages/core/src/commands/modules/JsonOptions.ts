/**
 * The options of the commands on JSON documents, and how values are sent.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"
import type { RedisCommand, Spec } from "../../RedisCommand.ts"

/**
 * What JSON can express.
 *
 * @category json
 * @since 0.1.0
 */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [name: string]: Json }

/**
 * The members of an object, or the elements of an array, that JSON can express. Unlike {@link Json} it takes what has an
 * interface for a type, at any depth: `<T extends object & RedisJson.JsonFields<T>>(value: T)`.
 *
 * @category json
 * @since 0.1.0
 */
export type JsonFields<T> = { readonly [K in keyof T]: JsonOf<T[K]> }

/**
 * What {@link JsonFields} takes for one of type `V`: the same, or nothing where JSON cannot express it.
 *
 * @category json
 * @since 0.1.0
 */
export type JsonOf<V> = V extends Json ? V
  : V extends (...args: never) => unknown ? never
  : V extends object ? JsonFields<V>
  : never

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

/**
 * Appends values, also objects whose types are interfaces.
 *
 * @category json
 * @since 0.1.0
 */
export interface JsonArrappend {
  /** Appends values to the arrays at a path; returns their new lengths, `undefined` for a value that is not an array. */
  (key: Arg.Key, path: string, values: ReadonlyArray<Json>): RedisCommand<
    ReadonlyArray<number | undefined>,
    ReadonlyArray<number | undefined>,
    ReadonlyArray<bigint | undefined>
  >
  /** Appends objects to the arrays at a path; returns their new lengths, `undefined` for a value that is not an array. */
  <T extends object & JsonFields<T>>(key: Arg.Key, path: string, values: ReadonlyArray<T>): RedisCommand<
    ReadonlyArray<number | undefined>,
    ReadonlyArray<number | undefined>,
    ReadonlyArray<bigint | undefined>
  >
  /** The static facts of the command. */
  readonly spec: Spec
}

/**
 * Merges a value, also an object whose type is an interface.
 *
 * @category json
 * @since 0.1.0
 */
export interface JsonMerge {
  /** Merges a value into the values at a path (RFC 7396), where `null` deletes a member; returns `true`. */
  (key: Arg.Key, path: string, value: Json): RedisCommand<boolean, boolean, boolean>
  /** Merges an object into the values at a path (RFC 7396), where `null` deletes a member; returns `true`. */
  <T extends object & JsonFields<T>>(key: Arg.Key, path: string, value: T): RedisCommand<boolean, boolean, boolean>
  /** The static facts of the command. */
  readonly spec: Spec
}

/**
 * Stores a value, also an object whose type is an interface.
 *
 * @category json
 * @since 0.1.0
 */
export interface JsonSet {
  /** Stores a value at a path, and makes the document if the path is the root; returns whether the value was stored. */
  (key: Arg.Key, path: string, value: Json, options?: JsonSetOptions): RedisCommand<boolean, boolean, boolean>
  /** Stores an object at a path, and makes the document if the path is the root; returns whether it was stored. */
  <T extends object & JsonFields<T>>(
    key: Arg.Key,
    path: string,
    value: T,
    options?: JsonSetOptions
  ): RedisCommand<boolean, boolean, boolean>
  /** The static facts of the command. */
  readonly spec: Spec
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
