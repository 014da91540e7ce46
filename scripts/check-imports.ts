/**
 * Checks which modules import which: packages, and within `@redfx/core` storeys
 * that import only downwards. Cycles are oxlint's business (`import/no-cycle`).
 *
 * `import type` and `export type` are exempt, since they leave nothing at run time.
 * An internal module stands on no storey: importing it counts as importing
 * everything that it imports.
 */
import { globSync, readFileSync } from "node:fs"
import { basename, dirname, join, relative } from "node:path"
import process from "node:process"
import { parseSync } from "rolldown/utils"

/** What the sources of each package may import besides their own modules. */
const packages: Record<string, ReadonlyArray<RegExp>> = {
  core: [/^effect\/./],
  sentinel: [/^effect\/./, /^@redfx\/core\/./],
  cluster: [/^effect\/./, /^@redfx\/core\/./],
  node: [/^effect\/./, /^@effect\/platform-node\/./, /^node:/, /^@redfx\/(core|sentinel|cluster)\/./]
}

/** The modules of `@redfx/core`, lowest storey first. */
const storeys: ReadonlyArray<readonly [name: string, modules: RegExp]> = [
  ["codec", /^Resp\w*$/],
  ["arguments, replies, errors", /^Redis(Arg|Reply|Error)$/],
  ["command values", /^Redis(Client|Command)$/],
  ["records", /^records\/\w+$/],
  ["commands", /^commands\/(modules\/)?\w+$/],
  ["connection", /^Redis(Config|Url|Connector|Connection|Pool|Router|Telemetry)$/],
  ["clients", /^Redis(Cache|Standalone|Pipeline|Transaction|PubSub|Script|Scan|Stream|Monitor)$/],
  ["applications", /^Redis(Lock|Keyspace|Persistence)$/],
  ["barrels", /^(Redis(Bloom|Json|Search|TimeSeries)?|index)$/]
]

/** Modules that may import less than their storey allows: of `@redfx/core`'s own modules only these. */
const narrowed: ReadonlyArray<readonly [modules: RegExp, only: RegExp]> = [
  [/^commands\/\w+$/, /^(Redis(Arg|Reply|Command)|records\/\w+)$/],
  [/^commands\/modules\/\w+$/, /^(Redis(Arg|Reply|Command)|Resp|commands\/modules\/\w+(Options|Replies))$/]
]

/** What a module imports at run time: modules of its own package by name, and anything else by specifier. */
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
  if (name === "core") checkStoreys(modules)
}

for (const problem of problems) console.error(problem)
console.log(problems.length === 0 ? "Imports are in order." : `${problems.length} imports are out of order.`)
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

function checkStoreys(modules: ReadonlyMap<string, Imports>): void {
  for (const module of modules.keys()) {
    if (isInternal(module)) continue
    const storey = storeyOf(module)
    if (storey < 0) {
      problems.push(`packages/core/src/${module}.ts is missing from the table of storeys in scripts/check-imports.ts`)
      continue
    }
    const only = narrowed.find(([pattern]) => pattern.test(module))?.[1]
    for (const [imported, via] of reachable(module, modules)) {
      if (only === undefined ? storeyOf(imported) <= storey : only.test(imported)) continue
      const path = via.length === 0 ? "" : ` (by way of ${via.join(", ")})`
      problems.push(
        `packages/core/src/${module}.ts may not import ${imported}.ts${path}: ${reason(storey, imported, only)}`
      )
    }
  }
}

function reason(storey: number, imported: string, only: RegExp | undefined): string {
  if (only !== undefined) return "commands build on RedisArg, RedisReply and RedisCommand alone"
  const name = (index: number): string => storeys[index]?.[0] ?? "none"
  return `storey "${name(storey)}" is below "${name(storeyOf(imported))}"`
}

/** The modules on storeys that `module` imports, each with the internal modules on the way. */
function reachable(
  module: string,
  modules: ReadonlyMap<string, Imports>
): ReadonlyMap<string, ReadonlyArray<string>> {
  const found = new Map<string, ReadonlyArray<string>>()
  const visited = new Set<string>()
  const visit = (current: string, via: ReadonlyArray<string>): void => {
    for (const imported of modules.get(current)?.own ?? []) {
      if (!isInternal(imported)) {
        if (imported !== module && !found.has(imported)) found.set(imported, via)
      } else if (!visited.has(imported)) {
        visited.add(imported)
        visit(imported, [...via, imported])
      }
    }
  }
  visit(module, [])
  return found
}

function importsOf(sources: string, file: string): Imports {
  const { errors, module } = parseSync(file, readFileSync(join(sources, file), "utf8"))
  if (errors.length > 0) problems.push(`${join(sources, file)} does not parse: ${errors[0]?.message}`)
  const specifiers = new Set<string>()
  for (const { entries, moduleRequest } of module.staticImports) {
    // Without entries it is `import "x"`, which is there for what it does.
    if (entries.length === 0 || entries.some((entry) => !entry.isType)) specifiers.add(moduleRequest.value)
  }
  for (const { entries } of module.staticExports) {
    for (const { isType, moduleRequest } of entries) {
      if (!isType && moduleRequest) specifiers.add(moduleRequest.value)
    }
  }
  const own: Array<string> = []
  const foreign: Array<string> = []
  for (const specifier of specifiers) {
    if (specifier.startsWith(".")) {
      own.push(moduleName(relative(sources, join(sources, dirname(file), specifier))))
    } else {
      foreign.push(specifier)
    }
  }
  return { own, foreign }
}

function storeyOf(module: string): number {
  return storeys.findIndex(([, pattern]) => pattern.test(module))
}

function isInternal(module: string): boolean {
  return module.includes("internal/")
}

function moduleName(file: string): string {
  return file.replaceAll("\\", "/").replace(/\.ts$/, "")
}
