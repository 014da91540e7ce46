/**
 * The lock of one holder at a time, which is a key with the holder's token.
 */
import * as Effect from "effect/Effect"
import { exists } from "../../commands/Generic.ts"
import { get } from "../../commands/Strings.ts"
import { forMaster } from "../client/forMaster.ts"
import type { Ways } from "./lease.ts"
import * as Scripts from "./scripts.ts"

export const ways = (
  name: string,
  { fencing, ttl }: { readonly ttl: number | undefined; readonly fencing: boolean }
): Ways => ({
  most: 1,
  acquire: fencing
    ? (token) => Scripts.acquireFenced(name, token, ttl ?? 0)
    : (token) => Scripts.acquire(name, token, ttl),
  release: (token) => Scripts.release(name, token),
  extend: (token, milliseconds, mode) => Scripts.extend(name, token, milliseconds, mode),
  owned: (token) => Effect.map(forMaster(get(name)), (stored) => stored === token),
  locked: locked(name)
})

/** Whether anybody has the lock. */
export const locked = (name: string) => Effect.map(forMaster(exists(name)), (count) => count > 0)
