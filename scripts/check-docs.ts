/**
 * Checks what readers of the documentation rely on: every module has a header,
 * every exported symbol a doc comment with `@category` and `@since`, every field
 * of an exported type a doc comment, and every `ts` example in doc comments and
 * Markdown files type-checks. Examples that are not programs carry another label,
 * such as `text`. Functions that a page names by their files are there, and so
 * are the sources that any page names.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { parseSync } from "rolldown/utils"
import { compiled } from "./compiler.ts"

interface Comment {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** The modules of commands that work on values of one type each. */
const typed = /commands\/(Strings|Hash\w+|Lists|Sets|SortedSet\w+|Stream\w+|Geo)\.ts$/

/**
 * Commands of these that read or replace values of whatever type, refuse another type with an error of their own, or were never
 * run with one.
 */
const indifferent = new Set([
  ..."mget mset msetex msetnx psetex set setex setnx lcs lcsIdx lcsLen".split(" "),
  ..."himportDiscard himportDiscardall himportPrepare himportSet sdiffcard sunioncard xnack".split(" ")
])

const root = join(import.meta.dirname, "..")
const problems: Array<string> = []

for (
  const file of globSync(["packages/{core,sentinel,cluster,node}/src/**/*.ts", "packages/testing/src/RedisFake*.ts"], {
    cwd: root
  })
) {
  // Barrels repeat what is documented elsewhere; internal modules are for readers of the sources.
  if (!file.includes("internal/") && !file.endsWith("/index.ts")) checkModule(file)
}
checkWay("docs/way-of-a-command.md", { There: 12, Back: 6 })
const files = globSync(["packages/*/src/**/*.ts", "*.md", "docs/**/*.md", "packages/*/*.md"], { cwd: root })
  // The reference is made of the comments.
  .filter((file) => !file.includes("node_modules") && !file.startsWith("docs/reference/"))
for (const file of files) if (file.endsWith(".md")) checkSources(file)
const examples = files.flatMap(examplesOf)
checkExamples(examples)

for (const problem of problems) console.error(problem)
console.log(
  problems.length === 0
    ? `The documentation is complete; ${examples.length} examples type-check.`
    : `${problems.length} faults in the documentation.`
)
process.exitCode = problems.length === 0 ? 0 : 1

function checkModule(file: string): void {
  const source = readFileSync(join(root, file), "utf8")
  const { comments, program } = parseSync(file, source)
  const blocks = comments.filter(({ type, value }) => type === "Block" && value.startsWith("*"))
    .map(({ end, start, value }): Comment => ({ end, start, text: value }))
  const header = blocks[0]
  const first = program.body[0]
  if (header === undefined || source.slice(0, header.start).trim() !== "" || !header.text.includes("@since")) {
    problems.push(`${file}:1 has no header with @since`)
  } else if (first !== undefined && !isSeparate(source, header, first.start, blocks)) {
    problems.push(`${file}:1 has no header of its own: the first comment belongs to the first declaration`)
  }
  const documented = new Set<string>()
  for (const node of program.body) {
    if (node.type !== "ExportNamedDeclaration" || node.declaration === null) continue
    for (const name of namesOf(node.declaration)) {
      // The later overloads of a function, and a type beside a value of the same name.
      if (documented.has(name)) continue
      documented.add(name)
      const comment = blocks.findLast(({ end }) => end <= node.start)
      // Between the two may stand a bundler's annotation.
      const attached = comment !== undefined &&
        /^\s*(\/\* @__\w+__ \*\/\s*)?$/.test(source.slice(comment.end, node.start))
      const where = `${file}:${lineAt(source, node.start)} ${name}`
      if (!attached) problems.push(`${where} has no doc comment`)
      else if (!comment.text.includes("@internal")) {
        checkComment(where, comment.text)
        if (typed.test(file) && source.slice(node.start, node.end).includes("define(")) {
          checkCommand(where, name, comment.text)
        }
        for (const { field, start } of silentFieldsOf(node.declaration, source, blocks)) {
          problems.push(`${file}:${lineAt(source, start)} ${name}.${field} has no doc comment`)
        }
      }
    }
  }
}

/** Whether a command on values of one type says that another type is refused, unless it is like one that says so. */
function checkCommand(where: string, name: string, text: string): void {
  if (text.includes("WrongTypeError") || /^\**\s*\*\s*Like \{@link/.test(text) || indifferent.has(name)) return
  problems.push(`${where} does not say when it fails with WrongTypeError`)
}

interface Field {
  readonly field: string
  readonly start: number
}

/** The fields of a type without a comment of their own, which is what editors show. Those that say all by their type need none. */
function silentFieldsOf(
  declaration: { readonly type: string },
  source: string,
  blocks: ReadonlyArray<Comment>
): ReadonlyArray<Field> {
  const silent: Array<Field> = []
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit)
    if (typeof node !== "object" || node === null) return
    const { computed, key, start, type, typeAnnotation } = node as {
      readonly computed?: boolean
      readonly key?: unknown
      readonly start: number
      readonly type?: string
      readonly typeAnnotation?: { readonly typeAnnotation?: { readonly type: string } } | null
    }
    if (type === "TSPropertySignature" || type === "TSMethodSignature") {
      const field = nameOf(key)
      const isPlain = ["TSUndefinedKeyword", "TSLiteralType"].includes(typeAnnotation?.typeAnnotation?.type ?? "")
      // What has a name in quotes is not for users.
      if (computed === true || field === undefined) return
      const comment = blocks.findLast((block) => block.end <= start)
      const isSilent = comment === undefined || source.slice(comment.end, start).trim() !== ""
      if (!isPlain && isSilent) silent.push({ field, start })
    }
    // A type that is asked for its shape is no field.
    const { falseType, trueType } = node as { readonly trueType?: unknown; readonly falseType?: unknown }
    visit(type === "TSConditionalType" ? [trueType, falseType] : Object.values(node))
  }
  if (/^TS(Interface|TypeAlias)Declaration$/.test(declaration.type)) visit(declaration)
  return silent
}

/** Whether the hops of a way name functions of their files, and are at most so many under each heading. */
function checkWay(page: string, limits: Readonly<Record<string, number>>): void {
  const text = readFileSync(join(root, page), "utf8")
  for (const [heading, limit] of Object.entries(limits)) {
    const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ""
    const hops = [...section.matchAll(/^\| *\d+ *\| *`([^`]+)` *\| *`([^`]+)` *\|/gm)]
    if (hops.length === 0 || hops.length > limit) {
      problems.push(`${page} has ${hops.length} hops under ${heading}; it may have ${limit}, and one at least`)
    }
    for (const [, file = "", name = ""] of hops) {
      if (!existsSync(join(root, file))) problems.push(`${page} names ${file}, which is not there`)
      else if (!functionsIn(file).has(name)) problems.push(`${page} names ${name}, which is no function in ${file}`)
    }
  }
}

/** Whether the sources are there that a page names, from the root or within the sources of a package. */
function checkSources(page: string): void {
  readFileSync(join(root, page), "utf8").split("\n").forEach((line, index) => {
    const named = line.matchAll(
      /(?<![\w/@-])(packages\/[\w*-]+\/(?:src|test)\/|test\/|scripts\/|examples\/|internal\/|commands\/|unstable\/)[\w./*-]*[\w*]/g
    )
    for (const [path, of = ""] of named) {
      const within = /^(internal|commands|unstable)/.test(of) ? `packages/*/src/${path}` : path
      if (globSync([within, `${within}.ts`], { cwd: root }).length === 0) {
        problems.push(`${page}:${index + 1} names ${path}, which is not there`)
      }
    }
  })
}

/** The names of the functions that a file defines, in whatever form. */
function functionsIn(file: string): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (node: unknown, called: string | undefined): void => {
    if (typeof node !== "object" || node === null) return
    if (Array.isArray(node)) return node.forEach((each) => visit(each, undefined))
    const { id, key, type } = node as { readonly type?: unknown; readonly id?: unknown; readonly key?: unknown }
    const own = nameOf(key) ?? nameOf(id) ?? called
    const isFunction = typeof type === "string" && /Function(Declaration|Expression)$/.test(type)
    if (isFunction && own !== undefined) names.add(own)
    // A name goes to what it names, also through what the types say of it.
    for (const [part, child] of Object.entries(node)) visit(child, part === "body" ? undefined : own)
  }
  visit(parseSync(file, readFileSync(join(root, file), "utf8")).program, undefined)
  return names
}

function nameOf(node: unknown): string | undefined {
  if (typeof node !== "object" || node === null || !("name" in node) || typeof node.name !== "string") return undefined
  return "type" in node && node.type === "PrivateIdentifier" ? `#${node.name}` : node.name
}

/** Whether the header is not the doc comment of the first statement: that is an import or re-export, or has its own. */
function isSeparate(source: string, header: Comment, start: number, blocks: ReadonlyArray<Comment>): boolean {
  return /^(import|export \*|export \{)/.test(source.slice(start, start + 8)) ||
    blocks.some(({ end }) => end > header.end && end <= start)
}

function checkComment(where: string, text: string): void {
  const prose = text.split("\n").map((line) => line.replace(/^\s*\*+ ?/, "").trim()).find((line) => line !== "")
  if (prose === undefined || prose.startsWith("@")) problems.push(`${where} has tags, but no sentence`)
  for (const tag of ["@category", "@since"]) {
    if (!new RegExp(`${tag} \\S`).test(text)) problems.push(`${where} has no ${tag}`)
  }
}

interface Declaration {
  readonly type: string
  readonly id?: unknown
  readonly declarations?: ReadonlyArray<{ readonly id: unknown }>
}

function namesOf(declaration: Declaration): ReadonlyArray<string> {
  const ids = declaration.declarations?.map(({ id }) => id) ?? [declaration.id]
  return ids.flatMap((id) =>
    typeof id === "object" && id !== null && "name" in id && typeof id.name === "string" ? [id.name] : []
  )
}

interface Example {
  readonly file: string
  readonly line: number
  readonly code: string
}

function examplesOf(file: string): ReadonlyArray<Example> {
  const inComment = file.endsWith(".ts")
  const found: Array<Example> = []
  let current: { line: number; lines: Array<string> } | undefined
  readFileSync(join(root, file), "utf8").split("\n").forEach((raw, index) => {
    if (inComment && !/^\s*\*/.test(raw)) return
    const text = inComment ? raw.replace(/^\s*\* ?/, "") : raw
    if (current === undefined) {
      if (text.trim() === "```ts") current = { line: index + 1, lines: [] }
    } else if (text.trim() === "```") {
      found.push({ file, line: current.line, code: current.lines.join("\n") })
      current = undefined
    } else {
      current.lines.push(text)
    }
  })
  return found
}

/** Compiles the examples, each as a file in which every line has the number that it has in its source. */
function checkExamples(examples: ReadonlyArray<Example>): void {
  if (examples.length === 0) return
  const directory = join(root, "node_modules/.cache/examples")
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const names = examples.map(({ file, line }) => `${file.replaceAll("/", "__").replace(/\.ts$/, "")}@${line}.ts`)
  examples.forEach(({ code, line }, index) => {
    writeFileSync(join(directory, names[index]!), "\n".repeat(line) + code + "\nexport {}\n")
  })
  writeFileSync(
    join(directory, "tsconfig.json"),
    JSON.stringify({
      extends: "../../../tsconfig.json",
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false, incremental: false, tsBuildInfoFile: null },
      include: [],
      files: names
    })
  )
  const { status, stdout } = compiled("-p", directory, "--pretty", "false")
  if (status === 0) return
  // Faults of the sources are reported by `check`.
  const fault = /^node_modules\/\.cache\/examples\/(.*)@\d+\.ts\((\d+),\d+\): (.*)$/gm
  for (const [, name = "", line, message] of stdout.matchAll(fault)) {
    const file = name.replaceAll("__", "/")
    problems.push(`${file.endsWith(".md") ? file : `${file}.ts`}:${line} ${message}`)
  }
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length
}
