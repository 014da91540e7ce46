/** Packs the packages, and installs them as npm would for a user. */
import { spawnSync } from "node:child_process"
import { globSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly peerDependencies?: Record<string, string>
}

/** A package that is published. */
export interface Package {
  readonly manifest: Manifest
  readonly directory: string
}

const root = join(import.meta.dirname, "..")

// A file of our own: pnpm@version+hash.
const { packageManager: pinned } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly packageManager: string
}

/** A program that was not started by pnpm does not find it on the PATH. npx takes two seconds longer, each time. */
const pnpm: readonly [string, ...Array<string>] = process.env["npm_config_user_agent"]?.startsWith("pnpm/") === true
  ? ["pnpm"]
  : ["npx", "-y", pinned.slice(0, pinned.indexOf("+"))]

/** All packages that are published from a copy of the repository, as they are at the moment. */
export function packagesIn(root: string): ReadonlyArray<Package> {
  return globSync("packages/*/package.json", { cwd: root }).sort()
    .map((file): Package => {
      // A file of our own.
      const manifest = JSON.parse(readFileSync(join(root, file), "utf8")) as Manifest
      return { manifest, directory: join(root, dirname(file)) }
    })
    .filter(({ manifest }) => manifest.private !== true)
}

export const packages = packagesIn(root)

/** Packs a package that was built, and returns the path of the tarball. */
export function pack({ directory, manifest }: Package, target: string): string {
  const tarball = join(target, `${manifest.name.replace("@", "").replace("/", "-")}.tgz`)
  const [program, ...args] = pnpm
  run(program, [...args, "pack", "--out", tarball], directory)
  return tarball
}

/** Unpacks the tarball where npm would, with the workspace's copies of what the package needs from others. */
export function install(tarball: string, { directory, manifest }: Package, project: string): void {
  const target = join(project, "node_modules", manifest.name)
  mkdirSync(target, { recursive: true })
  run("tar", ["-xzf", tarball, "-C", target, "--strip-components=1"])
  for (const peer of Object.keys(manifest.peerDependencies ?? {})) link(peer, directory, project)
}

/** Gives a project a dependency of one of the workspace's packages. */
export function link(name: string, directory: string, project: string): void {
  const target = join(project, "node_modules", name)
  mkdirSync(dirname(target), { recursive: true })
  rmSync(target, { force: true })
  symlinkSync(join(directory, "node_modules", name), target)
}

/** Runs a program to its end and returns what it printed, which is shown only when it failed. */
export function run(command: string, args: ReadonlyArray<string>, cwd: string = root): string {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8" })
  if (status !== 0) fail(`${command} ${args.join(" ")} failed\n${error?.message ?? ""}${stdout}${stderr}`)
  return stdout
}

/** Says what is wrong and ends the process. */
export function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
