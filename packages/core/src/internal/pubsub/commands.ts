/**
 * The commands that subscribe and unsubscribe.
 */
import * as RedisArg from "../../RedisArg.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import type { Kind } from "../../RedisPubSub.ts"
import * as RedisReply from "../../RedisReply.ts"

/** The key of a channel or a pattern. */
interface Named {
  readonly kind: Kind
  readonly key: RedisArg.Key
}

/** The number of names in one command: a million names must not become one huge command. */
const namesPerCommand = 1000

export const unsubscribeVerbs: Readonly<Record<Kind, string>> = {
  subscribe: "unsubscribe",
  psubscribe: "punsubscribe",
  ssubscribe: "sunsubscribe"
}

/** The reply of such a command. It is the last of its confirmations, which the hub has read already. */
const confirmed = RedisReply.make<void>(() => undefined)

/**
 * The facts of these commands. The server answers them at once, unlike commands that block, so a connection on which it
 * does not is dead.
 */
const specs: ReadonlyMap<string, RedisCommand.Spec> = new Map(
  Object.entries(unsubscribeVerbs).flat().map((verb) => [verb, new RedisCommand.Spec(verb.toUpperCase(), ["readonly"])])
)

export const commandOf = (verb: string, topics: ReadonlyArray<Named>): RedisCommand.RedisCommand<void> =>
  RedisCommand.make({
    // There is one for each verb, so it is found.
    spec: specs.get(verb)!,
    args: () => topics.map(({ key }) => RedisArg.key(key)),
    reply: confirmed
  })

export const grouped = <E extends Named>(topics: ReadonlyArray<E>): ReadonlyArray<ReadonlyArray<E>> => {
  const groups: Array<Array<E>> = []
  for (const topic of topics) {
    const group = groups.findLast((group) => group[0]?.kind === topic.kind)
    if (group === undefined || group.length === namesPerCommand) groups.push([topic])
    else group.push(topic)
  }
  return groups
}
