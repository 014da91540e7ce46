/**
 * Compares every command with what a live server tells about its own: there is
 * no list of commands to keep, apart from the exceptions in
 * `conformance-exclusions.ts`.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import type { RedisCommand } from "@redfx/core"
import { Redis, RedisSearch, RedisTimeSeries } from "@redfx/core"
import { loadRows } from "../packages/core/test/commands/rows.ts"
import * as exclusions from "./conformance-exclusions.ts"
import * as Conformance from "./harness/Conformance.ts"

const { definitions, ownKeys, text, words } = Conformance

/** The commands of all tables that are sent, and those whose replies are too long for a row: suites and goldens have them. */
const commands = [
  ...(await loadRows()).map(([, command]) => command),
  Redis.info(),
  Redis.memoryStats(),
  Redis.timeDateTime(),
  RedisSearch.ftInfo("i"),
  RedisTimeSeries.tsInfoDebug("k")
]
  .filter(({ settled }) => settled === undefined)
/** The commands of servers themselves: those of modules, such as JSON.GET, are on no server here. */
const specs = new Map(
  [...definitions.values()].filter(({ name }) => !name.includes(".")).map((spec) => [spec.name, spec])
)
const newer = new Map(
  exclusions.newerCommands.flatMap(({ commands, ...since }) => commands.split(", ").map((name) => [name, since]))
)

describe("Conformance", () => {
  let server: Conformance.Server
  beforeAll(async () => {
    server = await Conformance.askServer(commands)
  })

  /** Whether a command is as the server knows it: the command is there, and its form is not newer. */
  const isKnown = (command: RedisCommand.Any): boolean =>
    server.command(command.spec.name) !== undefined &&
    !exclusions.newerForms.some(({ form, ...since }) => form.test(text(command)) && isNewer(since))

  const isNewer = (since: exclusions.Since): boolean => !Conformance.has(server.version, since)

  it("every function is in a table", () => {
    const inTables = new Set(commands.map(({ spec }) => spec))
    assert.deepStrictEqual([...definitions].filter(([, spec]) => !inTables.has(spec)).map(([name]) => name), [])
  })

  it("every command is one of the server, or known to be newer", () => {
    const unknown = [...specs.keys()].filter((name) => {
      const since = newer.get(name)
      return server.command(name) === undefined && (since === undefined || !isNewer(since))
    })
    assert.deepStrictEqual(unknown, [])
  })

  it("every command of the server has a function, or a reason why not", () => {
    const isContainer = (name: string): boolean => [...specs.keys()].some((other) => other.startsWith(`${name} `))
    const lacking = server.names.filter((name) =>
      !specs.has(name) && !(isContainer(name) && !server.listsSubcommands) &&
      !exclusions.notOffered.some(({ commands }) => commands.test(name))
    )
    assert.deepStrictEqual(lacking, [])
  })

  it("exclusions are of what has no function, newer commands have one", () => {
    const stale = exclusions.notOffered.filter(({ commands }) => [...specs.keys()].some((name) => commands.test(name)))
    assert.deepStrictEqual(stale, [])
    assert.deepStrictEqual([...newer.keys()].filter((name) => !specs.has(name)), [])
  })

  it("every command has the number of words that the server asks for", () => {
    const wrong = commands.filter(isKnown).flatMap((command) => {
      const arity = server.command(command.spec.name)?.arity ?? 0
      const count = words(command).length
      return (arity > 0 ? count === arity : count >= -arity) ? [] : [`${text(command)}: ${count} words, not ${arity}`]
    })
    assert.deepStrictEqual(wrong, [])
  })

  it("every command has its keys where the server finds them", () => {
    const wrong = commands.flatMap((command) => {
      if (!isKnown(command) || exclusions.otherKeys.some(({ form }) => form.test(text(command)))) return []
      const own = ownKeys(command).toSorted()
      const found = server.keys(command)?.toSorted()
      // A command without keys is not always known to the server to have none.
      const same = found === undefined ? own.length === 0 : JSON.stringify(own) === JSON.stringify(found)
      return same ? [] : [`${text(command)}: ${own.join(" ")}, not ${found?.join(" ")}`]
    })
    assert.deepStrictEqual(wrong, [])
  })

  it("every command is flagged as by the server", () => {
    // Every function, not every command: SORT and SORT … STORE are two.
    const wrong = [...definitions].flatMap(([name, spec]) => {
      const theirs = server.command(spec.name)
      if (theirs === undefined || theirs.isContainer || theirs.readonly === undefined) return []
      // The server calls readonly what reads data. Its other commands are those that write data, and those without any.
      const changesNothing = theirs.readonly || theirs.writes === false &&
          !exclusions.withoutData.some(({ commands }) => commands.test(spec.name) || commands.test(name))
      if (exclusions.otherTraits.some(({ command, ...since }) => command === spec.name && isNewer(since))) return []
      return [
        ...(spec.readonly === changesNothing ? [] : [`${spec.name}: readonly is ${spec.readonly}`]),
        ...(spec.traits.has("blocking") === theirs.blocking ? [] : [`${spec.name}: blocking is ${!theirs.blocking}`])
      ]
    })
    assert.deepStrictEqual(wrong, [])
  })

  it("what is cached only reads keys, and answers by nothing but their values", () => {
    const wrong = [...definitions.values()].filter(({ cacheable }) => cacheable).flatMap(({ name }) => {
      const theirs = server.command(name)
      if (theirs === undefined) return []
      return theirs.readonly === true && theirs.hasKeys && theirs.deterministic !== false ? [] : [name]
    })
    assert.deepStrictEqual(wrong, [])
  })

  it("what the server knows to do so is cached, or there is a reason why not", () => {
    const cacheable = new Set([...definitions.values()].filter((spec) => spec.cacheable).map(({ name }) => name))
    const lacking = server.names.filter((name) => {
      const theirs = server.command(name)
      return theirs?.readonly === true && theirs.hasKeys && theirs.deterministic === true && !cacheable.has(name) &&
        !exclusions.notCached.some(({ commands }) => commands.test(name))
    })
    assert.deepStrictEqual(lacking, [])
  })

  it("every option that the server documents is spelled in a table", () => {
    const spelled = new Map<string, Set<string>>()
    for (const command of commands) {
      const known = spelled.get(command.spec.name) ?? new Set()
      spelled.set(command.spec.name, known)
      for (const word of words(command)) known.add(Buffer.from(word).toString("latin1").toUpperCase())
    }
    const lacking = [...specs.keys()].flatMap((name) =>
      server.tokens(name)
        .filter((token) => spelled.get(name)?.has(token) !== true)
        .filter((token) => !exclusions.otherTokens.some((other) => other.command.test(name) && other.token === token))
        .map((token) => `${name} ${token}`)
    )
    assert.deepStrictEqual(lacking, [])
  })
})
