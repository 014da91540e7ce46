/**
 * Checks what an editor makes of the packages, as check-packages.ts has installed them: a call of a command shows its
 * documentation, what a program can fail with is shown by few names, no import that is proposed leads to an internal module,
 * and neither do the declarations of a library that exports what it has from redfx.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import ts from "typescript-6"

/** Returns what is wrong. */
export async function checkEditors(directory: string, modules: ReadonlyArray<string>): Promise<ReadonlyArray<string>> {
  const namesOf = await exportsOf(directory, modules)
  const commands = namesOf("@redfx/core/Redis")
  // A call without arguments has a signature all the same, and a name that is no variable can follow a dot.
  const calls = commands.map((name) => `Redis.${name}()\n`)
  const editor = new Editor(directory, {
    "calls.mts": `import { Redis } from "@redfx/core"\n${calls.join("")}`,
    "errors.mts": errors,
    "imports.mts": [...modules.map((module) => `import ${JSON.stringify(module)}`), "export const value = "].join("\n"),
    "types.mts": [...modules.map((module) => `import ${JSON.stringify(module)}`), "export type Type = "].join("\n"),
    // Modules that may change at any time show what is internal.
    "library.mts": modules.filter((module) => !module.includes("/unstable/")).flatMap((module, i) => [
      `import * as m${i} from ${JSON.stringify(module)}`,
      ...namesOf(module).map((name, j) => `export const m${i}_${j} = m${i}[${JSON.stringify(name)}]`)
    ]).join("\n")
  })
  return [
    ...commands.filter((name) => editor.documentation("calls.mts", `Redis.${name}()`) === "")
      .map((name) => `A call of Redis.${name} shows no documentation`),
    ...editor.type("errors.mts", "both").includes("CommandError")
      ? []
      : ["The errors of a command and a transaction are shown one by one"],
    ...["imports.mts", "types.mts"].flatMap((file) => editor.proposals(file)).filter((path) =>
      path.includes("/internal/")
    )
      .map((path) => `An editor proposes to import ${path}`),
    ...editor.declarationFaults("library.mts")
  ]
}

const errors = `
  import { Redis, RedisChannel, RedisKeyspace } from "@redfx/core"
  import * as Effect from "effect/Effect"
  import * as Schema from "effect/Schema"
  import * as Stream from "effect/Stream"
  export const both = Effect.all([
    Redis.get("a"),
    Redis.transaction([Redis.incr("a")]),
    Redis.watch("a", Effect.map(Redis.get("a"), () => [Redis.incr("a")])),
    RedisKeyspace.makeCounter({ key: "n:*" }).increment("a"),
    Stream.runDrain(RedisChannel.make("c", { value: Schema.String }).subscribe())
  ])
`

/** What each module exports that exists at runtime. */
async function exportsOf(
  directory: string,
  modules: ReadonlyArray<string>
): Promise<(module: string) => ReadonlyArray<string>> {
  const names = new Map<string, ReadonlyArray<string>>()
  for (const module of modules) {
    const url = pathToFileURL(join(directory, "exports.mjs")).href
    names.set(module, Object.keys(await import(import.meta.resolve(module, url))))
  }
  return (module) => names.get(module) ?? []
}

class Editor {
  readonly #directory: string
  readonly #service: ts.LanguageService

  constructor(directory: string, files: Readonly<Record<string, string>>) {
    this.#directory = directory
    for (const [name, text] of Object.entries(files)) writeFileSync(this.#path(name), text)
    const options: ts.CompilerOptions = {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      strict: true,
      declaration: true,
      skipLibCheck: true,
      types: []
    }
    this.#service = ts.createLanguageService({
      ...ts.sys,
      useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
      getCompilationSettings: () => options,
      getCurrentDirectory: () => directory,
      getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
      getScriptFileNames: () => Object.keys(files).map((name) => this.#path(name)),
      getScriptVersion: () => "1",
      getScriptSnapshot: (path) =>
        existsSync(path) ? ts.ScriptSnapshot.fromString(readFileSync(path, "utf8")) : undefined
    })
  }

  #path(name: string): string {
    return join(this.#directory, name)
  }

  /** What is shown of the function that is called. */
  documentation(name: string, call: string): string {
    const path = this.#path(name)
    const text = readFileSync(path, "utf8")
    const info = this.#service.getQuickInfoAtPosition(path, text.indexOf(`\n${call}`) + 1 + call.indexOf(".") + 1)
    return ts.displayPartsToString(info?.documentation)
  }

  /** The type that is shown of a variable. */
  type(name: string, variable: string): string {
    const path = this.#path(name)
    const at = readFileSync(path, "utf8").indexOf(`const ${variable} `) + "const ".length
    return ts.displayPartsToString(this.#service.getQuickInfoAtPosition(path, at)?.displayParts)
  }

  /** The modules that what is proposed at the end of a file would be imported from. */
  proposals(name: string): ReadonlyArray<string> {
    const path = this.#path(name)
    const found = this.#service.getCompletionsAtPosition(path, readFileSync(path, "utf8").length, {
      includeCompletionsForModuleExports: true,
      includeCompletionsWithInsertText: true
    })
    const sources = (found?.entries ?? []).flatMap(({ source }) => source === undefined ? [] : [source])
    const own = [...new Set(sources)].filter((source) => source.includes("@redfx/"))
    return own.length === 0 ? ["/internal/: nothing of redfx is proposed at all"] : own
  }

  /** What cannot be named, or is named by a path that cannot be imported. */
  declarationFaults(name: string): ReadonlyArray<string> {
    const program = this.#service.getProgram()
    const file = program?.getSourceFile(this.#path(name))
    if (program === undefined || file === undefined) return [`${name} is no part of the program`]
    const faults: Array<string> = []
    const { diagnostics } = program.emit(
      file,
      (_, text) => {
        for (const [path] of text.matchAll(/"(?:@redfx\/\w+\/internal|\.)[^"]*"/g)) {
          faults.push(`The declarations of a library name ${path}`)
        }
      },
      undefined,
      true
    )
    const messages = diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "))
    return [...new Set([...faults, ...messages])]
  }
}
