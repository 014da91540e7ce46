/**
 * A command is sent under its own name: what a program calls is what servers, their access control and errors name.
 */
import { assert, it } from "@effect/vitest"
import * as Core from "@redfx/core"
import { RedisCommand } from "@redfx/core"

/** Every function that makes commands, by its name, with the name that is sent. */
const definitions = Object.entries(Core).flatMap(([module, members]) =>
  Object.entries(members).flatMap(([name, value]) =>
    typeof value === "function" && "spec" in value && value.spec instanceof RedisCommand.Spec
      ? [[`${module}.${name}`, value.spec.name] as const]
      : []
  )
)

/** Functions that are meant to have another name than the command that they send. */
const otherNames: Readonly<Record<string, string>> = {
  // The names of redis-py and of JavaScript, where `del` is an abbreviation.
  "Redis.delete": "DEL"
}

/** What a function is called that sends a command: `CLIENT NO-EVICT` is `clientNoEvict`. */
const camelCased = (name: string): string =>
  name.toLowerCase().replace(/[ ._-]+(\w)/g, (_, letter: string) => letter.toUpperCase())

/** The name of the command, and after it perhaps the option that gives the function another reply. */
const isOwnName = (name: string, sent: string): boolean => {
  const own = camelCased(sent)
  return name === own || name.startsWith(own) && /^[A-Z]/.test(name.slice(own.length))
}

it("every function sends the command that it is called after", () => {
  assert.isAbove(definitions.length, 500)
  const others = definitions.filter(([name, sent]) => !isOwnName(name.slice(name.indexOf(".") + 1), sent))
  assert.deepStrictEqual(Object.fromEntries(others), otherNames)
})

it("a function whose name is that of a command sends this command, and no other with an option", () => {
  const commands = new Map(definitions.map(([, sent]) => [camelCased(sent), sent]))
  const others = definitions.filter(([name, sent]) => {
    const own = commands.get(name.slice(name.indexOf(".") + 1))
    return own !== undefined && own !== sent
  })
  assert.deepStrictEqual(others, [])
})
