/**
 * How the server carried out a query: flat arrays from RESP2 servers, maps from RESP3 servers.
 *
 * @since 0.1.0
 */
import { isReadonlyArray } from "../../internal/argument/isReadonlyArray.ts"
import { anything } from "../../internal/reply/asTheyCame.ts"
import * as Reply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * The results of a query, and how the server carried it out.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtProfiled<Results, Term = string> {
  /** What the query has found. */
  readonly results: Results
  /** How the server carried it out. */
  readonly profile: FtProfile<Term>
}

/**
 * How each of the servers carried out its part of a query. `coordinator` has the names that the server uses.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtProfile<Term = string> {
  /** How each of the servers carried out its part. `extra` has those of a hybrid search, `SEARCH` and `VSIM`. */
  readonly shards: ReadonlyArray<FtShardProfile<Term>>
  /** How the results were put together, by the names that the server uses. */
  readonly coordinator: Readonly<Record<string, Reply.Raw>>
}

/**
 * How one server carried out a query. Times are in milliseconds, and `undefined` where the server does not send them.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtShardProfile<Term = string> extends Reply.Extra {
  /** How long everything took. */
  readonly totalProfileTime: number | undefined
  /** How long the query was read. */
  readonly parsingTime: number | undefined
  /** How long it took to make the steps that process the results. */
  readonly pipelineCreationTime: number | undefined
  /** How long the server's lock was held by threads of the search. */
  readonly totalGilTime: number | undefined
  /** Why results may be missing, such as a timeout. */
  readonly warnings: ReadonlyArray<string>
  /** How the indexes were read; `undefined` when the server does not say. */
  readonly iteratorsProfile: FtIteratorProfile<Term> | undefined
  /** The steps that processed the results, in their order. */
  readonly resultProcessorsProfile: ReadonlyArray<FtProcessorProfile>
}

/**
 * An iterator, which reads an index for a part of a query: `counter` is how often it was read, `size` the approximate
 * number of entries to read.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtIteratorProfile<Term = string> extends Reply.Extra {
  /** The kind of the iterator, such as `TEXT` or `UNION`. */
  readonly type: string
  /** What a union is for, such as `TAG`. */
  readonly queryType: string | undefined
  /** The term that is looked for. */
  readonly term: Term | undefined
  /** How long it ran, in milliseconds. */
  readonly time: number | undefined
  /** How often it was read. */
  readonly counter: number | undefined
  /** The approximate number of entries to read. */
  readonly size: number | undefined
  /** The iterators that it reads from. */
  readonly childIterators: ReadonlyArray<FtIteratorProfile<Term>>
}

/**
 * A step that processes the results: `counter` is the number of documents.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtProcessorProfile extends Reply.Extra {
  /** The kind of the step, such as `Scorer` or `Sorter`. */
  readonly type: string
  /** How long it ran, in milliseconds. */
  readonly time: number | undefined
  /** The number of documents. */
  readonly counter: number | undefined
}

// -----------------------------------------------------------------------------
// Decoders
// -----------------------------------------------------------------------------

const entries = Reply.pairs(Reply.text, anything)

const number = Reply.nullable(Reply.double)

/** Gives one name to a value for which servers have several names. */
const either = (value: Resp.Value, names: ReadonlyMap<string, string>, view: Reply.View): Resp.Value =>
  new Resp.MapReply(entries.decode(value, view).flatMap(([name, item]) => [names.get(name) ?? name, item]))

const processorStruct = Reply.struct({ type: Reply.text, time: number, counter: number })

const processorNames = new Map([["Results processed", "counter"]])

const processor: Reply.Reply<FtProcessorProfile> = Reply.make((value, view) =>
  processorStruct.decode(either(value, processorNames, view), view)
)

type Iterator = Reply.Reply<FtIteratorProfile, FtIteratorProfile<Uint8Array>, FtIteratorProfile>

const iteratorNames = new Map([
  ["Number of reading operations", "counter"],
  ["Estimated number of matches", "size"],
  ["Child iterator", "childIterators"]
])

const iterator: Iterator = Reply.make((value, view) => iteratorStruct.decode(either(value, iteratorNames, view), view))

/** A single iterator is a map, or alternating names and values; several are an array of those. */
const children: Reply.Reply<
  ReadonlyArray<FtIteratorProfile>,
  ReadonlyArray<FtIteratorProfile<Uint8Array>>,
  ReadonlyArray<FtIteratorProfile>
> = Reply.make((value, view) => {
  const several = Array.isArray(value) && typeof value[0] === "object" && !(value[0] instanceof Resp.Bulk)
  return iterators.decode(several || value === null ? value ?? [] : [value], view)
})

const iterators = Reply.array(iterator)

const iteratorStruct = Reply.struct({
  type: Reply.text,
  queryType: Reply.nullable(Reply.text),
  term: Reply.nullable(Reply.blob),
  time: number,
  counter: number,
  size: number,
  childIterators: children
})

/** One warning or an array of them; `None` means no warning. */
const warnings: Reply.Reply<ReadonlyArray<string>> = Reply.make((value, view) =>
  Reply.array(Reply.text).decode(Array.isArray(value) ? value : value === null ? [] : [value], view)
    .filter((warning) => warning !== "None")
)

const shard: Reply.Reply<FtShardProfile, FtShardProfile<Uint8Array>, FtShardProfile> = Reply.make((value, view) => {
  const { warning, ...rest } = shardStruct.decode(value, view)
  return { ...rest, warnings: warning }
})

const shardStruct = Reply.struct({
  totalProfileTime: number,
  parsingTime: number,
  pipelineCreationTime: number,
  totalGilTime: number,
  warning: warnings,
  iteratorsProfile: Reply.nullable(iterator),
  resultProcessorsProfile: Reply.orElse(Reply.array(processor), () => [])
})

const shards = Reply.array(shard)

const coordinators = Reply.recordOf(Reply.raw)

/** Servers before 8.0 report a single server, without a list. */
const profile: Reply.Reply<FtProfile, FtProfile<Uint8Array>, FtProfile> = Reply.make((value, view) => {
  const named = new Map(entries.decode(value, view))
  const list = named.get("Shards") ?? [value]
  const coordinator = coordinators.decode(named.get("Coordinator") ?? [], view)
  // In the bytes view terms are bytes.
  return { shards: shards.decode(list, view), coordinator } as FtProfile | FtProfile<Uint8Array>
})

/**
 * The reply of FT.PROFILE for a query whose reply is read by `results`.
 *
 * @category decoders
 * @since 0.1.0
 */
export const profiled = <A, B, I>(
  results: Reply.Reply<A, B, I>
): Reply.Reply<FtProfiled<A>, FtProfiled<B, Uint8Array>, FtProfiled<I>> => {
  const both = Reply.tuple(results, profile)
  return Reply.make((value, view) => {
    const [found, told] = both.decode(inTurn(value, view), view)
    // The results have the types of their decoder in this view.
    return { results: found, profile: told } as FtProfiled<A> | FtProfiled<B, Uint8Array> | FtProfiled<I>
  })
}

/** Servers before 8.0 put the profile between the results. That of a hybrid search comes after them, and over RESP2 without a name. */
const inTurn = (value: Resp.Value, view: Reply.View): Resp.Value => {
  if (isReadonlyArray(value) && value.length > 2) return [value.slice(0, -1), value.at(-1) ?? null]
  if (!(value instanceof Resp.MapReply)) return value
  const named = entries.decode(value, view)
  const find = (wanted: string) => named.find(([name]) => name.toLowerCase() === wanted)?.[1]
  const told = find("profile") ?? null
  const rest = named.filter(([name]) => name.toLowerCase() !== "profile").flat()
  return [value.entries.length === 4 ? find("results") ?? null : new Resp.MapReply(rest), told]
}
