/**
 * Finds the keys of commands that were sent by name only, where no argument is marked as a key.
 */
import type { Key } from "@redfx/core/RedisArg"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { asKey } from "@redfx/core/unstable/Request"
import { numberAt, wordAt } from "../multiKey/arguments.ts"

/** The position of the keys: the index of the first one, the index of their number, or the word that they follow. */
type KeyPosition = { readonly first: number } | { readonly count: number } | { readonly after: string }

const keyPositions: ReadonlyMap<string, KeyPosition> = new Map(
  ([
    [
      { count: 0 },
      "LMPOP MSETEX SDIFFCARD SINTERCARD SUNIONCARD TS.NRANGE TS.NREVRANGE ZDIFF ZINTER ZINTERCARD ZMPOP ZUNION"
    ],
    [{ count: 1 }, "BLMPOP BZMPOP EVAL EVALSHA EVALSHA_RO EVAL_RO FCALL FCALL_RO"],
    [{ first: 1 }, "BITOP FT.CURSOR JSON.DEBUG PFDEBUG"],
    [{ first: 2 }, "MIGRATE"],
    [{ after: "STREAMS" }, "XREAD XREADGROUP"]
  ] satisfies ReadonlyArray<readonly [KeyPosition, string]>).flatMap(([position, names]) =>
    names.split(" ").map((name) => [name, position] as const)
  )
)

/** The keys of a command, by its name. A command that is not in the table has its first argument for a key. */
export const untypedKeys = (command: RedisCommand.Any): ReadonlyArray<Key> => {
  const position = keyPositions.get(command.spec.capitals) ?? { first: 0 }
  const [from, length] = "first" in position
    ? [position.first, 1]
    : "count" in position
    ? [position.count + 1, numberAt(command, position.count) ?? 0]
    : afterWord(command, position.after)
  return command.parts.slice(from, from + Math.max(length, 0)).map(asKey)
}

/** The keys after a word. As many keys follow the word as there are other arguments after the keys. */
const afterWord = (command: RedisCommand.Any, word: string): readonly [from: number, length: number] => {
  const from = command.parts.findIndex((_, index) => wordAt(command, index) === word) + 1
  return [from, from === 0 ? 0 : Math.floor((command.parts.length - from) / 2)]
}
