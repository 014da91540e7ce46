/**
 * Prints commands for people. Keys are shown, other arguments are not.
 */
import * as RedisArg from "../../RedisArg.ts"
import { quoted } from "../error/printable.ts"

/** The parts of a command that printing needs. */
interface Printed {
  readonly spec: { readonly name: string }
  readonly parts: ReadonlyArray<RedisArg.Part>
}

export const print = (command: Printed): string => {
  const parts = command.parts.map((part) =>
    part instanceof RedisArg.KeyArg
      ? typeof part.value === "string" ? quoted(part.value) : `<key of ${part.value.length} bytes>`
      : part instanceof RedisArg.BlockArg
      ? String(part.value)
      : "<redacted>"
  )
  return [command.spec.name, ...parts].join(" ")
}
