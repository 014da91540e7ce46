/**
 * The entries of a cache that this program keeps itself, in the client's cache.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { hmget } from "../../commands/Hashes.ts"
import type { TimeToLive } from "../../RedisArg.ts"
import { cached } from "../../RedisCache.ts"
import { asBytes } from "../../RedisCommand.ts"
import type { RedisCommand } from "../../RedisCommand.ts"
import type { CommandError } from "../../RedisError.ts"
import { decodeUtf8 } from "../codec/utf8.ts"
import type { KeyspaceError } from "../keyspace/model.ts"
import { elapsed } from "../runtime/elapsed.ts"
import type { Found } from "./scripts.ts"

/**
 * - `synchronize`: takes the server's time, and when it was asked for: the server's is later, so that entries may seem
 *   older than they are and never younger. Before that nothing is kept. Servers of a cluster are taken to have one time.
 * - `look`: a value that is certainly fresh; `undefined` when the server is to be asked.
 */
export interface LocalEntries {
  readonly synchronize: (now: number, askedAt: number) => Effect.Effect<void>
  readonly look: <A>(
    key: string,
    spread: number,
    decode: (found: Found) => Effect.Effect<Option.Option<A>, KeyspaceError>
  ) => Effect.Effect<Option.Option<A> | undefined, CommandError>
}

export const localEntries = (
  run: <A>(command: RedisCommand<A>) => Effect.Effect<A, CommandError>,
  clock: Clock.Clock,
  ttl: TimeToLive
): LocalEntries => {
  /** The difference by which the server's time is ahead of this clock, which is never set. */
  let ahead: number | undefined
  const read = (key: string) => run(asBytes(cached(hmget(key, "version", "value", "fresh", "took"), { ttl })))
  return {
    synchronize: (now, askedAt) =>
      Effect.sync(() => {
        ahead = now - askedAt
      }),
    look: (key, spread, decode) =>
      Effect.suspend(() => {
        if (ahead === undefined) return Effect.undefined
        const now = elapsed(clock) + ahead
        return Effect.flatMap(read(key), ([version, value, fresh, took]) => {
          // Another program may have stored what is no number.
          if (version === undefined || !(now + number(took) * spread < number(fresh))) return Effect.undefined
          const found: Found = { now, known: true, lease: "none", version: undefined, value }
          // A value that does not fit is asked of the server.
          return Effect.catch(decode(found), () => Effect.undefined)
        })
      })
  }
}

const number = (bytes: Uint8Array | undefined): number =>
  bytes === undefined ? 0 : Number(decodeUtf8(bytes, 0, bytes.length))
