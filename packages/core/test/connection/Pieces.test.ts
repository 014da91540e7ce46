import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Pieces } from "../../src/internal/connection/pieces.ts"

const bytesOf = (chunks: ReadonlyArray<Uint8Array | string>): Buffer =>
  Buffer.concat(chunks.map((chunk) => typeof chunk === "string" ? Buffer.from(chunk) : chunk))

describe("Pieces", () => {
  it("are what was pushed, and none is much longer than it may be, nor is a chunk cut into parts that are too short", () => {
    const chunk = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.string({ maxLength: 40, unit: "grapheme" }))
    fc.assert(
      fc.property(
        fc.array(chunk),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 9 }),
        (chunks, size, most) => {
          const least = Math.min(most, size)
          const pieces = new Pieces(size, least)
          pieces.push(chunks)
          const taken: Array<Uint8Array | string> = []
          for (let piece = pieces.take(); piece.length > 0; piece = pieces.take()) {
            assert.isAtMost(piece.reduce((sum, { length }) => sum + length, 0), size + least)
            for (const part of piece) {
              assert.isTrue(
                typeof part === "string" || part.length >= least || chunks.some((chunk) => chunk.length === part.length)
              )
            }
            taken.push(...piece)
          }
          assert.deepStrictEqual(bytesOf(taken), bytesOf(chunks))
        }
      )
    )
  })
})
