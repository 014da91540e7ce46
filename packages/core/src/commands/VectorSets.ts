/**
 * Commands on vector sets, which find the elements whose vectors are most similar. Redis has had them since 8.0.0;
 * Valkey does not have them.
 *
 * @since 0.1.0
 */
import { known } from "../internal/argument/known.ts"
import { manyPairs } from "../internal/reply/collections.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import type * as Resp from "../Resp.ts"

// -----------------------------------------------------------------------------
// Models and options
// -----------------------------------------------------------------------------

/**
 * A vector: numbers, sent as text, or floats of 32 bits, sent as bytes.
 *
 * @category vector sets
 * @since 0.1.0
 */
export type Vector = ReadonlyArray<number> | Float32Array

/**
 * An element and its similarity, from 0 to 1, where 1 is the same vector.
 *
 * @category vector sets
 * @since 0.1.0
 */
export interface ScoredElement<Element = string> {
  /** The element. */
  readonly element: Element
  /** The similarity, from 0 to 1, where 1 is the same vector. */
  readonly score: number
}

/**
 * An element and its attributes, the text of a JSON object; `undefined` when it has none.
 *
 * @category vector sets
 * @since 0.1.0
 */
export interface AttributedElement<Element = string> {
  /** The element. */
  readonly element: Element
  /** Its attributes, the text of a JSON object; `undefined` when it has none. */
  readonly attributes: Element | undefined
}

/**
 * An element with its similarity and its attributes.
 *
 * @category vector sets
 * @since 0.1.0
 */
export interface ScoredAttributedElement<Element = string> extends ScoredElement<Element>, AttributedElement<Element> {}

/**
 * A vector as the server keeps it.
 *
 * @category vector sets
 * @since 0.1.0
 */
export interface RawVector {
  /** `"int8"`, `"bin"` or `"f32"`. */
  readonly quantization: string
  /** The numbers, in the form that `quantization` names. */
  readonly bytes: Uint8Array
  /** The length of the original vector. */
  readonly norm: number
  /** The divisor of the numbers; `undefined` unless a number has 8 bits. */
  readonly range: number | undefined
}

/**
 * Options of {@link vadd}.
 *
 * @category vector sets
 * @since 0.1.0
 */
export interface VaddOptions {
  /** Project the vector onto this many dimensions. */
  readonly reduce?: number | undefined
  /** Look for neighbours in a background thread. */
  readonly cas?: boolean | undefined
  /**
   * How vectors are stored: `"q8"` (the default) in 8 bits per number, `"bin"` in one bit, `"noquant"` in full. It must be
   * the same for all elements.
   */
  readonly quantization?: "noquant" | "q8" | "bin" | undefined
  /** How hard to look for good neighbours, 200 by default. */
  readonly ef?: number | undefined
  /** Attributes of the element as text of a JSON object. */
  readonly setattr?: string | undefined
  /** How many links a node has, 16 by default. */
  readonly m?: number | undefined
}

/**
 * What {@link vsim} compares with: an element of the set, or a vector.
 *
 * @category vector sets
 * @since 0.1.0
 */
export type VsimQuery =
  | {
    /** The vector of this element of the set. */
    readonly ele: Arg.Value
    readonly vector?: undefined
  }
  | {
    /** This vector. */
    readonly vector: Vector
    readonly ele?: undefined
  }

/**
 * Options of {@link vsim}.
 *
 * @category vector sets
 * @since 0.1.0
 */
export interface VsimOptions {
  /** How many elements at most, 10 by default. */
  readonly count?: number | undefined
  /** Only elements at most this far away, from 0 to 1. */
  readonly epsilon?: number | undefined
  /** How hard to look. */
  readonly ef?: number | undefined
  /** An expression over the attributes. */
  readonly filter?: string | undefined
  /** How many elements to try the filter on. */
  readonly filterEf?: number | undefined
  /** Compare with every element. */
  readonly truth?: boolean | undefined
  /** Run in the main thread of the server. */
  readonly nothread?: boolean | undefined
}

/**
 * The end of a range of elements by their bytes: `"[a"` belongs to the range,
 * `"(a"` does not, `"-"` and `"+"` have no limit.
 *
 * @category vector sets
 * @since 0.1.0
 */
export type ElementBound = `[${string}` | `(${string}` | "-" | "+" | Uint8Array

const vectorArgs = (vector: Vector): Arg.Arg => {
  if (!(vector instanceof Float32Array)) return new Arg.List(["VALUES", vector.length, ...Arg.many([vector])])
  // Redis reads little-endian floats, whatever the byte order of this machine.
  const bytes = new DataView(new ArrayBuffer(vector.length * 4))
  vector.forEach((value, i) => bytes.setFloat32(i * 4, value, true))
  return Arg.list("FP32", new Uint8Array(bytes.buffer))
}

const similarArgs = (
  key: Arg.Key,
  query: VsimQuery,
  options: VsimOptions,
  ...withArgs: ReadonlyArray<"WITHSCORES" | "WITHATTRIBS">
): Arg.List =>
  new Arg.List([
    Arg.key(key),
    query.ele === undefined ? vectorArgs(query.vector) : Arg.list("ELE", query.ele),
    ...withArgs,
    Arg.option("COUNT", options.count),
    Arg.option("EPSILON", options.epsilon),
    Arg.option("EF", options.ef),
    Arg.option("FILTER", options.filter),
    Arg.option("FILTER-EF", options.filterEf),
    Arg.flag("TRUTH", options.truth),
    Arg.flag("NOTHREAD", options.nothread)
  ])

// -----------------------------------------------------------------------------
// Replies
// -----------------------------------------------------------------------------

const scoredElements: Reply.Reply<
  ReadonlyArray<ScoredElement>,
  ReadonlyArray<ScoredElement<Uint8Array>>,
  ReadonlyArray<ScoredElement>
> = manyPairs({
  begin: (): Array<ScoredElement<string | Uint8Array>> => [],
  put: (out, element, score, view) => {
    out.push({ element: Reply.blob.decode(element, view), score: Reply.double.decode(score, view) })
  }
})

const attributesReply = Reply.nullable(Reply.blob)

const attributedElements: Reply.Reply<
  ReadonlyArray<AttributedElement>,
  ReadonlyArray<AttributedElement<Uint8Array>>,
  ReadonlyArray<AttributedElement>
> = manyPairs({
  begin: (): Array<AttributedElement<string | Uint8Array>> => [],
  put: (out, element, attributes, view) => {
    out.push({ element: Reply.blob.decode(element, view), attributes: attributesReply.decode(attributes, view) })
  }
})

const scoreAndAttributes = Reply.tuple(Reply.double, attributesReply)

const elementScoresAttributes = Reply.pairs(Reply.blob, scoreAndAttributes)

/** RESP2 sends elements, scores and attributes in turn; RESP3 sends a map of elements to pairs. */
const asPairs = (value: Resp.Value): Resp.Value => {
  if (!Array.isArray(value)) return value
  if (value.length % 3 !== 0) return Reply.mismatch("elements, scores and attributes in turn", value)
  const out: Array<Resp.Value> = []
  for (let i = 0; i < value.length; i += 3) out.push(value[i], [value[i + 1], value[i + 2]])
  return out
}

const scoredAttributedElements: Reply.Reply<
  ReadonlyArray<ScoredAttributedElement>,
  ReadonlyArray<ScoredAttributedElement<Uint8Array>>,
  ReadonlyArray<ScoredAttributedElement>
> = Reply.make((value, view) => {
  const out: Array<ScoredAttributedElement<string | Uint8Array>> = []
  for (const [element, [score, attributes]] of elementScoresAttributes.decode(asPairs(value), view)) {
    out.push({ element, score, attributes })
  }
  // All elements were decoded in one view, so the array has one of the declared types.
  return out as ReadonlyArray<ScoredAttributedElement> | ReadonlyArray<ScoredAttributedElement<Uint8Array>>
})

/** Only vectors with 8 bits per number have a range. */
const rawVector: Reply.Reply<RawVector> = Reply.make((value, view) =>
  rawVectorFields.decode(Array.isArray(value) && value.length === 3 ? [...value, null] : value, view)
)

const rawVectorFields = Reply.fields({
  quantization: Reply.text,
  bytes: Reply.bytes,
  norm: Reply.double,
  range: Reply.nullable(Reply.double)
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Adds an element with its vector to the vector set at `key`, or replaces the vector of an existing element; returns
 * whether the element is new.
 *
 * Fails with `ResponseError` when the dimension or the quantization differs from that of the set. O(log N). Since Redis
 * 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vadd = define(
  "VADD",
  (key: Arg.Key, vector: Vector, element: Arg.Value, options: VaddOptions = {}) => [
    Arg.key(key),
    Arg.option("REDUCE", known(options, "{ cas: true }").reduce),
    vectorArgs(vector),
    element,
    Arg.flag("CAS", options.cas),
    Arg.token(options.quantization),
    Arg.option("EF", options.ef),
    Arg.option("SETATTR", options.setattr),
    Arg.option("M", options.m)
  ],
  Reply.boolean
)

/**
 * Returns the number of elements of the vector set at `key`, 0 when the key does not exist.
 *
 * O(1). Since Redis 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vcard = define("VCARD", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns the number of dimensions of the vectors in the set.
 *
 * Fails with `ResponseError` when the key does not exist. O(1). Since Redis 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vdim = define("VDIM", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns the vector of an element, approximately as it was added; `undefined` when the element or the key does not
 * exist.
 *
 * O(1). Since Redis 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vemb = define(
  "VEMB",
  (key: Arg.Key, element: Arg.Value) => [Arg.key(key), element],
  Reply.nullable(Reply.array(Reply.double)),
  "readonly"
)

/**
 * Returns the vector of an element as the server stores it: how it is quantized (`"f32"`, `"int8"`, `"bin"`), its
 * bytes, its norm and, for `"int8"`, the range of its numbers; `undefined` when the element or the key does not exist.
 *
 * O(1). Since Redis 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vembRaw = define(
  "VEMB",
  (key: Arg.Key, element: Arg.Value) => [Arg.key(key), element, "RAW"],
  Reply.nullable(rawVector),
  "readonly"
)

/**
 * Returns the attributes of an element as text of a JSON object, `undefined` when there are none.
 *
 * O(1). Since Redis 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vgetattr = define(
  "VGETATTR",
  (key: Arg.Key, element: Arg.Value) => [Arg.key(key), element],
  Reply.nullable(Reply.blob),
  "readonly"
)

/**
 * Returns facts about the vector set at `key`, `undefined` when the key does not exist.
 *
 * O(1). Since Redis 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vinfo = define(
  "VINFO",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.nullable(
    Reply.struct({
      quantType: Reply.text,
      hnswM: Reply.integer,
      vectorDim: Reply.integer,
      projectionInputDim: Reply.nullable(Reply.integer),
      size: Reply.integer,
      maxLevel: Reply.integer,
      attributesCount: Reply.nullable(Reply.integer),
      vsetUid: Reply.integer,
      hnswMaxNodeUid: Reply.integer
    })
  ),
  "readonly"
)

/**
 * Returns whether `element` is in the vector set at `key`, `false` when the key does not exist.
 *
 * O(1). Since Redis 8.2.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vismember = define(
  "VISMEMBER",
  (key: Arg.Key, element: Arg.Value) => [Arg.key(key), element],
  Reply.boolean,
  "readonly"
)

/**
 * Returns the neighbours of an element, one array for each layer of the graph from the top; `undefined` when the
 * element or the key does not exist.
 *
 * O(1). Since Redis 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vlinks = define(
  "VLINKS",
  (key: Arg.Key, element: Arg.Value) => [Arg.key(key), element],
  Reply.nullable(Reply.array(Reply.array(Reply.blob))),
  "readonly"
)

/**
 * Like {@link vlinks}, with the similarities.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vlinksWithScores = define(
  "VLINKS",
  (key: Arg.Key, element: Arg.Value) => [Arg.key(key), element, "WITHSCORES"],
  Reply.nullable(Reply.array(scoredElements)),
  "readonly"
)

/**
 * Returns a random element, `undefined` when the key does not exist.
 *
 * O(1). Since Redis 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vrandmember = define(
  "VRANDMEMBER",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.nullable(Reply.blob),
  "readonly"
)

/**
 * Returns up to `count` different random elements; with a negative count exactly `-count`, of which some may be the
 * same.
 *
 * Returns an empty array when the key does not exist. O(N) in `count`. Since Redis 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vrandmemberCount = define(
  "VRANDMEMBER",
  (key: Arg.Key, count: number) => [Arg.key(key), count],
  Reply.array(Reply.blob),
  "readonly"
)

/**
 * Returns the elements from `start` to `end` in the order of their bytes, at most `count`, by default all.
 *
 * Returns an empty array when the key does not exist. O(log N + M) with M elements returned. Since Redis 8.4.0; not on
 * Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vrange = define(
  "VRANGE",
  (key: Arg.Key, start: ElementBound, end: ElementBound, count?: number) => [
    Arg.key(key),
    start,
    end,
    count ?? Arg.none
  ],
  Reply.array(Reply.blob),
  "readonly"
)

/**
 * Removes an element; returns `false` when the element or the key does not exist.
 *
 * O(log N). Since Redis 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vrem = define(
  "VREM",
  (key: Arg.Key, element: Arg.Value) => [Arg.key(key), element],
  Reply.boolean
)

/**
 * Sets the attributes of an element, given as text of a JSON object, or removes them when the text is empty; returns
 * `false` when the element or the key does not exist.
 *
 * O(1). Since Redis 8.0.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vsetattr = define(
  "VSETATTR",
  (key: Arg.Key, element: Arg.Value, attributes: string) => [Arg.key(key), element, attributes],
  Reply.boolean
)

/**
 * Returns the elements most similar to an element or a vector, the most similar first.
 *
 * Returns an empty array when the key does not exist. Fails with `ResponseError` when the element is not in the set.
 * O(log N). Since Redis 8.0.0; not on Valkey.
 *
 * **Example** (The five most similar)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const similar = Redis.vsim("words", { vector: [0.1, 0.9, 0.3] }, { count: 5 }) // string[]
 * ```
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vsim = define(
  "VSIM",
  (key: Arg.Key, query: VsimQuery, options: VsimOptions = {}) => similarArgs(key, query, options),
  Reply.array(Reply.blob),
  "readonly"
)

/**
 * Like {@link vsim}, with the attributes of each element, `undefined` for an element that has none.
 *
 * Since Redis 8.2.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vsimWithAttribs = define(
  "VSIM",
  (key: Arg.Key, query: VsimQuery, options: VsimOptions = {}) => similarArgs(key, query, options, "WITHATTRIBS"),
  attributedElements,
  "readonly"
)

/**
 * Like {@link vsim}, with the similarity of each element.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vsimWithScores = define(
  "VSIM",
  (key: Arg.Key, query: VsimQuery, options: VsimOptions = {}) => similarArgs(key, query, options, "WITHSCORES"),
  scoredElements,
  "readonly"
)

/**
 * Like {@link vsim}, with the similarity and the attributes of each element.
 *
 * Since Redis 8.2.0; not on Valkey.
 *
 * @category vector sets
 * @since 0.1.0
 */
export const vsimWithScoresWithAttribs = define(
  "VSIM",
  (key: Arg.Key, query: VsimQuery, options: VsimOptions = {}) =>
    similarArgs(key, query, options, "WITHSCORES", "WITHATTRIBS"),
  scoredAttributedElements,
  "readonly"
)
