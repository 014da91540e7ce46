import { assert, describe, it } from "@effect/vitest"
import * as Subscriber from "@redfx/testing/Subscriber"

/** Elements in words: `m1` is message 1, and `@5` says that five messages are begun from here on. */
const read = (words: string) => {
  let begun = 0
  const witnessed: Array<Subscriber.Witnessed> = []
  for (const word of words.split(" ")) {
    if (word.startsWith("@")) begun = Number(word.slice(1))
    else if (word.startsWith("m")) witnessed.push({ element: { _tag: "Message", data: word.slice(1) }, begun })
    else witnessed.push({ element: { _tag: word }, begun })
  }
  return { witnessed, begun }
}

const untold = (words: string, ...acknowledged: ReadonlyArray<number>) => {
  const { begun, witnessed } = read(words)
  return Subscriber.untold(witnessed, { begun, acknowledged: new Set(acknowledged) })
}

const repeated = (words: string) => Subscriber.repeated(read(words).witnessed.map(({ element }) => element))

describe("The check of a series", () => {
  it("finds what is missing without a gap", () => {
    assert.deepStrictEqual(untold("@9 m0 m1 m3", 0, 1, 2, 3), [2])
  })

  it("counts what was begun before the gap ended as told, also when others come late", () => {
    // 3 was published before the subscription was back, 1 and 2 by way of the former master.
    assert.deepStrictEqual(untold("@1 m0 Lost @4 Restored m1 m2 @5 m4", 0, 1, 2, 3, 4), [])
  })

  it("finds what was begun after the gap had ended, or stands before the last message before it", () => {
    assert.deepStrictEqual(untold("@1 m0 Lost @2 Restored @4 m3", 0, 1, 2, 3), [2])
    assert.deepStrictEqual(untold("@3 m0 m2 Lost @4 Restored @5 m4", 0, 1, 2, 3, 4), [1])
  })

  it("finds what a gap without an end would tell of", () => {
    assert.deepStrictEqual(untold("@1 m0 Lost @9 m2", 0, 1, 2), [1])
  })

  it("expects neither what was not acknowledged nor what may be on its way", () => {
    assert.deepStrictEqual(untold("@9 m1 m3", 0, 1, 3, 4), [])
  })

  it("finds what comes twice from one server, and not what the next one repeats", () => {
    assert.deepStrictEqual(repeated("m0 m1 m0"), ["0"])
    assert.deepStrictEqual(repeated("m0 m1 Lost Restored m1 m2"), [])
    assert.deepStrictEqual(repeated("m0 m1 Lost m1 Restored m1"), ["1"])
  })
})
