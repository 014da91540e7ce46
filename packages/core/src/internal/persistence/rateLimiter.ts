/**
 * Effect's rate limits, each in a hash slot of its own.
 */
import * as Effect from "effect/Effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { RedisError } from "effect/persistence/Redis"
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
      tokenBucket: (request) => Effect.mapError(store.tokenBucket(tagged(request)), withCause),
      adaptiveConsume: (request) => store.adaptiveConsume(tagged(request)),
      adaptiveFeedback: (request) => store.adaptiveFeedback(tagged(request))
    })
  })

/** The error with that of the client as its cause, as those of the others have it: Effect's store wraps this one in another. */
const withCause = (error: RateLimiter.RateLimiterError): RateLimiter.RateLimiterError => {
  const { reason } = error
  return reason._tag === "RateLimitStoreError" && reason.cause instanceof RedisError
    ? new RateLimiter.RateLimiterError({
      reason: new RateLimiter.RateLimitStoreError({ message: reason.message, cause: reason.cause.cause })
    })
    : error
}
