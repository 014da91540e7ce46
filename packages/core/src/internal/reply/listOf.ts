/**
 * Lists that servers leave out.
 */
import * as Reply from "../../RedisReply.ts"

/** An array of elements of one type; nil is an empty one, of the same type. */
/* @__NO_SIDE_EFFECTS__ */
export const listOf = <A, B, I>(
  reply: Reply.Reply<A, B, I>
): Reply.Reply<ReadonlyArray<A>, ReadonlyArray<B>, ReadonlyArray<I>> => Reply.orElse(Reply.array(reply), () => [])
