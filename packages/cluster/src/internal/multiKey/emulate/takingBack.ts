/**
 * The end of a move whose second half has failed: what was taken goes back to where it was.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterRetriesExhaustedError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import * as Effect from "effect/Effect"

/** Fails with the error of the move. Where taking back fails as well, the error says so, and in `otherwise` where to look. */
export const takingBack = (
  { spec }: RedisCommand.Any,
  takeBack: Effect.Effect<unknown, CommandError>,
  otherwise: { readonly what: string; readonly where: string }
) =>
(error: CommandError): Effect.Effect<never, CommandError> =>
  Effect.matchEffect(takeBack, {
    onSuccess: () => Effect.fail(error),
    onFailure: ({ message }) =>
      Effect.fail(
        new ClusterRetriesExhaustedError({
          command: spec.name,
          attempts: 2,
          last: `${error.message} The ${otherwise.what} could not be put back either: ${message} It ${otherwise.where}`,
          delivery: "unknown",
          readonly: false
        })
      )
  })
