/**
 * Compiles a program with an older compiler and looks only at the declarations of redfx: those of the packages that it stands
 * on are not ours to judge, and take most of the time.
 *
 *     node scripts/check-declarations.ts <path of the compiler's module> <arguments of tsc>
 */
import { createRequire } from "node:module"
import process from "node:process"

const [path = "", ...args] = process.argv.slice(2)
// Both compilers that are given have this interface.
const ts = createRequire(import.meta.url)(path) as typeof import("typescript-6")

const { errors, fileNames, options } = ts.parseCommandLine(args)
const program = ts.createProgram(fileNames, options)
const isOwn = ({ fileName }: { readonly fileName: string }): boolean =>
  fileName.includes("node_modules/@redfx/") || !fileName.includes("node_modules/")
const own = program.getSourceFiles().filter(isOwn)
const found = [
  ...errors,
  ...program.getOptionsDiagnostics(),
  ...program.getGlobalDiagnostics(),
  ...own.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
]
process.stdout.write(ts.formatDiagnostics(found, ts.createCompilerHost(options)))
if (own.length < 2) console.log("error: the program has no declarations of redfx")
