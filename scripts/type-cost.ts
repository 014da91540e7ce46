/**
 * Measures what the types cost a program that uses every command: checks one
 * against the sources and one against the compiled declarations, as users do.
 * Fails beyond the limits: about three times the memory and the seconds that were measured on two slow cores, and little over the
 * instantiations. These do not vary, as long as one thread checks: several share the files out, so that one file more had
 * the same types cost 5,000 more.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { Redis } from "../packages/core/src/index.ts"
import { compiled } from "./compiler.ts"

const limits = { megabytes: 1000, seconds: 12 }

const look = "To look: tsc -p node_modules/.cache/type-cost --generateTrace DIRECTORY, for DIRECTORY/trace.json"

const root = join(import.meta.dirname, "..")
const directory = join(root, "node_modules/.cache/type-cost")
const names = Object.keys(Redis)

rmSync(directory, { recursive: true, force: true })
mkdirSync(directory, { recursive: true })
writeFileSync(
  join(directory, "program.ts"),
  [
    `import { Redis } from "@redfx/core"`,
    `import * as Effect from "effect/Effect"`,
    // Exported one by one, so that users' declarations can name the types.
    ...names.map((name, i) => `export const command${i} = Redis.${name}`),
    // A pipeline, a transaction and generators are where types are worked out.
    "export const pipelines = [",
    ...Array.from(
      { length: 100 },
      (_, i) =>
        `  Redis.pipeline([Redis.get("${i}"), Redis.incr("n"), Redis.hgetall("h"), Redis.xrange("s"), Redis.zrange("z", 0, ${i})]),`
    ),
    "]",
    "export const program = Effect.gen(function*() {",
    ...Array.from(
      { length: 100 },
      (_, i) =>
        `  const { a${i}, b${i} } = yield* Redis.pipeline({ a${i}: Redis.get("k"), b${i}: Redis.smembers("s") })\n` +
        `  yield* Redis.set("k", \`\${a${i}} \${b${i}.size}\`)`
    ),
    "})"
  ].join("\n")
)

compile()
console.log(`A program with the ${names.length} functions of Redis`)
measure("against sources", false, {}, 201_600)
// As published.
measure("against declarations", true, {
  "@redfx/core": ["../../../packages/core/dist/index.d.ts"],
  "@redfx/core/*": ["../../../packages/core/dist/*.d.ts"]
}, 16_300)

/** Brings the declarations up to date. */
function compile(): void {
  const { status, stdout } = compiled("-b", "tsconfig.packages.json")
  if (status !== 0) throw new Error(`The packages do not compile: ${stdout}`)
}

function measure(
  title: string,
  declaration: boolean,
  paths: Readonly<Record<string, ReadonlyArray<string>>>,
  instantiations: number
): void {
  writeFileSync(
    join(directory, "tsconfig.json"),
    JSON.stringify({
      extends: "../../../tsconfig.json",
      compilerOptions: {
        incremental: false,
        tsBuildInfoFile: null,
        rootDir: "../../..",
        declaration,
        emitDeclarationOnly: false,
        paths
      },
      include: [],
      files: ["program.ts"]
    })
  )
  const { status, stdout } = compiled("-p", directory, "--singleThreaded", "--extendedDiagnostics", "--pretty", "false")
  const figure = (name: string): number => Number(new RegExp(`^${name}:\\s+([\\d.]+)`, "m").exec(stdout)?.[1] ?? NaN)
  const measured = {
    megabytes: figure("Memory used") / 1024,
    seconds: figure("Total time"),
    instantiations: figure("Instantiations")
  }
  console.log(
    `${title}: ${measured.megabytes.toFixed(0)} MB, ${measured.seconds.toFixed(2)} s, ` +
      `${measured.instantiations} instantiations, ${figure("Types")} types`
  )
  if (status !== 0) fail(`The program does not compile:\n${stdout.slice(0, 2000)}`)
  for (const [name, limit] of Object.entries({ ...limits, instantiations })) {
    // A figure that is missing is over every limit.
    if (!((measured[name as keyof typeof measured]) <= limit)) fail(`More than ${limit} ${name}. ${look}`)
  }
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
}
