/**
 * Finds the servers that channels are subscribed to on: one, or all of those that report some events each for itself.
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

/** The name of a server in events, which leave out what stands for any server and for none. */
export const shownServer = (server: string): string | undefined => server === "" || server === "?" ? undefined : server
