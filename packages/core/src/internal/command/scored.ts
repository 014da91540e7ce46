/**
 * Members of sorted sets with their scores, as both protocols send them.
 */
import * as Reply from "../../RedisReply.ts"

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
> = Reply.make((value, view) => {
  const out: Array<Scored<string | Uint8Array>> = []
  for (const [member, score] of memberScores.decode(value, view)) out.push({ member, score })
  // All members were decoded in one view: the array is of one of the declared types.
  return out as ReadonlyArray<Scored> | ReadonlyArray<Scored<Uint8Array>>
})

const memberScores = Reply.pairs(Reply.blob, Reply.double)
