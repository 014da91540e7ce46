/**
 * Where channels are subscribed to: at one place, or at all of those that each
 * tell of something by themselves.
 */
import type * as RedisArg from "../../RedisArg.ts"
import type { Kind } from "../../RedisPubSub.ts"
import type { Subscribers } from "../client/router.ts"

/** The places of a channel at the moment. */
export const serversOf = (
  { serverFor, spread }: Subscribers,
  kind: Kind,
  key: RedisArg.Key
): ReadonlyArray<string> => spread?.includes(kind, key) === true ? spread.servers() : [serverFor(kind, key)]

/** What events call the server of a place. */
export const shownServer = (server: string): string | undefined => server === "" ? undefined : server
