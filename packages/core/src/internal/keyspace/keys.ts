/**
 * Names the keys of a keyspace, and finds them.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { TimeToLive } from "../../RedisArg.ts"
import type { DataError } from "../../RedisError.ts"
import { escapeGlob } from "../argument/glob.ts"
import { lifeOrEndless, readOptions } from "../argument/options.ts"
import { thrown } from "../error/printable.ts"
import { durationFrom } from "../runtime/milliseconds.ts"
import { onlyFitting } from "../values/misfits.ts"
import { missing } from "../values/schemaValues.ts"
import { codecOf, refuse } from "./codec.ts"
import type { KeyOptions, KeyspaceError, SetOptions } from "./model.ts"

export interface Keys<Id> {
  readonly of: (id: Id) => Effect.Effect<string, KeyspaceError>
  readonly idOf: (key: string) => Effect.Effect<Id, KeyspaceError>
  /** The glob pattern of all keys, or the reason why there is none. */
  readonly match: Effect.Effect<string, KeyspaceError>
  /** The time to live of a write; `undefined` means no limit. */
  readonly ttl: (write?: SetOptions) => Effect.Effect<Duration.Duration | undefined, DataError>
  readonly scanCount: number
  /** Reads what was found; the result is empty when it does not fit and is to be left out. */
  readonly onlyFitting: <A>(
    found: Effect.Effect<ReadonlyArray<A>, KeyspaceError>
  ) => Effect.Effect<ReadonlyArray<A>, KeyspaceError>
}

/** Stands for the id while the parts of a key around the id are looked for. */
const placeholder = "\u0000"

/** Names none where an option is missing: all that is done with a keyspace begins with its keys. */
export const keysOf = <Id>(options: KeyOptions<Id> & { readonly value: unknown }): Keys<Id> => {
  const { key: template, ttl } = options
  const name = typeof template === "function" ? template : fill(String(template))
  const title = isTemplate(template) ? nameOrNone(name, "*") : String(template)
  const [prefix = "", suffix, ...more] = nameOrNone(name, placeholder).split(placeholder)
  // Without the option, ids are strings.
  const id = codecOf(options.id ?? stringId as Schema.Codec<Id, string>, "id")
  const named = (id: string): Effect.Effect<string, KeyspaceError> => {
    try {
      return Effect.succeed(name(id))
    } catch (error) {
      return refuse(title, "encode", `the function of its key cannot read the id (${thrown(error)})`)
    }
  }
  const refusal = isTemplate(template) ? missing(options.value, "value") : noTemplate
  const refused = refusal === undefined ? undefined : refuse(title, "encode", refusal)
  const match = refused ?? (suffix === undefined || more.length > 0
    ? refuse(title, "decode", "keys do not contain their id as it is, so that they cannot be scanned")
    : Effect.succeed(`${escapeGlob(prefix)}*${escapeGlob(suffix)}`))
  return {
    of: (value) => refused ?? Effect.flatMap(id.encode(value, title), named),
    idOf: (key) => id.decode(key.slice(prefix.length, key.length - (suffix ?? "").length), key),
    match,
    ttl: (write) => ttlOf(write?.ttl ?? ttl),
    scanCount: options.scanCount ?? 1000,
    onlyFitting: onlyFitting(options.misfits)
  }
}

/** Servers take no time for a time that is over, or for none after they have written: a value would be gone at once, or stay. */
const ttlOf = (ttl: TimeToLive | undefined): Exit.Exit<Duration.Duration | undefined, DataError> =>
  ttl === undefined
    ? Exit.succeed(undefined)
    : readOptions("RedisKeyspace", () => {
      const life = lifeOrEndless("ttl", ttl)
      return life === undefined ? undefined : Duration.millis(life)
    })

/** A time to live as it is sent; `undefined` for one without end. What is no duration stays, for its command to refuse. */
export const finite = (ttl: TimeToLive): TimeToLive | undefined => {
  const duration = durationFrom(ttl)
  return duration === undefined ? ttl : Duration.toMillis(duration) === Infinity ? undefined : duration
}

/** What programs without types give may be anything. */
const isTemplate = (template: unknown): boolean =>
  typeof template === "function" || typeof template === "string" && template.includes("*")

const noTemplate = "key is missing or has no * for the id; give one, such as { key: \"user:*\" }"

/** A key, or none where the function of a program takes other texts only, or names none: then the keys cannot be scanned. */
const nameOrNone = (name: (id: string) => string, id: string): string => {
  try {
    return String(name(id))
  } catch {
    return ""
  }
}

/** The schema of ids that have none: then `Id` has its default, a string. */
const stringId: Schema.Codec<string, string> = Schema.String

const fill = (template: string) => {
  const star = template.indexOf("*")
  const [prefix, suffix] = [template.slice(0, star), template.slice(star + 1)]
  return (id: string): string => prefix + id + suffix
}
