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

/**
 * What a command does for the topics of one kind.
 *
 * - `word`: what its confirmations begin with.
 * - `spec`: its facts. None says that the command blocks: a connection on which no confirmation comes is dead.
 */
export interface Verb {
  readonly _tag: "Subscribe" | "Unsubscribe"
  readonly word: string
  readonly spec: RedisCommand.Spec
}

const verb = (_tag: Verb["_tag"], word: string): Verb => ({
  _tag,
  word,
  spec: new RedisCommand.Spec(word.toUpperCase(), ["readonly"])
})

export const subscribing: Readonly<Record<Kind, Verb>> = {
  subscribe: verb("Subscribe", "subscribe"),
  psubscribe: verb("Subscribe", "psubscribe"),
  ssubscribe: verb("Subscribe", "ssubscribe")
}

export const unsubscribing: Readonly<Record<Kind, Verb>> = {
  subscribe: verb("Unsubscribe", "unsubscribe"),
  psubscribe: verb("Unsubscribe", "punsubscribe"),
  ssubscribe: verb("Unsubscribe", "sunsubscribe")
}

/** The reply of such a command. It is the last of its confirmations, which the hub has read already. */
const confirmed = RedisReply.make<void>(() => undefined)

export const commandOf = ({ spec }: Verb, topics: ReadonlyArray<Named>): RedisCommand.RedisCommand<void> =>
  RedisCommand.make({ spec, args: () => topics.map(({ key }) => RedisArg.key(key)), reply: confirmed })

export const grouped = <E extends Named>(topics: ReadonlyArray<E>): ReadonlyArray<ReadonlyArray<E>> => {
  const groups: Array<Array<E>> = []
  for (const topic of topics) {
    const group = groups.findLast((group) => group[0]?.kind === topic.kind)
    if (group === undefined || group.length === namesPerCommand) groups.push([topic])
    else group.push(topic)
  }
  return groups
}
