/**
 * Checks the packages as their users get them: builds and packs each, has publint
 * and Are The Types Wrong look at the tarballs, then installs them in an empty
 * project, where every module must load and type-check and no internal one may,
 * all of them together come from few files, and editors show what they should.
 */
import { spawnSync } from "node:child_process"
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { build } from "./build.ts"
import { checkEditors } from "./check-editors.ts"
import { fail, install, pack, packages, run } from "./pack.ts"

const root = join(import.meta.dirname, "..")
const temporary = mkdtempSync(join(tmpdir(), "redfx-packages-"))
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }))

/** How many files a program with everything loads, and a few more. Each takes Node.js half a millisecond. */
const fileLimit = 85

/** The modules of Node.js that every program loads; the others take as long as 50 files, and are loaded by who uses them. */
const builtin = ["node:net", "node:os", "node:path"]

const nodenext = ["--module", "nodenext"]
const bundler = ["--module", "esnext", "--moduleResolution", "bundler"]
const withoutDom = ["--lib", "es2024"]
const withDom = ["--lib", "es2024,dom,dom.iterable"]

/** How users compile the declarations. The older compilers take longer: each sees both sides of both choices. */
const compilations: ReadonlyArray<readonly [compiler: string, options: ReadonlyArray<string>]> = [
  ["typescript", [...nodenext, ...withoutDom]],
  ["typescript", [...nodenext, ...withDom]],
  ["typescript", [...bundler, ...withoutDom]],
  ["typescript", [...bundler, ...withDom]],
  ["typescript-6", [...nodenext, ...withDom]],
  ["typescript-6", [...bundler, ...withoutDom]],
  ["typescript-5.9", [...nodenext, ...withoutDom]],
  ["typescript-5.9", [...bundler, ...withDom]]
]

await build()
for (const each of packages) {
  const tarball = pack(each, temporary)
  run("publint", ["run", tarball, "--strict"])
  run("attw", [tarball, "--profile", "esm-only", "--format", "ascii"])
  install(tarball, each, temporary)
}
const modules = packages.flatMap(({ manifest }) => checkFiles(manifest.name))
load(modules)
countFiles()
typeCheck(modules)
declare()
const faults = await checkEditors(temporary, modules)
if (faults.length > 0) fail(faults.join("\n"))
console.log(`${packages.length} packages with ${modules.length} modules are fit to publish.`)

/** Every specifier under which a user reaches the package. */
function checkFiles(name: string): ReadonlyArray<string> {
  const installed = join(temporary, "node_modules", name)
  const text = readFileSync(join(installed, "package.json"), "utf8")
  for (const protocol of ["workspace:", "catalog:"]) {
    if (text.includes(protocol)) fail(`The packed ${name} still has a dependency on "${protocol}"`)
  }
  if (globSync("LICENSE", { cwd: installed }).length === 0) fail(`The packed ${name} has no LICENSE`)
  for (const map of globSync("dist/**/*.map", { cwd: installed })) checkMap(join(installed, map))
  checkImports(installed)
  const files = globSync("**/*.js", { cwd: join(installed, "dist") })
  return files.sort().filter((file) => !file.includes("internal/")).map((file) =>
    file === "index.js" ? name : `${name}/${file.slice(0, -".js".length)}`
  )
}

/** What another package has brought may be elsewhere, or of another version: a package names all that its modules import. */
function checkImports(installed: string): void {
  // What pnpm has written.
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Named
  const named = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
  for (const file of globSync("dist/**/*.{js,d.ts}", { cwd: installed })) {
    const text = readFileSync(join(installed, file), "utf8").replaceAll(/\/\*.*?\*\//gs, "")
    for (const [, specifier = ""] of text.matchAll(/\b(?:from |import\()"([^".][^"]*)"/g)) {
      if (specifier.startsWith("node:") || named.some((name) => `${specifier}/`.startsWith(`${name}/`))) continue
      fail(`${manifest.name} imports ${specifier} in ${file}, and names no package that has it`)
    }
  }
}

interface Named {
  readonly name: string
  readonly dependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
}

/** Debuggers and stack traces show the sources, which have to be in the package. */
function checkMap(file: string): void {
  // What the compilers have written.
  const { sources } = JSON.parse(readFileSync(file, "utf8")) as { readonly sources: ReadonlyArray<string> }
  for (const source of sources) {
    if (!existsSync(join(dirname(file), source))) fail(`${file} names ${source}, which is not there`)
  }
}

function load(modules: ReadonlyArray<string>): void {
  const program = [
    ...modules.map((module) => `await import(${JSON.stringify(module)})`),
    `for (const name of ${JSON.stringify(packages.map(({ manifest }) => manifest.name))}) {`,
    "  const { code } = await import(`${name}/internal/none`).catch((error) => error)",
    "  if (code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw new Error(`${name} opens its internal modules: ${code}`)",
    "}"
  ]
  writeFileSync(join(temporary, "load.mjs"), program.join("\n"))
  run("node", ["load.mjs"], temporary)
}

function countFiles(): void {
  const program = [
    `import { registerHooks } from "node:module"`,
    "const loaded = []",
    "registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })",
    `await import("@redfx/core")`,
    `await import("@redfx/node")`,
    `const files = loaded.filter((url) => url.includes("/@redfx/")).length`,
    `if (files === 0 || files > ${fileLimit}) throw new Error(\`A program loads \${files} files, not 1 to ${fileLimit}\`)`,
    `const builtin = loaded.filter((url) => url.startsWith("node:") && !${JSON.stringify(builtin)}.includes(url))`,
    `if (builtin.length > 0) throw new Error(\`A program loads \${builtin} whether it uses that or not\`)`
  ]
  writeFileSync(join(temporary, "count.mjs"), program.join("\n"))
  run("node", ["count.mjs"], temporary)
}

/** Compiles a program to declarations. The types in them need names, which that program has from no other module than it imports. */
function declare(): void {
  const program = [
    `import { RedisError } from "@redfx/core"`,
    `export const annotated = RedisError.ConnectionError.annotate({ title: "A connection" })`
  ]
  writeFileSync(join(temporary, "declared.mts"), program.join("\n"))
  const fixed = ["--declaration", "--strict", "--skipLibCheck", "--preserveSymlinks", "--target", "es2022"]
  run("tsc", [...fixed, ...nodenext, ...withDom, "declared.mts"], temporary)
}

/** Compiles the declarations themselves. Those of the packages that redfx stands on are not ours to judge. */
function typeCheck(modules: ReadonlyArray<string>): void {
  const program = modules.map((module, index) => `export * as m${index} from ${JSON.stringify(module)}`)
  writeFileSync(join(temporary, "types.mts"), program.join("\n"))
  for (const [compiler, options] of compilations) {
    const directory = join(root, "node_modules", compiler)
    // The older ones are asked for our files alone, which takes them half as long.
    const isAsked = compiler !== "typescript"
    const command = isAsked
      ? [join(root, "scripts/check-declarations.ts"), join(directory, "lib/typescript.js")]
      : [join(directory, "bin/tsc")]
    const fixed = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--pretty", "false"]
    const environment = ["--types", "node", "--typeRoots", join(root, "node_modules/@types"), "--preserveSymlinks"]
    const { error, status, stderr, stdout } = spawnSync(process.execPath, [
      ...command,
      ...fixed,
      ...options,
      ...environment,
      "types.mts"
    ], {
      cwd: temporary,
      encoding: "utf8"
    })
    const own = stdout.split("\n").filter((line) => /^(node_modules\/@redfx\/|types\.mts|error )/.test(line))
    if (error !== undefined || own.length > 0 || (isAsked && status !== 0)) {
      fail(`${compiler} ${options.join(" ")}: ${error?.message ?? (own.join("\n") || stderr)}`)
    }
  }
}
