/**
 * Members of sorted sets with their scores, as both protocols send them.
 */
import * as Reply from "../../RedisReply.ts"
import { manyPairs } from "./collections.ts"
import { list, plain } from "./plain.ts"

/**
 * A member of a sorted set and its score.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface ScoredMember<Member = string> {
  /** The member. */
  readonly member: Member
  /** Its score. */
  readonly score: number
}

const Scored = plain<ScoredMember<string | Uint8Array>, [string | Uint8Array, number]>(function(member, score) {
  this.member = member
  this.score = score
})

/** Members and scores in turn (RESP2) or as pairs (RESP3). */
export const scoredMembers: Reply.Reply<
  ReadonlyArray<ScoredMember>,
  ReadonlyArray<ScoredMember<Uint8Array>>,
  ReadonlyArray<ScoredMember>
> = manyPairs({
  begin: () => list<ScoredMember<string | Uint8Array>>(),
  put: (out, member, score, view) => {
    out.push(new Scored(Reply.blob.decode(member, view), Reply.double.decode(score, view)))
  }
})
