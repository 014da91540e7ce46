/**
 * The fields of a command. The command becomes an effect where the client is known.
 */
import type * as RedisArg from "../../RedisArg.ts"
import * as RedisReply from "../../RedisReply.ts"
import type { Spec } from "./spec.ts"

/** What only commands have. */
export const TypeId = "~redfx/RedisCommand"

/**
 * How the answer to a command is cached.
 *
 * @category models
 * @since 0.1.0
 */
export interface Caching {
  /** For how many milliseconds at the most. */
  readonly life: number
}

export class CommandImpl {
  readonly spec: Spec
  readonly parts: ReadonlyArray<RedisArg.Part>
  readonly reply: RedisReply.Reply<unknown, unknown, unknown>
  // The values that most commands have are in the prototype, where they cost a command nothing.
  declare readonly view: RedisReply.View
  declare readonly caching: Caching | undefined
  declare readonly unsent: RedisArg.Answer | RedisArg.InvalidArgument | undefined

  constructor(
    spec: Spec,
    parts: ReadonlyArray<RedisArg.Part>,
    reply: RedisReply.Reply<unknown, unknown, unknown>,
    view: RedisReply.View,
    unsent: RedisArg.Answer | RedisArg.InvalidArgument | undefined
  ) {
    this.spec = spec
    this.parts = parts
    this.reply = reply
    if (view !== RedisReply.textView) this.view = view
    if (unsent !== undefined) this.unsent = unsent
  }
}

/** A command that is cached. The field is in a class of its own, because few commands have it. */
export class CachedImpl extends CommandImpl {
  override readonly caching: Caching

  constructor(caching: Caching, ...rest: ConstructorParameters<typeof CommandImpl>) {
    super(...rest)
    this.caching = caching
  }
}

export const implOf = (caching: Caching | undefined, ...rest: ConstructorParameters<typeof CommandImpl>): CommandImpl =>
  caching === undefined ? new CommandImpl(...rest) : new CachedImpl(caching, ...rest)
