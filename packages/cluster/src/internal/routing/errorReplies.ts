/**
 * What error replies of servers say: whether a command was not run, and where a redirect leads.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import * as Result from "effect/Result"
import { slotCount } from "../topology/slot.ts"
import { parseAddress } from "../topology/topology.ts"
import { slotIn } from "./plan.ts"
import type { Outcome, Where } from "./verdictModel.ts"

export type Refused = Omit<Extract<Outcome, { readonly _tag: "Refused" }>, "_tag">

/**
 * The words in which servers refuse a command before it runs. A script would have to say exactly the same on purpose.
 */
export const refusalWords: ReadonlyMap<string, RegExp> = new Map([
  ["MOVED", /^MOVED \d+ \S+$/],
  ["ASK", /^ASK \d+ \S+$/],
  ["TRYAGAIN", /^TRYAGAIN Multiple keys request during rehashing of slot$/],
  ["CLUSTERDOWN", /^CLUSTERDOWN (The cluster is down\b|Hash slot not served$)/],
  ["MASTERDOWN", /^MASTERDOWN Link with (MASTER|PRIMARY) is down and replica-serve-stale-data is set to 'no'\.$/],
  ["LOADING", /^LOADING \w+ is loading the dataset in memory$/],
  ["CROSSSLOT", /^CROSSSLOT Keys in request don't hash to the same slot$/],
  ["READONLY", /^READONLY You can't write against a read only replica\.$/]
])

/**
 * Whether an error reply shows that nothing was run. Code on the server can write first and then answer with any error
 * that it likes.
 */
export const isBelieved = (command: RedisCommand.Any, where: Where, { code, line, queued }: Refused): boolean => {
  if (queued || !command.spec.runsCode) return true
  const words = refusalWords.get(code)
  if (words === undefined) return code !== "UNBLOCKED"
  if (!words.test(line)) return false
  if (code !== "MOVED" && code !== "ASK") return true
  const redirect = redirectIn(line, where)
  return redirect !== undefined && redirect.slot === slotIn(command) &&
    (redirect.node === undefined || formatEndpoint(redirect.node) !== where.address)
}

/**
 * The slot and the server that a redirect names; `undefined` for a line that is none. `isUnknown` says that the topology
 * has to tell the server: whoever redirects does not know it, or has named too many.
 */
export const redirectIn = (
  line: string,
  { address, atPort, follows, translate }: Where
): { readonly slot: number; readonly node: NodeAddress | undefined; readonly isUnknown: boolean } | undefined => {
  const [code, slotText = "", addressText = ""] = line.split(" ")
  const slot = Number(slotText)
  if (!/^\d+$/.test(slotText) || slot >= slotCount) return undefined
  const told = parseAddress(addressText, address)
  if (told === undefined) return undefined
  // The topology says nothing about an ASK. An ASK that is followed to a wrong server comes back as MOVED.
  if (told.host === "?") return { slot, node: code === "ASK" ? atPort(told.port) : undefined, isUnknown: true }
  const translated = translate(told)
  // A redirect to an address that the program cannot translate cannot be followed, so the command fails with it.
  if (Result.isFailure(translated)) return { slot, node: undefined, isUnknown: false }
  const node = translated.success
  return follows(node) ? { slot, node, isUnknown: false } : { slot, node: undefined, isUnknown: true }
}
