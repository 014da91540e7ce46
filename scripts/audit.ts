/**
 * Asks the registry for known vulnerabilities of what is installed. Fails for those that are high or critical; where the
 * registry cannot be asked, as without a network, it says so and does not fail.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "..")
const { stderr, stdout } = spawnSync("pnpm", ["audit", "--json"], { cwd: root, encoding: "utf8", timeout: 60_000 })
const report = parse(stdout)

if (report === undefined) {
  const [reason = ""] = `${stdout}${stderr}`.split("\n").filter((line) => line.trim() !== "")
  console.log(`The registry could not be asked for vulnerabilities: ${reason.trim()}`)
} else {
  const found = Object.values(report)
  const grave = found.filter(({ severity }) => severity === "high" || severity === "critical")
  for (const { module_name: name, severity, title, url } of found) console.log(`${severity}: ${name}: ${title} ${url}`)
  console.log(`${found.length} known vulnerabilities, ${grave.length} of them high or critical.`)
  if (grave.length > 0) process.exitCode = 1
}

interface Advisory {
  readonly module_name: string
  readonly severity: string
  readonly title: string
  readonly url: string
}

function parse(text: string): Readonly<Record<string, Advisory>> | undefined {
  try {
    const { advisories } = JSON.parse(text)
    return typeof advisories === "object" && advisories !== null ? advisories : undefined
  } catch {
    return undefined
  }
}
