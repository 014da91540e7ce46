/**
 * The site: the guides as they are in `docs/`, and the reference that TypeDoc has written to `docs/reference`.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { defineConfig } from "vitepress"
import type { DefaultTheme, MarkdownEnv, MarkdownRenderer } from "vitepress"
import { families } from "../site/families.ts"
import { decisions, docs, groups, titleOfGuide } from "../site/guides.ts"
import { links, repository } from "../site/links.ts"

interface Page {
  readonly title: string
  readonly path?: string
  readonly children?: ReadonlyArray<Page>
}

// Written by TypeDoc.
const reference: ReadonlyArray<Page> = JSON.parse(readFileSync(join(docs, "reference/navigation.json"), "utf8"))

const itemOf = ({ children, path, title }: Page): DefaultTheme.SidebarItem => ({
  text: title,
  ...path === undefined ? {} : { link: `/reference/${path.replace(/(index)?\.md$/, "")}` },
  ...children === undefined ? {} : { collapsed: true, items: pagesIn(children).map(itemOf) }
})

/** Without the levels that are no pages, families of commands in their order. */
const pagesIn = (children: ReadonlyArray<Page>): ReadonlyArray<Page> => {
  const order = Object.keys(families)
  return children.flatMap((child) => child.path === undefined ? pagesIn(child.children ?? []) : [child])
    .toSorted((a, b) => order.indexOf(a.title) - order.indexOf(b.title))
}

const guide = (name: string): DefaultTheme.SidebarItem => ({ text: titleOfGuide(name), link: `/${name}` })

const sidebar: Array<DefaultTheme.SidebarItem> = [
  ...Object.entries(groups).map(([text, names]) => ({ text, collapsed: text === "Inside", items: names.map(guide) })),
  { text: "Reference", link: "/reference/", items: reference.map(itemOf) },
  { text: "Decisions", collapsed: true, items: decisions.map(guide) }
]

/** What is searched of a page: its words. Programs would take as long to colour as they take for the page itself. */
const withoutPrograms = (text: string, env: MarkdownEnv, markdown: MarkdownRenderer): Promise<string> =>
  markdown.renderAsync(text.replace(/^```[^]*?^```/gm, ""), env)

export default defineConfig({
  title: "redfx",
  description: "Redis and Valkey for programs built on Effect",
  lang: "en",
  cleanUrls: true,
  srcExclude: ["**/node_modules/**", "site/**"],
  markdown: { config: (markdown) => void markdown.use(links) },
  transformPageData: (page) => {
    if (page.relativePath.startsWith("reference/")) page.frontmatter["editLink"] = false
  },
  vite: { build: { chunkSizeWarningLimit: 4000 } },
  themeConfig: {
    nav: [
      { text: "Guides", link: "/getting-started" },
      { text: "Recipes", link: "/recipes" },
      { text: "Commands", link: "/reference/core/Redis/" },
      { text: "Reference", link: "/reference/" }
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: "local", options: { _render: withoutPrograms } },
    socialLinks: [{ icon: "github", link: repository }],
    editLink: { pattern: `${repository}/edit/main/docs/:path`, text: "Change this page" },
    footer: { message: "MIT" }
  }
})
