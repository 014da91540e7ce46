/**
 * A long write in pieces. A socket shows progress only between two writes: of one long write it tells no more than that it has
 * not taken all of it yet. It also encodes text, for which it allocates three times the length of the text that it is given.
 */

type Chunk = Uint8Array | string

export class Pieces {
  readonly #size: number
  readonly #least: number
  #chunks: Array<Chunk> = []

  /**
   * - `size`: about how long a piece is, in bytes, and in characters of a text.
   * - `least`: no chunk is cut into shorter parts. A socket takes such parts without saying when it is done with them, and the
   *   chunk may be lent.
   */
  constructor(size: number, least: number) {
    this.#size = size
    this.#least = least
  }

  /** Adds chunks at the end. */
  push(chunks: ReadonlyArray<Chunk>): void {
    for (const chunk of chunks) this.#chunks.push(chunk)
  }

  /** Takes the next piece, which is empty when there is no more. */
  take(): Array<Chunk> {
    const piece: Array<Chunk> = []
    let room = this.#size
    while (room > 0) {
      const chunk = this.#chunks[0]
      if (chunk === undefined) break
      if (chunk.length < room + this.#least) {
        this.#chunks.shift()
        piece.push(chunk)
        room -= chunk.length
      } else if (room < this.#least && piece.length > 0) {
        break
      } else {
        const [head, rest] = cut(chunk, room)
        this.#chunks[0] = rest
        piece.push(head)
        room = 0
      }
    }
    return piece
  }

  clear(): void {
    this.#chunks = []
  }
}

const cut = (chunk: Chunk, at: number): readonly [Chunk, Chunk] => {
  if (typeof chunk !== "string") return [chunk.subarray(0, at), chunk.subarray(at)]
  // The halves of a pair of surrogates make no bytes by themselves.
  const end = isHighSurrogate(chunk.charCodeAt(at - 1)) ? at + 1 : at
  return [chunk.slice(0, end), chunk.slice(end)]
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xdc00
