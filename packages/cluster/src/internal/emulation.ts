/**
 * Commands that no cluster runs on keys of several slots, put together from
 * others: none of them is atomic.
 *
 * @internal
 */
import type { Split } from "./crossSlot.ts"
import { onCopies } from "./emulatedHyperLogLog.ts"
import { copy, msetnx, rename, renamenx } from "./emulatedKeys.ts"
import { move } from "./emulatedLists.ts"
import { sdiffstore, sinterstore, smove, sunionstore } from "./emulatedSets.ts"

/** What can be emulated, by the names of commands. */
export const emulations: ReadonlyMap<string, Split> = new Map([
  ["BLMOVE", move],
  ["BRPOPLPUSH", move],
  ["COPY", copy],
  ["LMOVE", move],
  ["MSETNX", msetnx],
  ["PFCOUNT", onCopies],
  ["PFMERGE", onCopies],
  ["RENAME", rename],
  ["RENAMENX", renamenx],
  ["RPOPLPUSH", move],
  ["SDIFFSTORE", sdiffstore],
  ["SINTERSTORE", sinterstore],
  ["SMOVE", smove],
  ["SUNIONSTORE", sunionstore]
])
