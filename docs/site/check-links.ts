/**
 * Looks every link within the site up in what was built: pages, files and headings. VitePress itself looks for pages only.
 */
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"

const site = join(import.meta.dirname, "../.vitepress/dist")
const problems: Array<string> = []
const pages = new Map(globSync("**/*.html", { cwd: site }).map((file) => [file, read(file)] as const))

for (const [file, { links }] of pages) {
  for (const link of links) {
    const { hash, pathname } = new URL(link, `http://site/${file}`)
    const path = decodeURIComponent(pathname.slice(1))
    const target = ["", ".html", "index.html", "/index.html"].map((end) => `${path}${end}`)
      .find((candidate) => candidate.endsWith(".html") ? pages.has(candidate) : existsSync(join(site, candidate, ".")) === false && existsSync(join(site, candidate)))
    const page = target === undefined ? undefined : pages.get(target)
    if (target === undefined) problems.push(`${file} leads to ${link}, which is nothing`)
    else if (hash !== "" && page?.ids.has(decodeURIComponent(hash.slice(1))) !== true) {
      problems.push(`${file} leads to ${link}, and there is no such heading`)
    }
  }
}

for (const problem of new Set(problems)) console.error(problem)
console.log(`${pages.size} pages; ${problems.length} dead links.`)
process.exitCode = problems.length === 0 ? 0 : 1

function read(file: string) {
  const html = readFileSync(join(site, file), "utf8")
  return {
    links: [...html.matchAll(/<a\b[^>]*? href="([^"]*)"/g)].map(([, href = ""]) => href.replaceAll("&amp;", "&"))
      .filter((href) => !/^([a-z]+:|\/\/)/.test(href)),
    ids: new Set([...html.matchAll(/ id="([^"]*)"/g)].map(([, id = ""]) => id))
  }
}
