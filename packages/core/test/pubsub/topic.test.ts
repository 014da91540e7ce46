import { assert, describe, it } from "@effect/vitest"
import { Mailbox } from "../../src/internal/pubsub/mailbox.ts"
import { Topic } from "../../src/internal/pubsub/topic.ts"
import type { Receiver } from "../../src/internal/pubsub/topic.ts"

const receiver = (): Receiver => ({
  bytes: false,
  mailbox: new Mailbox({
    capacity: 1,
    capacityBytes: 1000,
    onFull: "fail",
    events: false,
    channels: () => [],
    onRoom: () => {}
  })
})

describe("Topic", () => {
  it("lists its receivers in the order in which they came, and changes no list that it has given out", () => {
    const topic = new Topic("subscribe", "c", "c")
    assert.isTrue(topic.unused)
    const [one, two, three] = [receiver(), receiver(), receiver()]
    for (const each of [one, two, three]) topic.add(each)
    const listed = topic.receivers
    assert.deepStrictEqual(listed, [one, two, three])
    assert.strictEqual(topic.receivers, listed)
    topic.remove(two)
    assert.deepStrictEqual(topic.receivers, [one, three])
    assert.deepStrictEqual(listed, [one, two, three])
    for (const each of [one, three]) topic.remove(each)
    assert.isTrue(topic.unused)
  })
})
