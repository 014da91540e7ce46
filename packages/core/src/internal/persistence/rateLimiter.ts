/**
 * Effect's rate limits, each in a hash slot of its own.
 */
import * as Effect from "effect/Effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { hashTag } from "../argument/slot.ts"

/** Makes the store. A token bucket is two keys that one script uses, so both have one hash tag. */
export const makeRateLimiterStore = (options: { readonly prefix?: string | undefined }) =>
  Effect.map(RateLimiter.makeStoreRedis(options), (store) => {
    const tagged = <Request extends { readonly key: string }>(request: Request): Request => ({
      ...request,
      key: hashTag(request.key)
    })
    return RateLimiter.RateLimiterStore.of({
      fixedWindow: (request) => store.fixedWindow(tagged(request)),
      tokenBucket: (request) => store.tokenBucket(tagged(request)),
      adaptiveConsume: (request) => store.adaptiveConsume(tagged(request)),
      adaptiveFeedback: (request) => store.adaptiveFeedback(tagged(request))
    })
  })
