/**
 * Looks every link within the site up in what was built: pages, files and headings. VitePress itself looks for pages only.
 */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

const site = join(import.meta.dirname, "../.vitepress/dist")
const problems: Array<string> = []
const files = new Set(globSync("**/*.*", { cwd: site }))
const pages = new Map([...files].filter((file) => file.endsWith(".html")).map((file) => [file, read(file)] as const))

for (const [file, { links }] of pages) {
  for (const link of links) {
    const { hash, pathname } = new URL(link, `http://site/${file}`)
    const path = decodeURIComponent(pathname.slice(1))
    // Addresses have no endings, and those of folders end in a slash.
    const page = pages.get([`${path}.html`, `${path}index.html`, path].find((name) => pages.has(name)) ?? "")
    if (page === undefined && !files.has(path)) problems.push(`${file} leads to ${link}, which is nothing`)
    else if (hash !== "" && page?.ids.has(decodeURIComponent(hash.slice(1))) !== true) {
      problems.push(`${file} leads to ${link}, and there is no such heading`)
    }
  }
}

for (const problem of new Set(problems)) console.error(problem)
console.log(`${pages.size} pages; ${problems.length} dead links.`)
process.exitCode = problems.length === 0 ? 0 : 1

interface Page {
  readonly links: ReadonlyArray<string>
  readonly ids: ReadonlySet<string>
}

function read(file: string): Page {
  const html = readFileSync(join(site, file), "utf8")
  return {
    links: [...html.matchAll(/<a\b[^>]*? href="([^"]*)"/g)].map(([, href = ""]) => href.replaceAll("&amp;", "&"))
      .filter((href) => !/^([a-z]+:|\/\/)/.test(href)),
    ids: new Set([...html.matchAll(/ id="([^"]*)"/g)].map(([, id = ""]) => id))
  }
}
