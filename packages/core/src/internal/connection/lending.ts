/**
 * The memory of callers that a socket holds while it writes. Nobody may write to it meanwhile, so a caller that goes away in the
 * midst of that costs the connection.
 */
import { LEND_FROM, LEND_SHORT_FROM } from "../../RespEncoder.ts"
import { RequestQueue } from "./request.ts"
import type { Request } from "./request.ts"

/**
 * Shorter bytes are lent to a socket that takes them at once, as far as can be known: while less than this is unanswered, the
 * buffers of the system have room. SET of 32 KB from bytes by 10 callers takes 15 µs of processor time that way, and 44 with
 * copies. With more in the socket's way they are copied, so that a caller that goes away does not cost the connection.
 */
const ROOM = 512 * 1024

/** After a socket had to wait, bytes of so many requests are copied. */
const COPIES = 1024

/** The requests whose callers' memory the socket holds. */
export class Lending extends RequestQueue {
  readonly #done: (() => boolean) | undefined
  readonly #onTorn: () => void
  /** The number of requests whose shorter bytes are copied before some are lent again. */
  #copies = 0

  /**
   * - `done`: whether the socket reads nothing any more; absent where that is not known.
   * - `onTorn`: called when a caller goes away whose memory it still reads.
   */
  constructor(
    { done, onTorn }: { readonly done: (() => boolean) | undefined; readonly onTorn: () => void }
  ) {
    super()
    this.#done = done
    this.#onTorn = onTorn
  }

  override remove(request: Request): void {
    super.remove(request)
    if (this.#done?.() !== true) this.#onTorn()
  }

  override release(request: Request): void {
    super.remove(request)
  }

  /** The length from which bytes of the next request are lent, while so many bytes are unanswered. */
  from(unanswered: number): number {
    if (this.#done === undefined || unanswered >= ROOM) return LEND_FROM
    if (this.#copies === 0) return LEND_SHORT_FROM
    this.#copies--
    return LEND_FROM
  }

  /** Takes note that the socket takes what it was given only when it can. */
  wait(): void {
    this.#copies = COPIES
  }

  /**
   * Takes note that the socket asks for more, and returns whether it is known to read nothing any more. One that says nothing
   * asks only when it is done with what it was lent.
   */
  settle(): boolean {
    const done = this.#done?.()
    if (done === false) this.wait()
    else this.end()
    return done === true
  }

  /** Takes note that the socket holds no memory of callers any more. */
  end(): void {
    for (let request = this.first; request !== undefined; request = this.first) this.release(request)
  }
}
