/**
 * Members of sorted sets with their scores, as both protocols send them.
 */
import * as Reply from "../../RedisReply.ts"
import { manyPairs } from "./collections.ts"

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
  put: (out, member, score, view) => {
    out.push({ member: Reply.blob.decode(member, view), score: Reply.double.decode(score, view) })
  }
})
