/**
 * Values by their schemas, with the key in what goes wrong.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { KeyspaceError } from "./model.ts"

export const refuse = (
  key: string,
  operation: "encode" | "decode",
  detail: string
): Effect.Effect<never, KeyspaceError> => Effect.fail(new KeyspaceError({ key, operation, detail }))

export interface Codec<A, Encoded> {
  readonly encode: (value: A, key: string) => Effect.Effect<Encoded, KeyspaceError>
  readonly decode: (encoded: Encoded, key: string) => Effect.Effect<A, KeyspaceError>
}

export const codecOf = <A, Encoded>(schema: Schema.Codec<A, Encoded>): Codec<A, Encoded> => {
  const encode = Schema.encodeEffect(schema)
  const decode = Schema.decodeEffect(schema)
  return {
    encode: (value, key) => Effect.catch(encode(value), (error) => refuse(key, "encode", error.message)),
    decode: (encoded, key) => Effect.catch(decode(encoded), (error) => refuse(key, "decode", error.message))
  }
}
