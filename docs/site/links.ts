/**
 * Links of guides as they are in the repository, made to work on the site: what is no page of the site is shown where the
 * sources are.
 */
import { existsSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import type { MarkdownRenderer } from "vitepress"
import { docs } from "./guides.ts"

const root = join(docs, "..")

/** The address of the repository, as the packages have it. */
export const repository: string = JSON.parse(readFileSync(join(root, "packages/core/package.json"), "utf8"))
  .repository.url.replace(/^git\+|\.git$/g, "")

/** Rewrites the links of a page before they are rendered, and checked. */
export const links = (markdown: MarkdownRenderer): void => {
  markdown.core.ruler.push("links-out-of-the-site", ({ env, tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const target = token.type === "link_open" ? token.attrGet("href") : null
      if (target !== null) token.attrSet("href", onSite(env.realPath ?? env.path, target))
    }
  })
}

const onSite = (page: string, target: string): string => {
  if (/^([a-z]+:|#|\/)/.test(target)) return target
  const [path = "", anchor] = target.split("#")
  const there = [dirname(page), root].map((folder) => resolve(folder, path)).find((file) => existsSync(file))
  // What is nowhere is a dead link, which fails the build.
  if (there === undefined) return target
  const hash = anchor === undefined ? "" : `#${anchor}`
  const inDocs = relative(docs, there)
  if (!inDocs.startsWith("..") && inDocs.endsWith(".md")) return `/${inDocs}${hash}`
  const kind = statSync(there).isDirectory() ? "tree" : "blob"
  return `${repository}/${kind}/main/${relative(root, there)}${hash}`
}
