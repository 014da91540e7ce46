/**
 * The servers that channels are subscribed to on: one, or all of those that each
 * tell of something by themselves.
 */
import type * as RedisArg from "../../RedisArg.ts"
import type { Kind } from "../../RedisPubSub.ts"
import type { Subscribers } from "../client/router.ts"

/** The servers of a channel at the moment. */
export const serversOf = (
  { serverFor, spread }: Subscribers,
  kind: Kind,
  key: RedisArg.Key
): ReadonlyArray<string> => spread?.includes(kind, key) === true ? spread.servers() : [serverFor(kind, key)]

/** What events call a server; they do not name one that may be any. */
export const shownServer = (server: string): string | undefined => server === "" ? undefined : server
