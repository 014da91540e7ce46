/**
 * The callers that want connections of a pool, and the connection or the dial that each of them waits for.
 */
import type * as Exit from "effect/Exit"
import type { CommandError } from "../../RedisError.ts"
import type { RedisConnection } from "../connection/model.ts"
import type { Attempts } from "./attempts.ts"
import type { Lease } from "./recycle.ts"

/** A user of the pool, with the connections that it has and waits for. */
export class Member {
  readonly claims = new Set<Claim>()
  /** The reason why the member gets no connection any more. */
  ended: CommandError | undefined = undefined
}

/** A caller that wants a connection, waits for it, has it, or is done. */
export class Claim {
  readonly member: Member
  /** The dial that it waits for; `undefined` when it waits for a connection that is in use, or does not wait. */
  dial: Dial | undefined = undefined
  /** When it began to wait. */
  since = 0
  lease: Lease | undefined = undefined
  connection: RedisConnection | undefined = undefined
  settle: ((exit: Exit.Exit<RedisConnection, CommandError>) => void) | undefined = undefined

  constructor(member: Member) {
    this.member = member
  }
}

/** A connection that is being opened. It has no claim when it is to be idle, or when its claim has ended. */
export interface Dial {
  readonly attempts: Attempts
  claim: Claim | undefined
  /** Whether the dial was begun for this claim. */
  isOwn: boolean
}
