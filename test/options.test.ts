/**
 * The table of options says what there is: every option of the types, under names that URLs and the environment take, with
 * the default that a client without options has.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisConfig, RedisUrl } from "@redfx/core"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const read = (file: string): string => readFileSync(join(root, file), "utf8")

interface Row {
  readonly section: string
  readonly option: string
  readonly fallback: string
  readonly url: ReadonlyArray<string>
  readonly environment: string | undefined
}

/** The rows of the tables of options, with the heading above each. */
const rows: ReadonlyArray<Row> = read("docs/options.md").split("\n## ").flatMap((section) =>
  section.split("\n").flatMap((line) => {
    const [, option = "", fallback = "", , url = "", environment = ""] = line.split("|").map((cell) => cell.trim())
    const name = /^`([a-z][\w.]*)`$/i.exec(option)?.[1]
    return name === undefined || environment === "" ? [] : [{
      section: section.split("\n")[0] ?? "",
      option: name,
      fallback,
      // What is no name of an option is a part of the URL, such as its scheme.
      url: [...url.matchAll(/`([a-z_]+)`/g)].map(([, name = ""]) => name),
      environment: /`(REDIS_\w+)`/.exec(environment)?.[1]
    }]
  })
)

/** The properties that an interface declares itself, those of its parts as `part.property`. */
const propertiesOf = (file: string, name: string): ReadonlyArray<string> => {
  const body = new RegExp(`export (?:interface|type) ${name}\\b([^]*?)\\n(?:}|\\n)`).exec(read(file))?.[1] ?? ""
  let part = ""
  return [...body.matchAll(/^( {2,4})readonly (\w+)\??:(.*)$/gm)].map(([, indent, property = "", type = ""]) => {
    // Alternatives of a type are indented as well, but belong to no part.
    const name = indent === "    " && part !== "" ? `${part}.${property}` : property
    if (indent === "  ") part = type.trim().startsWith("{") ? property : ""
    return name
  })
}

const config = "packages/core/src/internal/config/options.ts"
const sections: ReadonlyArray<readonly [section: string, file: string, type: string, prefix: string]> = [
  ["Where one server is", config, "AddressOptions", ""],
  ["Every client", config, "ConnectionOptions", ""],
  ["How many connections", config, "PoolOptions", "pool."],
  ["How many connections", config, "ClusterPoolOptions", "pool."],
  ["Limits", config, "LimitOptions", "limits."],
  ["TLS", "packages/core/src/RedisConnector.ts", "TlsOptions", "tls."],
  ["Sentinel", config, "SentinelOptions", ""],
  ["Cluster", config, "ClusterOptions", ""]
]

describe("The table of options", () => {
  it("has every option of the types, and no other", () => {
    const declared = new Set<string>()
    for (const [section, file, type, prefix] of sections) {
      const properties = propertiesOf(file, type)
      assert.isNotEmpty(properties, type)
      for (const property of properties) {
        declared.add(`${section}: ${prefix}${property}`)
      }
    }
    const documented = rows.map(({ option, section }) => `${section}: ${option}`)
    // Of a cluster `pool` is declared anew, with the parts that are documented with the others.
    declared.delete("Cluster: pool")
    assert.deepStrictEqual([...documented].sort(), [...declared].sort())
  })

  it("has names that a URL takes", () => {
    for (const { option, section, url } of rows) {
      const mode = section === "Sentinel"
        ? "sentinel"
        : section === "Cluster" || option === "pool.perNode"
        ? "cluster"
        : undefined
      const base = mode === "sentinel"
        ? "rediss+sentinel://h/m"
        : mode === "cluster"
        ? "rediss+cluster://h"
        : "rediss://h"
      for (const name of url) {
        const parsed = RedisUrl.parse(`${base}?${name}=~`)
        const detail = Result.isFailure(parsed) ? parsed.failure.detail : ""
        assert.notInclude(detail, "is no option", `${option}: ${name}`)
      }
    }
  })

  it.effect("has names that the environment takes", () =>
    Effect.gen(function*() {
      for (const { environment, option, section } of rows) {
        if (environment === undefined) continue
        const mode = section === "Sentinel"
          ? "sentinel"
          : section === "Cluster" || option === "pool.perNode"
          ? "cluster"
          : "standalone"
        const seen = yield* readNames({ REDIS_MODE: mode, REDIS_NODES: "h", REDIS_SENTINELS: "h", REDIS_SERVICE: "m" })
        assert.include([...seen], environment, option)
        assert.notInclude([...seen], `${environment}X`)
      }
    }))

  it.effect("has the defaults of a client without options", () =>
    Effect.gen(function*() {
      const settings = yield* RedisConfig.settings({})
      const { credentials, eager, replaceInvalidText, tls, ...named } = settings
      assert.deepStrictEqual([credentials, eager, replaceInvalidText, tls], [undefined, false, false, undefined])
      const defaults = new Map(rows.map(({ fallback, option }) => [option, fallback]))
      let checked = 0
      const check = (option: string, value: unknown): void => {
        if (typeof value === "object" && value !== null && !Duration.isDuration(value)) {
          for (const [part, inner] of Object.entries(value)) check(option === "" ? part : `${option}.${part}`, inner)
        } else if (value !== undefined && option !== "readonly") {
          const shown = defaults.get(option)
          assert.isDefined(shown, option)
          assert.isTrue(
            spellings(value).some((text) => shown?.includes(text)),
            `${option}: ${shown}, and it is ${String(value)}`
          )
          checked++
        }
      }
      check("", named)
      assert.isAtLeast(checked, 20)
    }))
})

/** Which variables are asked for, whether they are there or not. */
const readNames = Effect.fnUntraced(function*(env: Record<string, string>) {
  const seen = new Set<string>()
  const watched = new Proxy(env, {
    get: (target, name) => {
      if (typeof name === "string") seen.add(name)
      return Reflect.get(target, name)
    },
    has: (target, name) => {
      if (typeof name === "string") seen.add(name)
      return Reflect.has(target, name)
    },
    getOwnPropertyDescriptor: (target, name) => {
      if (typeof name === "string") seen.add(name)
      return Reflect.getOwnPropertyDescriptor(target, name)
    }
  })
  yield* Effect.exit(
    Effect.provideService(
      Config.nested(RedisConfig.config, "REDIS"),
      ConfigProvider.ConfigProvider,
      ConfigProvider.fromEnv({ env: watched })
    )
  )
  return seen
})

/** How a default may be written. */
const spellings = (value: unknown): ReadonlyArray<string> => {
  if (Duration.isDuration(value)) {
    return Duration.isFinite(value) ? [`${Duration.toSeconds(value)} seconds`] : ["none"]
  }
  if (typeof value === "number" && value >= 1024 * 1024) return [`\`${value}\``, `${value / 1024 / 1024} MiB`]
  return [typeof value === "string" ? `\`"${value}"\`` : `\`${String(value)}\``]
}
