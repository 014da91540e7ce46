/**
 * Asynchronous generators that can be left while they wait.
 */

/**
 * The elements of an iterable that is opened for the first of them.
 *
 * A generator of JavaScript hears of a `return` only when its next element has come, and that may be never: a server of GraphQL,
 * say, that follows a channel for somebody who has gone would stay subscribed. So the iterator is told beforehand, which ends
 * what waits for it. An iterator may be told twice.
 */
export const leftAtOnce = <A>(open: () => Promise<AsyncIterable<A>>): AsyncGenerator<A, void, undefined> => {
  let iterator: AsyncIterator<A> | undefined
  let left = false
  let leaveOpening = (): void => {}
  const leaving = new Promise<undefined>((resolve) => leaveOpening = () => resolve(undefined))
  const generator = (async function*() {
    const iterable = await Promise.race([open(), leaving])
    if (left || iterable === undefined) return
    yield* { [Symbol.asyncIterator]: () => iterator = iterable[Symbol.asyncIterator]() }
  })()
  const leave = generator.return.bind(generator)
  generator.return = (value) => {
    left = true
    leaveOpening()
    // A failure to end is told to the caller that waits for an element, or for this.
    iterator?.return?.().catch(() => {})
    return leave(value)
  }
  return generator
}
