/**
 * The memory of callers that a socket holds while it writes. Nobody may write to it meanwhile, so a caller that goes away before
 * the socket is done costs the connection.
 */
import { LEND_FROM, LEND_SHORT_FROM } from "../../RespEncoder.ts"
import { RequestQueue } from "./request.ts"
import type { Request } from "./request.ts"

/**
 * Shorter bytes are lent while less than this is unanswered: the buffers of the system have room for it, those of a unix socket
 * for 208 KB, so that the socket is done at once. SET of 32 KB from bytes by 10 callers takes 14 µs of processor time that way, 26
 * with 128 KB, and 31 with copies. With more on its way bytes are copied, so that a caller that goes away does not cost the connection.
 */
const ROOM = 192 * 1024

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

  /** The length from which bytes of the next request are lent, while so many bytes are unanswered. To be asked once for each. */
  lendFrom(unanswered: number): number {
    if (this.#done === undefined || unanswered >= ROOM) return LEND_FROM
    if (this.#copies === 0) return LEND_SHORT_FROM
    this.#copies--
    return LEND_FROM
  }

  /** Takes note that the socket could not take everything at once. */
  noteWait(): void {
    this.#copies = COPIES
  }

  /**
   * Takes note that the socket asks for more, and returns whether it is known to be done with the memory that it was lent. A
   * socket that cannot tell asks only when it is done.
   */
  settle(): boolean {
    const done = this.#done?.()
    if (done === false) this.noteWait()
    else this.end()
    return done === true
  }

  /** Takes note that the socket holds no memory of callers any more. */
  end(): void {
    for (let request = this.first; request !== undefined; request = this.first) this.release(request)
  }
}
