/**
 * Releases all packages in the version that their changesets ask for. `pnpm release --dry-run` does everything but publish,
 * commit and tag: it writes the notes, builds, packs, checks the tarballs and what is installed with them, in a copy of what is
 * committed, and leaves no trace.
 *
 * A release is made from a clean `main`, in CI: the registry then proves from which commit and run the packages are (provenance).
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import process from "node:process"
import { fail, packagesIn, run } from "./pack.ts"

const dry = process.argv.includes("--dry-run")
const root = join(import.meta.dirname, "..")
const temporary = mkdtempSync(join(tmpdir(), "redfx-release-"))
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }))

const directory = dry ? copy() : root
if (!dry) demandCleanMain()

step("versions and notes")
run("pnpm", ["exec", "changeset", "version"], directory)
const packages = packagesIn(directory)
const versions = new Set(packages.map(({ manifest }) => manifest.version))
const [version = ""] = versions
if (versions.size !== 1) fail(`The packages have several versions: ${[...versions].join(", ")}`)
for (const { directory, manifest } of packages) {
  console.log(`${manifest.name} ${manifest.version}\n\n${notesOf(join(directory, "CHANGELOG.md"))}`)
}

step("licences and vulnerabilities")
show("node", ["scripts/licences.ts"])
show("node", ["scripts/audit.ts"])

step("build and check")
show("pnpm", ["build"])
show("node", ["scripts/check-packages.ts"])

step("pack")
for (const { directory, manifest } of packages) {
  const tarball = join(temporary, `${basename(directory)}-${version}.tgz`)
  run("pnpm", ["pack", "--out", tarball], directory)
  const files = run("tar", ["-tzf", tarball]).trim().split("\n")
  const maps = files.filter((file) => file.endsWith(".map")).length
  console.log(
    `${manifest.name}: ${
      Math.round(statSync(tarball).size / 1024)
    } KiB, ${files.length} files, ${maps} of them source maps`
  )
}

if (dry) {
  console.log(`\nThis was a dry run: ${packages.length} packages would be published as ${version}.`)
} else {
  step("publish")
  run("git", ["add", "--all", "packages", ".changeset"], directory)
  run("git", ["commit", "--message", `Release ${version}`], directory)
  show("pnpm", ["publish", "--recursive", "--access", "public", "--provenance"])
  show("pnpm", ["exec", "changeset", "git-tag"])
  show("git", ["push", "--follow-tags"])
}

/** What is committed, with its packages installed. */
function copy(): string {
  const target = join(temporary, "source")
  step("copy of what is committed")
  run("git", ["clone", "--quiet", root, target])
  run("pnpm", ["install", "--prefer-offline", "--frozen-lockfile", "--ignore-scripts"], target)
  return target
}

function demandCleanMain(): void {
  const branch = run("git", ["rev-parse", "--abbrev-ref", "HEAD"]).trim()
  if (branch !== "main") fail(`A release is made from main, and this is ${branch}`)
  if (run("git", ["status", "--porcelain"]).trim() !== "") fail("There are changes that are not committed")
  // Only a run of a workflow can prove where the packages come from.
  if (process.env["CI"] === undefined) fail("A release is made in CI; try pnpm release --dry-run here")
}

/** The part of a list of changes that is about its newest version. */
function notesOf(file: string): string {
  const [, newest = ""] = readFileSync(file, "utf8").split(/^## .*$/m)
  return newest.trim()
}

function step(title: string): void {
  console.log(`\n== ${title}`)
}

function show(command: string, args: ReadonlyArray<string>): void {
  const { error, status } = spawnSync(command, args, { cwd: directory, stdio: "inherit" })
  if (status !== 0) fail(`${command} ${args.join(" ")} failed ${error?.message ?? ""}`)
}
