/**
 * Reply decoders of as many elements as there are. They read a long reply as it
 * comes, and a short one as a whole.
 */
import type * as Resp from "../../Resp.ts"
import { Gathered } from "../codec/gather.ts"
import type { Reader } from "../codec/gather.ts"
import { decodeRaw, items, Mismatch, mismatch } from "./reply.ts"
import type { Raw, Reply, View } from "./reply.ts"

type Values = ReadonlyArray<Resp.Value>

/**
 * How elements are read.
 *
 * - `begin`: makes what they are read into, `length` of them at first.
 * - `fill`: reads elements in some view; `at` others were read before.
 */
interface Many<Out> {
  readonly begin: (view: View, length: number) => Out
  readonly fill: (out: Out, source: Values, view: View, at: number) => void
}

class Elements<Out> extends Gathered {
  protected readonly out: Out
  protected readonly many: Many<Out>
  protected readonly view: View

  constructor(many: Many<Out>, view: View) {
    super()
    this.out = many.begin(view, 0)
    this.many = many
    this.view = view
  }

  protected read(items: Values, taken: number): number {
    this.many.fill(this.out, items, this.view, taken)
    return items.length
  }

  protected result(_rest: Values): unknown {
    return this.out
  }
}

/** Keys and values in turn, or in pairs. */
class Pairs<Out> extends Elements<Out> {
  readonly #nested: boolean

  constructor(many: Many<Out>, view: View, nested: boolean) {
    super(many, view)
    this.#nested = nested
  }

  protected override read(items: Values, taken: number): number {
    if (this.#nested) {
      this.many.fill(this.out, items.flatMap(pairIn), this.view, taken * 2)
      return items.length
    }
    const even = items.length - items.length % 2
    this.many.fill(this.out, even === items.length ? items : items.slice(0, even), this.view, taken)
    return even
  }

  protected override result(rest: Values): unknown {
    if (rest.length === 0) return this.out
    throw new Mismatch(`expected keys and values in turn, got an array of ${this.taken + rest.length}`)
  }
}

/**
 * A decoder of elements; `element` reads one of them, and reads a long one as it comes. All are decoded in one view: what they
 * are read into is of the type that is declared for it.
 */
/* @__NO_SIDE_EFFECTS__ */
export const many = <A, B, I, Out>(
  read: Many<Out>,
  elements: (value: Resp.Value) => Values = items,
  element?: Reply<unknown, unknown, unknown>
): Reply<A, B, I> => ({
  decode: (value, view) => {
    // Begun by the reader below. The types are said above.
    if (value instanceof Gathered) return value.finish() as never
    const source = elements(value)
    const out = read.begin(view, source.length)
    read.fill(out, source, view, 0)
    return out as never
  },
  reader: (view) => ({
    begin: () => new Elements(read, view),
    element: () => element?.reader?.(view)
  })
})

/** A decoder of keys and values, which are given in turn. */
/* @__NO_SIDE_EFFECTS__ */
export const manyPairs = <A, B, I, Out>(read: Many<Out>): Reply<A, B, I> => ({
  ...many<A, B, I, Out>(read, flatPairs),
  reader: (view) => ({
    // The first tells how all are sent.
    begin: ([first]) => first === undefined ? undefined : new Pairs(read, view, isPair(first)),
    element: () => undefined
  })
})

/** Reads each of a few elements by a decoder of its own. */
export const few = (view: View, replies: ReadonlyArray<Reply<unknown, unknown, unknown>>): Reader => ({
  begin: () => undefined,
  element: (index) => replies[index]?.reader?.(view)
})

/**
 * Any reply, as {@link Raw}.
 *
 * @category scalars
 * @since 0.1.0
 */
export const raw: Reply<Raw> = {
  decode: (value, view) => decodeRaw(value, view),
  reader: (view) => ({
    begin: () => new Elements(rawElements, view),
    element: () => raw.reader?.(view)
  })
}

const rawElements: Many<Array<Raw>> = {
  begin: () => [],
  fill: (out, source, view) => {
    for (const item of source) out.push(decodeRaw(item, view))
  }
}

const isPair = (value: Resp.Value): boolean => Array.isArray(value) && value.length === 2

const pairIn = (value: Resp.Value): Values => isPair(value) ? items(value) : mismatch("a key and a value", value)

/** Keys and values in turn, of a map and of pairs, too. */
export const flatPairs = (value: Resp.Value): Values => {
  const source = items(value)
  if (source.length > 0 && source.every(isPair)) return source.flatMap((item) => items(item))
  return source.length % 2 === 0 ? source : mismatch("keys and values in turn", value)
}
