/**
 * The commands that no cluster runs on keys of several slots, and that are put together from others. None of them is
 * atomic. All read from masters: a value that is written in consequence must not be an old one.
 */
import type { Split } from "../crossSlot.ts"
import { onCopies } from "./hyperLogLog.ts"
import { copy, msetnx, rename, renamenx } from "./keys.ts"
import { move } from "./lists.ts"
import { sdiffstore, sinterstore, smove, sunionstore } from "./sets.ts"

/** The commands that can be emulated, by name. */
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
