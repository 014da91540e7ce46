/**
 * Keys, fields and members one by one: SCAN and its relatives as streams.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { scan } from "./commands/Generic.ts"
import type { ScanOptions } from "./commands/Generic.ts"
import { hscan } from "./commands/Hashes.ts"
import type { HscanOptions } from "./commands/Hashes.ts"
import { sscan } from "./commands/Sets.ts"
import type { SscanOptions } from "./commands/Sets.ts"
import { zscan } from "./commands/SortedSets.ts"
import type { ScoredMember, ZscanOptions } from "./commands/SortedSets.ts"
import type { Key } from "./RedisArg.ts"
import { RedisClient } from "./RedisClient.ts"
import { asBytes } from "./RedisCommand.ts"
import type { RedisCommand } from "./RedisCommand.ts"
import type { CommandError } from "./RedisError.ts"

/**
 * What a scan yields, and how it ends.
 *
 * **Details**
 *
 * - A page is asked for when its first element is wanted, never before: `Stream.take(1)` costs one page.
 * - What is there throughout comes at least once; what comes or goes meanwhile may or may not. The same element may come
 *   more than once.
 * - When another server takes the place of the one that is scanned, as in a failover or when its slot moves, the scan begins again there.
 *   So it does when the client had no connection to the server for 20 milliseconds or more, because a server that has started anew has
 *   another order.
 * - It can be interrupted at any point and leaves nothing behind, on the server either.
 * - A page that fails fails the stream. It cannot be resumed there; a retry starts from the beginning.
 *
 * @category models
 * @since 0.1.0
 */
export type ScanStream<A> = Stream.Stream<A, CommandError, RedisClient>

/**
 * Scans the keys of the database, as a Stream; on a cluster the keys of all nodes.
 *
 * - `match`: only keys that match this glob pattern. `type`: only keys of this type.
 * - `count`: about how many keys to look at for a page, 10 by default.
 *
 * **Example** (Deleting what matches)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Stream } from "effect"
 *
 * export const clear = Redis.scanStream({ match: "session:*", count: 500 }).pipe(
 *   Stream.grouped(100),
 *   Stream.runForEach((keys) => Redis.unlink(keys))
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const scanStream = (options?: ScanOptions): ScanStream<string> =>
  pages((cursor) => scan(cursor, options), ({ keys }) => keys)

/**
 * Like {@link scanStream}, for keys that need not be text.
 *
 * @category streams
 * @since 0.1.0
 */
export const scanStreamBytes = (options?: ScanOptions): ScanStream<Uint8Array> =>
  pages((cursor) => asBytes(scan(cursor, options)), ({ keys }) => keys)

/**
 * Scans the fields of the hash at `key`, as a Stream of each field with its value. It is empty when the key does not exist.
 *
 * @category streams
 * @since 0.1.0
 */
export const hscanStream = (key: Key, options?: HscanOptions): ScanStream<readonly [field: string, value: string]> =>
  pages((cursor) => hscan(key, cursor, options), ({ entries }) => Object.entries(entries))

/**
 * Like {@link hscanStream}, for fields and values that need not be text.
 *
 * @category streams
 * @since 0.1.0
 */
export const hscanStreamBytes = (
  key: Key,
  options?: HscanOptions
): ScanStream<readonly [field: Uint8Array, value: Uint8Array]> =>
  pages((cursor) => asBytes(hscan(key, cursor, options)), ({ entries }) => entries)

/**
 * Scans the members of the set at `key`, as a Stream. It is empty when the key does not exist.
 *
 * @category streams
 * @since 0.1.0
 */
export const sscanStream = (key: Key, options?: SscanOptions): ScanStream<string> =>
  pages((cursor) => sscan(key, cursor, options), ({ members }) => members)

/**
 * Like {@link sscanStream}, for members that need not be text.
 *
 * @category streams
 * @since 0.1.0
 */
export const sscanStreamBytes = (key: Key, options?: SscanOptions): ScanStream<Uint8Array> =>
  pages((cursor) => asBytes(sscan(key, cursor, options)), ({ members }) => members)

/**
 * Scans the members of the sorted set at `key`, as a Stream of each member with its score, in no order. It is empty when
 * the key does not exist.
 *
 * @category streams
 * @since 0.1.0
 */
export const zscanStream = (key: Key, options?: ZscanOptions): ScanStream<ScoredMember> =>
  pages((cursor) => zscan(key, cursor, options), ({ members }) => members)

/**
 * Like {@link zscanStream}, for members that need not be text.
 *
 * @category streams
 * @since 0.1.0
 */
export const zscanStreamBytes = (key: Key, options?: ZscanOptions): ScanStream<ScoredMember<Uint8Array>> =>
  pages((cursor) => asBytes(zscan(key, cursor, options)), ({ members }) => members)

/**
 * Where a scan stands.
 *
 * - `cursor`: the server's own. It stays text: it has 64 bits, and on a cluster also says which node it belongs to.
 * - `servers`: what the client counted when the server gave it.
 */
interface Position {
  readonly cursor: string
  readonly servers: number | undefined
}

const start: Position = { cursor: "0", servers: undefined }

const pages = <Page extends { readonly cursor: string }, A>(
  page: (cursor: string) => RedisCommand<Page>,
  elements: (page: Page) => ReadonlyArray<A>
): ScanStream<A> =>
  Stream.paginate(start, (position: Position) =>
    Effect.gen(function*() {
      const { servers } = yield* RedisClient
      const command = page(position.cursor)
      const before = servers?.(command)
      // Each server, each time it starts, has an order of its own: the cursor of another would leave out what is in front of
      // it.
      const found = yield* (position.servers === before ? command : page("0"))
      const after = servers?.(command)
      // The first server that there was is the only one that can have answered.
      const isKnown = after === before || after === 1
      const next = isKnown ? { cursor: found.cursor, servers: after } : start
      return [elements(found), found.cursor === "0" && isKnown ? Option.none() : Option.some(next)] as const
    }))
