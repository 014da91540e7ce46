/**
 * Finds and deletes all keys with a prefix, wherever in a cluster they are.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { unlink } from "../../commands/Generic.ts"
import type { RedisClient } from "../../RedisClient.ts"
import type { CommandError } from "../../RedisError.ts"
import { scanStream, scanStreamBytes } from "../../RedisScan.ts"
import { escapeGlob } from "../argument/glob.ts"
import { nameOf } from "../codec/names.ts"

/** How many keys one page of SCAN looks at, and one UNLINK deletes. */
const pageSize = 1000

type Asking<A> = Effect.Effect<A, CommandError, RedisClient>

const under = (prefix: string) => ({ match: `${escapeGlob(prefix)}*`, count: pageSize })

/** The keys without the prefix. Each key is there once, although SCAN may find one several times. */
export const keysUnder = (prefix: string): Asking<ReadonlySet<string>> =>
  Effect.map(
    Stream.runCollect(scanStream(under(prefix))),
    (keys) => new Set(keys.map((key) => key.slice(prefix.length)))
  )

/** The number of keys, of which those of somebody else may be no text. */
export const countUnder = (prefix: string): Asking<number> =>
  Effect.map(Stream.runCollect(scanStreamBytes(under(prefix))), (keys) => new Set(keys.map(nameOf)).size)

export const noneUnder = (prefix: string): Asking<boolean> =>
  Effect.map(Stream.runHead(scanStreamBytes(under(prefix))), Option.isNone)

/** Deletes the keys page by page. A key that is written meanwhile may stay. */
export const clearUnder = (prefix: string): Asking<void> =>
  scanStreamBytes(under(prefix)).pipe(
    Stream.grouped(pageSize),
    Stream.runForEach((keys) => unlink(keys))
  )
