/**
 * Checks which modules import which: packages, and within each package storeys
 * that import only downwards, internal folders included. Imports of types count
 * as those of values do. Modules of one storey may import each other, as long as
 * no circle comes of it; the only circle there may be is named in {@link circle}.
 * No module takes a namespace apart while it is loaded.
 */
import { globSync, readFileSync } from "node:fs"
import { basename, dirname, join, relative } from "node:path"
import process from "node:process"
import { parseSync } from "rolldown/utils"
import type { ESTree } from "rolldown/utils"

/** What the sources of each package may import besides their own modules. */
const packages: Record<string, ReadonlyArray<RegExp>> = {
  testing: [/./],
  core: [/^effect\/./],
  sentinel: [/^effect\/./, /^@redfx\/core\/./],
  cluster: [/^effect\/./, /^@redfx\/core\/./],
  node: [/^effect\/./, /^node:/, /^@redfx\/(core|sentinel|cluster)\/./]
}

/** A name of a storey and the modules that stand on it. */
type Storey = readonly [name: string, modules: RegExp]

/** The storeys of each package that has several, lowest first. */
const storeys: Record<string, ReadonlyArray<Storey>> = {
  core: [
    ["errors", /^internal\/error\/(?!classify$)\w+$/],
    ["codec", /^(Resp\w*|internal\/(codec|runtime)\/\w+)$/],
    ["errors of replies", /^(RedisError|internal\/error\/classify)$/],
    ["codecs of values, spans", /^(RedisCodec|internal\/(telemetry|values)\/\w+)$/],
    ["arguments", /^(RedisArg|internal\/argument\/\w+)$/],
    ["replies", /^(RedisReply|internal\/reply\/\w+|commands\/replies\/\w+)$/],
    ["what a command is sent as", /^internal\/command\/\w+$/],
    ["prefixes of keys", /^internal\/prefix\/\w+$/],
    ["command values", /^Redis(Client|Command|Monitor|PubSub)$/],
    ["commands", /^commands\/(modules\/)?\w+$/],
    ["what is told of keys", /^internal\/tracking\/\w+$/],
    ["configuration", /^(Redis(Config|Url|Connector|Telemetry)|unstable\/Options|internal\/config\/\w+)$/],
    ["connection", /^(unstable\/(Connection|Request|Runtime)|internal\/(connection|script)\/\w+)$/],
    ["pool", /^internal\/pool\/\w+$/],
    ["cache", /^internal\/cache\/\w+$/],
    ["client", /^(unstable\/(Pool|Router)|internal\/(client|pubsub)\/\w+)$/],
    ["clients", /^Redis(Cache|Prefix|Pool|Standalone|Pipeline|Transaction|KeyspaceEvents|Script|Scan)$/],
    [
      "applications",
      /^(Redis(Stream|Channel|Lock|RateLimiter|Semaphore|Leader|Jobs|Keyspace|KeyValueStore|Persistence)|internal\/(stream|lock|limits|jobs|keyspace|keyspaceCache|persistence)\/\w+)$/
    ],
    ["barrels", /^(Redis(Bloom|Json|Promise|Search|TimeSeries)?|index)$/]
  ],
  cluster: [
    ["topology", /^internal\/topology\/\w+$/],
    ["keys of several slots", /^internal\/multiKey\/(emulate\/)?\w+$/],
    ["commands without a key", /^internal\/keyless\/\w+$/],
    ["routing", /^internal\/routing\/\w+$/],
    ["public", /^(RedisCluster|index)$/]
  ]
}

/** The one circle: commands ask for the client's tag, and the client runs commands. */
const circle: ReadonlySet<string> = new Set(["RedisClient", "RedisCommand", "RedisMonitor", "RedisPubSub"])

/** Of the modules of `@redfx/core`, commands import only what a command is made of. */
const narrowed: ReadonlyArray<readonly [modules: RegExp, only: RegExp]> = [
  [/^commands\/\w+$/, /^(Redis(Arg|Reply|Command)|Resp|internal\/(argument|reply)\/\w+|commands\/(replies\/)?\w+)$/],
  [
    /^commands\/modules\/\w+$/,
    /^(Redis(Arg|Reply|Command)|Resp|internal\/(argument|reply)\/\w+|commands\/modules\/\w+)$/
  ]
]

/** What a module imports, types included: modules of its own package by name, and at run time anything else by specifier. */
interface Imports {
  readonly own: ReadonlyArray<string>
  readonly foreign: ReadonlyArray<string>
}

const root = join(import.meta.dirname, "..")
const problems: Array<string> = []

for (const directory of globSync("packages/*", { cwd: root })) {
  const name = basename(directory)
  const sources = join(root, directory, "src")
  const modules = new Map<string, Imports>()
  for (const file of globSync("**/*.ts", { cwd: sources })) modules.set(moduleName(file), importsOf(sources, file))
  checkPackage(name, modules)
  const own = storeys[name]
  if (own !== undefined) checkStoreys(name, own, modules)
  checkCircles(name, modules)
}

for (const problem of problems) console.error(problem)
console.log(problems.length === 0 ? "Imports are in order." : `${problems.length} faults in imports.`)
process.exitCode = problems.length === 0 ? 0 : 1

function checkPackage(name: string, modules: ReadonlyMap<string, Imports>): void {
  const allowed = packages[name]
  if (allowed === undefined) {
    problems.push(`packages/${name} is missing from the table of packages in scripts/check-imports.ts`)
    return
  }
  for (const [module, { foreign }] of modules) {
    for (const specifier of foreign) {
      if (!allowed.some((pattern) => pattern.test(specifier))) {
        problems.push(`packages/${name}/src/${module}.ts may not import "${specifier}"`)
      }
    }
  }
}

function checkStoreys(name: string, own: ReadonlyArray<Storey>, modules: ReadonlyMap<string, Imports>): void {
  const storeyOf = (module: string): number => own.findIndex(([, pattern]) => pattern.test(module))
  for (const [module, imports] of modules) {
    const storey = storeyOf(module)
    if (storey < 0) {
      problems.push(
        `packages/${name}/src/${module}.ts is missing from the table of storeys in scripts/check-imports.ts`
      )
      continue
    }
    const only = name === "core" ? narrowed.find(([pattern]) => pattern.test(module))?.[1] : undefined
    for (const imported of imports.own) {
      if (storeyOf(imported) > storey) {
        const [below, above] = [own[storey]?.[0], own[storeyOf(imported)]?.[0]]
        problems.push(`packages/${name}/src/${module}.ts may not import ${imported}.ts: "${below}" is below "${above}"`)
      } else if (only !== undefined && !only.test(imported)) {
        problems.push(
          `packages/${name}/src/${module}.ts may not import ${imported}.ts: commands are made of values alone`
        )
      }
    }
  }
}

/** Finds the shortest way from each module back to itself. */
function checkCircles(name: string, modules: ReadonlyMap<string, Imports>): void {
  const told = new Set<string>()
  for (const start of modules.keys()) {
    if (told.has(start)) continue
    const found = wayBack(start, modules)
    if (found === undefined || found.every((module) => circle.has(module))) continue
    for (const module of found) told.add(module)
    problems.push(`packages/${name}/src: modules import each other in a circle: ${[...found, start].join(" → ")}`)
  }
}

function wayBack(start: string, modules: ReadonlyMap<string, Imports>): ReadonlyArray<string> | undefined {
  const ways: Array<ReadonlyArray<string>> = [[start]]
  const seen = new Set<string>()
  for (const way of ways) {
    for (const imported of modules.get(way[way.length - 1] ?? start)?.own ?? []) {
      if (imported === start) return way
      if (seen.has(imported)) continue
      seen.add(imported)
      ways.push([...way, imported])
    }
  }
  return undefined
}

function importsOf(sources: string, file: string): Imports {
  const { errors, module, program } = parseSync(file, readFileSync(join(sources, file), "utf8"))
  if (errors.length > 0) problems.push(`${join(sources, file)} does not parse: ${errors[0]?.message}`)
  checkNamespaces(relative(root, join(sources, file)), program)
  const specifiers = new Map<string, boolean>()
  const add = (specifier: string, isValue: boolean): void =>
    void specifiers.set(specifier, isValue || specifiers.get(specifier) === true)
  for (const { entries, moduleRequest } of module.staticImports) {
    // Without entries it is `import "x"`, which is there for what it does.
    add(moduleRequest.value, entries.length === 0 || entries.some((entry) => !entry.isType))
  }
  for (const { entries } of module.staticExports) {
    for (const { isType, moduleRequest } of entries) {
      if (moduleRequest) add(moduleRequest.value, !isType)
    }
  }
  const own: Array<string> = []
  const foreign: Array<string> = []
  for (const [specifier, isValue] of specifiers) {
    if (specifier.startsWith(".")) {
      own.push(moduleName(relative(sources, join(sources, dirname(file), specifier))))
    } else if (isValue) {
      foreign.push(specifier)
    }
  }
  return { own, foreign }
}

/** Whether a module takes a namespace apart, as in `const { get } = Redis`: bundlers then keep all that the namespace has. */
function checkNamespaces(file: string, { body }: ESTree.Program): void {
  const namespaces = new Set<string>()
  for (const node of body) {
    if (node.type !== "ImportDeclaration") continue
    for (const { local, type } of node.specifiers) if (type === "ImportNamespaceSpecifier") namespaces.add(local.name)
  }
  for (const node of body) {
    const declaration = node.type === "ExportNamedDeclaration" ? node.declaration : node
    if (declaration?.type !== "VariableDeclaration") continue
    for (const { id, init } of declaration.declarations) {
      if (id.type === "ObjectPattern" && init?.type === "Identifier" && namespaces.has(init.name)) {
        problems.push(`${file} may not take ${init.name} apart: bundles would keep all of it`)
      }
    }
  }
}

function moduleName(file: string): string {
  return file.replaceAll("\\", "/").replace(/\.ts$/, "")
}
