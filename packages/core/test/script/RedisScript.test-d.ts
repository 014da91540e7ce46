import * as Schema from "effect/Schema"
import { describe, expectTypeOf, it } from "vitest"
import type * as RedisCommand from "../../src/RedisCommand.ts"
import * as RedisReply from "../../src/RedisReply.ts"
import * as RedisScript from "../../src/RedisScript.ts"

describe("RedisScript", () => {
  it("takes its parameters from keys and hands them to args", () => {
    const script = RedisScript.make({
      lua: "",
      keys: (key: string, _count: number) => [key],
      args: (key, count) => {
        expectTypeOf(key).toEqualTypeOf<string>()
        expectTypeOf(count).toEqualTypeOf<number>()
        return [count]
      },
      result: Schema.Int
    })
    expectTypeOf(script).parameters.toEqualTypeOf<[key: string, _count: number]>()
    // @ts-expect-error a count is missing
    void script("key")
  })

  it("takes its parameters from args where it has no keys", () => {
    const script = RedisScript.make({ lua: "", args: (count: number) => [count], result: Schema.Int })
    expectTypeOf(script).parameters.toEqualTypeOf<[count: number]>()
  })

  it("takes no parameters where it has neither", () => {
    const script = RedisScript.make({ lua: "", result: Schema.Int })
    expectTypeOf(script).parameters.toEqualTypeOf<[]>()
    // @ts-expect-error nothing would become of it
    void script("key")
    const named = RedisScript.function({ name: "f", result: Schema.Int })
    // @ts-expect-error nothing would become of it
    void named("key")
  })

  it("has the type of its schema in every view, of its decoder in each", () => {
    const schema = RedisScript.make({ lua: "", result: Schema.UndefinedOr(Schema.Tuple([Schema.String, Schema.Int])) })
    expectTypeOf(schema()).toEqualTypeOf<
      RedisCommand.RedisCommand<
        readonly [string, number] | undefined,
        readonly [string, number] | undefined,
        readonly [string, number] | undefined
      >
    >()
    const decoder = RedisScript.make({ lua: "", result: RedisReply.nullable(RedisReply.blob) })
    expectTypeOf(decoder()).toEqualTypeOf<
      RedisCommand.RedisCommand<string | undefined, Uint8Array | undefined, string | undefined>
    >()
  })

  it("refuses schemas that need services", () => {
    const needy: Schema.Codec<number, number, "service"> = Schema.Int
    // @ts-expect-error it cannot be decoded without
    RedisScript.make({ lua: "", result: needy })
  })
})
