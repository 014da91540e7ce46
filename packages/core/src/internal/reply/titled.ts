/**
 * Decoders whose errors say what they were reading.
 */
import { make, Mismatch } from "./reply.ts"
import type { Reply } from "./reply.ts"

/** The same decoder, whose errors begin with a title: the name of a command alone would not say what that was. */
export const titled = <A, Bytes, BigInts>(title: string, reply: Reply<A | Bytes | BigInts>): Reply<A, Bytes, BigInts> =>
  make((value, view) => {
    try {
      return reply.decode(value, view)
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error
      throw new Mismatch(`${title}: ${error.detail}`, error.integer)
    }
  })
