/**
 * The stack of the decoder: one frame for each aggregate that is not complete yet.
 */
import { Attributed, MapReply, Push, SetReply } from "../../RespValue.ts"
import type { Value } from "../../RespValue.ts"
import { forgetting } from "./gather.ts"
import type { GatheredItems, Reader } from "./gather.ts"
import { ARRAY, MAP, PUSH, SET } from "./types.ts"

// Two kinds of frames have no type byte: the root, whose items are the results of `push`, and the one that wraps its
// only item into the attributes that came before it.
export const ROOT = 0
export const ATTRIBUTED = 1

/**
 * The number of items that the root takes before it is asked whether it is full, and says no. It is a small integer of
 * V8.
 */
export const UNBOUNDED = 2 ** 30

/**
 * The items of a frame that is not in use, so that the frame keeps no reply alive. Nothing is ever written to this
 * array.
 */
export const none: Array<Value> = []

/**
 * Up to this many announced elements, an aggregate gets an array of its length. For aggregates within others, many of
 * which may be open at once, that is less memory than V8 allocates for the first element pushed to an empty array,
 * which is room for 17. Measured: XRANGE of 1000 entries takes 307 KB to parse and not 552, as a pair takes 64 bytes
 * and not 184; HGETALL of 1000 fields takes 115 KB and not 174.
 */
const WHOLE = 2048
const NESTED = 128

/**
 * The array for an announced number of elements at some depth. A server that lies makes the client allocate 16 KB, and
 * 1 KB more for each level.
 */
export const arrayFor = (length: number, depth: number): Array<Value> =>
  length <= NESTED || length <= WHOLE && depth === 1 ? new Array<Value>(length) : []

/** An aggregate being filled. Frames are reused, one for each depth ever reached. */
export class Frame {
  kind = ROOT
  /** Whether the length is unknown and an `END` will come. */
  streamed = false
  /** The items that have come stand before `count`; the array may already have its final length. */
  items: Array<Value> = none
  count = 0
  /** Items still to come, never 0 between two values. For a streamed aggregate, how many more the limit allows. */
  remaining = UNBOUNDED
  /** Set while the kind is `ATTRIBUTED`. */
  attributes: MapReply | undefined = undefined
  /** The elements that were read before the aggregate was complete. */
  gathered: GatheredItems | undefined = undefined

  /** Begins to fill an array from its start on. */
  hold(items: Array<Value>): void {
    this.items = items
    this.count = 0
  }

  add(value: Value): void {
    this.items[this.count++] = value
  }
}

/** The value of a complete frame. */
export const valueOf = (frame: Frame, keepAttributes: boolean): Value => {
  const items = frame.items
  // The gathered elements go to the decoder that has begun them; to anybody else they are no value.
  if (frame.gathered !== undefined) return frame.gathered.complete(items) as never
  switch (frame.kind) {
    case MAP:
      return new MapReply(items)
    case SET:
      return new SetReply(items)
    case PUSH:
      return new Push(items)
    case ATTRIBUTED:
      return keepAttributes ? new Attributed(frame.attributes!, items[0]!) : items[0]!
    default:
      return items
  }
}

/**
 * Has the elements read that have come of a reply that is not complete, and returns the reader of the value in progress. The
 * first frame is that of the root.
 */
export const gather = (frames: ReadonlyArray<Frame>, depth: number, reader: Reader): Reader | undefined => {
  let current: Reader | undefined = reader
  for (let level = 1; level <= depth && current !== undefined; level++) {
    // There is a frame for each level up to the depth, so the index is in range.
    const frame = frames[level]!
    // The elements of streamed aggregates stay, because the limits count them where they are.
    if (frame.streamed || frame.kind !== ARRAY && frame.kind !== MAP && frame.kind !== SET) return undefined
    const index: number = (frame.gathered?.taken ?? 0) + frame.count
    // The empty slots of elements that are still to come must not be seen.
    frame.items.length = frame.count
    if (frame.gathered === undefined || current === forgetting) frame.gathered = current.begin(frame.items)
    if (frame.gathered !== undefined) {
      frame.items = frame.gathered.take(frame.items)
      frame.count = frame.items.length
    }
    current = current.element(index)
  }
  return current
}
