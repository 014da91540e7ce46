/**
 * Parts of replies that are left as they came, for decoders that look at them first.
 */
import * as Reply from "../../RedisReply.ts"
import type * as Resp from "../../Resp.ts"
import { isReadonlyArray } from "../argument/isReadonlyArray.ts"

/** Any value. */
export const anything: Reply.Reply<Resp.Value> = Reply.make((value) => value)

/** The elements of an array. */
export const elements: Reply.Reply<ReadonlyArray<Resp.Value>> = Reply.make((value) =>
  isReadonlyArray(value) ? value : Reply.mismatch("an array", value)
)
