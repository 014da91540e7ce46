/**
 * Deadlines in any order.
 */
import type { Deadline, Timed } from "./timed.ts"

/** A request in a heap, as its deadline. `order`: the number of requests that were added before it. */
class Entry implements Deadline {
  readonly at: number
  readonly limit: number
  readonly list: DeadlineHeap
  readonly order: number
  /** `undefined` when the request was removed. */
  request: Timed | undefined

  constructor(request: Timed, at: number, limit: number, list: DeadlineHeap, order: number) {
    this.request = request
    this.at = at
    this.limit = limit
    this.list = list
    this.order = order
  }
}

const byTime = (one: Entry, other: Entry): number => one.at - other.at || one.order - other.order

/** A heap with no more entries than this of requests that were removed is not made anew. */
const kept = 64

/**
 * Requests of which each has its own deadline, in a binary heap: in a list, each short limit would have to pass all longer
 * ones. To add 50,000 requests of two limits in turn took a second in a list, and takes 20 ms here. A request that is removed
 * leaves its entry behind until half of all entries are of such requests.
 */
export class DeadlineHeap {
  #entries: Array<Entry> = []
  #added = 0
  #left = 0

  /** The time at which the first request expires; `Infinity` when there is none. */
  get next(): number {
    return this.#first?.at ?? Infinity
  }

  push(request: Timed, at: number, limit: number): void {
    const entry = new Entry(request, at, limit, this, this.#added++)
    request.deadline = entry
    const entries = this.#entries
    let index = entries.push(entry) - 1
    while (index > 0) {
      const above = (index - 1) >> 1
      // In range, as it is less than the index.
      const parent = entries[above]!
      if (byTime(parent, entry) < 0) break
      entries[index] = parent
      index = above
    }
    entries[index] = entry
  }

  readonly remove = (request: Timed): void => {
    // Every request in here was given its entry by `push`.
    const entry = request.deadline as Entry
    entry.request = undefined
    request.deadline = undefined
    if (++this.#left <= kept || this.#left * 2 <= this.#entries.length) return
    // What is sorted is a heap.
    this.#entries = this.#entries.filter((each) => each.request !== undefined).sort(byTime)
    this.#left = 0
  }

  /** Takes out the requests that expire by a time, in their order. */
  takeUntil(at: number): Array<{ readonly request: Timed; readonly limit: number }> {
    const taken: Array<{ readonly request: Timed; readonly limit: number }> = []
    for (let first = this.#first; first?.request !== undefined && first.at <= at; first = this.#first) {
      first.request.deadline = undefined
      taken.push({ request: first.request, limit: first.limit })
      this.#shift()
    }
    return taken
  }

  /** The first entry whose request is still there. */
  get #first(): Entry | undefined {
    let first = this.#entries[0]
    while (first !== undefined && first.request === undefined) {
      this.#left--
      this.#shift()
      first = this.#entries[0]
    }
    return first
  }

  #shift(): void {
    const entries = this.#entries
    const last = entries.pop()
    if (last === undefined || entries.length === 0) return
    let index = 0
    for (;;) {
      const right = 2 * index + 2
      let below = right - 1
      let child = entries[below]
      if (child === undefined) break
      const other = entries[right]
      if (other !== undefined && byTime(other, child) < 0) {
        child = other
        below = right
      }
      if (byTime(last, child) < 0) break
      entries[index] = child
      index = below
    }
    entries[index] = last
  }
}
