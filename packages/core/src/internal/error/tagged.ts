/**
 * Classes of errors that print with their message.
 */
import type * as Cause from "effect/Cause"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"

/** What consoles give to an object that prints itself: how deep it stands, how to print, and what prints its parts. */
type Inspect = (value: unknown, options: unknown) => string

/** The fields as they are. The field `cause` is not enumerable. */
const fieldsOf = (error: Error): { readonly cause?: unknown } =>
  error.cause === undefined ? { ...error } : { ...error, cause: error.cause }

/** The stack with the message, or the message where there is no stack, and the fields. */
function printed(this: Error, depth: number, options: unknown, inspect?: Inspect): unknown {
  const { message, name, stack } = this
  const heading = `${name}: ${message}`
  // An error whose `name` is a field of its own says by itself what it is.
  const head = stack?.includes(message) === true ? stack.replace(heading, () => String(this)) : String(this)
  const fields = fieldsOf(this)
  return depth < 0 || inspect === undefined ? fields : `${head} ${inspect(fields, options)}`
}

/** The fields for JSON. It never fails, as a program that logs an error has no use for another one. */
function json(this: Error): unknown {
  const fields = fieldsOf(this)
  return "cause" in fields ? { ...fields, cause: toldOf(fields.cause) } : fields
}

/**
 * What JSON has of a cause, which may be anybody's. Errors of Node.js refer to certificates, and other errors to sockets and
 * requests, in circles. JSON has the message of such an error, and its fields that are no objects. A cause is asked once, as it
 * may answer otherwise when it is asked again.
 */
const toldOf = (cause: unknown): unknown => {
  try {
    const text: string | undefined = JSON.stringify(
      cause instanceof Error && !("toJSON" in cause) ? plainOf(cause) : cause
    )
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return textOf(cause)
  }
}

const plainOf = (cause: Error): object => {
  const { message, name } = cause
  return { name, message, ...Object.fromEntries(Object.entries(cause).filter(([, value]) => isPlain(value))) }
}

const isPlain = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value)

const textOf = (cause: unknown): string => {
  try {
    return String(cause)
  } catch {
    return typeof cause
  }
}

/** Whether an error of the same class has the same fields. What else hangs on one tells only how it was made. */
function equals(this: Error, that: unknown): boolean {
  return that instanceof Error && that.constructor === this.constructor && Equal.equals(fieldsOf(this), fieldsOf(that))
}

function hash(this: Error): number {
  return Hash.hash(fieldsOf(this))
}

const methods = { [NodeInspectSymbol]: printed, toJSON: json, [Equal.symbol]: equals, [Hash.symbol]: hash }

type Optional = { readonly "~type.optionality": "optional" }

type Side<F extends Schema.Struct.Fields, S extends "Type" | "Encoded" | "Iso"> =
  & { readonly [K in keyof F as F[K] extends Optional ? never : K]: F[K][S] }
  & { readonly [K in keyof F as F[K] extends Optional ? K : never]?: F[K][S] }

/**
 * The fields of an error, as a schema: what `Schema.TaggedStruct` is to a class, for fields without defaults that are all
 * `readonly`. With that one the classes of all errors cost a program 12,000 instantiations more.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaggedFields<Tag extends string, F extends Schema.Struct.Fields>
  extends Schema.BottomLazy<SchemaAST.Objects, TaggedFields<Tag, F>>
{
  readonly Type: { readonly _tag: Tag } & Side<F, "Type">
  readonly Encoded: { readonly _tag: Tag } & Side<F, "Encoded">
  readonly Iso: { readonly _tag: Tag } & Side<F, "Iso">
  readonly DecodingServices: Schema.Struct.DecodingServices<F>
  readonly EncodingServices: Schema.Struct.EncodingServices<F>
  readonly "~type.make.in": { readonly _tag?: Tag } & Side<F, "Type">
  readonly "~type.make": { readonly _tag?: Tag } & Side<F, "Type">
  readonly fields: { readonly _tag: Schema.tag<Tag> } & F
}

/**
 * Like `Schema.TaggedError`, but for how its errors print where a console is given one: as their fields alone, without the
 * message, which says what to try; but for causes in JSON; and but for what makes two of them equal.
 */
export const TaggedError: <Self>(
  identifier: string
) => <Tag extends string, const Fields extends Schema.Struct.Fields>(
  tag: Tag,
  fields: Fields
) => Schema.Class<Self, TaggedFields<Tag, Fields>, Cause.YieldableError> = ((identifier: string) => {
  const define: (...parameters: ReadonlyArray<never>) => { readonly prototype: object } = Schema.TaggedError<Error>(
    identifier
  )
  return (...parameters: ReadonlyArray<never>) => {
    const made = define(...parameters)
    for (const name of Reflect.ownKeys(methods)) {
      const value: unknown = Reflect.get(methods, name)
      Object.defineProperty(made.prototype, name, { value, writable: true, configurable: true })
    }
    return made
  }
  // It takes and gives what the original does: the fields are those of a tagged struct, as `TaggedFields`.
}) as never
