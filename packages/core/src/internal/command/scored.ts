/**
 * Members of sorted sets with their scores, as both protocols send them.
 */
import * as Reply from "../../RedisReply.ts"
import { manyPairs } from "./many.ts"

/** A member of a sorted set and its score. */
export interface Scored<Member = string> {
  readonly member: Member
  readonly score: number
}

/** Members and scores in turn (RESP2) or as pairs (RESP3). */
export const scoredMembers: Reply.Reply<
  ReadonlyArray<Scored>,
  ReadonlyArray<Scored<Uint8Array>>,
  ReadonlyArray<Scored>
> = manyPairs({
  begin: (): Array<Scored<string | Uint8Array>> => [],
  fill: (out, source, view) => {
    for (let i = 0; i < source.length; i += 2) {
      // In range: there is a score for each member.
      out.push({ member: Reply.blob.decode(source[i]!, view), score: Reply.double.decode(source[i + 1]!, view) })
    }
  }
})
