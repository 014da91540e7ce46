/**
 * Deadlines in any order.
 */
import type { Deadline, Timed } from "./timed.ts"

/** The place of one request in a heap, as its deadline. `order` counts those that were added before it. */
class Place implements Deadline {
  readonly at: number
  readonly limit: number
  readonly list: DeadlineHeap
  readonly order: number
  /** Not there any more when the request was removed. */
  request: Timed | undefined

  constructor(request: Timed, at: number, limit: number, list: DeadlineHeap, order: number) {
    this.request = request
    this.at = at
    this.limit = limit
    this.list = list
    this.order = order
  }
}

const byTime = (one: Place, other: Place): number => one.at - other.at || one.order - other.order

/** Places of requests that were removed, up to which a heap is not made anew. */
const kept = 64

/**
 * Requests of which each has its own deadline, in a binary heap: in a list, each short limit would have to pass all longer
 * ones. To add 50,000 requests of two limits in turn took a second so, and takes 20 ms. Who is removed leaves his place
 * behind until half of all are left.
 */
export class DeadlineHeap {
  #places: Array<Place> = []
  #added = 0
  #left = 0

  /** When the first of them expires. */
  get next(): number {
    return this.#first?.at ?? Infinity
  }

  push(request: Timed, at: number, limit: number): void {
    const place = new Place(request, at, limit, this, this.#added++)
    request.deadline = place
    const places = this.#places
    let index = places.push(place) - 1
    while (index > 0) {
      const above = (index - 1) >> 1
      // In range, as it is less than the index.
      const parent = places[above]!
      if (byTime(parent, place) < 0) break
      places[index] = parent
      index = above
    }
    places[index] = place
  }

  readonly remove = (request: Timed): void => {
    // Every request in here was given its place by `push`.
    const place = request.deadline as Place
    place.request = undefined
    request.deadline = undefined
    if (++this.#left <= kept || this.#left * 2 <= this.#places.length) return
    // What is sorted is a heap.
    this.#places = this.#places.filter((each) => each.request !== undefined).sort(byTime)
    this.#left = 0
  }

  /** Takes those out that expire by then, in their order. */
  takeUntil(at: number): Array<{ readonly request: Timed; readonly limit: number }> {
    const taken: Array<{ readonly request: Timed; readonly limit: number }> = []
    for (let first = this.#first; first?.request !== undefined && first.at <= at; first = this.#first) {
      first.request.deadline = undefined
      taken.push({ request: first.request, limit: first.limit })
      this.#shift()
    }
    return taken
  }

  /** The first place whose request is still there. */
  get #first(): Place | undefined {
    let first = this.#places[0]
    while (first !== undefined && first.request === undefined) {
      this.#left--
      this.#shift()
      first = this.#places[0]
    }
    return first
  }

  #shift(): void {
    const places = this.#places
    const last = places.pop()
    if (last === undefined || places.length === 0) return
    let index = 0
    for (;;) {
      const right = 2 * index + 2
      let below = right - 1
      let child = places[below]
      if (child === undefined) break
      const other = places[right]
      if (other !== undefined && byTime(other, child) < 0) {
        child = other
        below = right
      }
      if (byTime(last, child) < 0) break
      places[index] = child
      index = below
    }
    places[index] = last
  }
}
