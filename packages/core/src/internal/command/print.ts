/**
 * Commands as text for people: keys are shown, other arguments are not.
 */
import * as RedisArg from "../../RedisArg.ts"

/** What is printed of a command. */
interface Printed {
  readonly spec: { readonly name: string }
  readonly parts: ReadonlyArray<RedisArg.Part>
}

export const print = (command: Printed): string => {
  const parts = command.parts.map((part) =>
    part instanceof RedisArg.KeyArg
      ? typeof part.value === "string" ? JSON.stringify(part.value) : `<key of ${part.value.length} bytes>`
      : part instanceof RedisArg.BlockArg
      ? String(part.value)
      : "<redacted>"
  )
  return [command.spec.name, ...parts].join(" ")
}
