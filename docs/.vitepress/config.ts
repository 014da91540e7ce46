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

const packages = ["@redfx/core", "@redfx/node", "@redfx/cluster", "@redfx/sentinel", "@redfx/testing"]

const order = [...packages, ...Object.keys(families)]

/** Without the levels that are no pages; packages and families of commands in their order. */
const pagesIn = (children: ReadonlyArray<Page>): ReadonlyArray<Page> => {
  return children.flatMap((child) => child.path === undefined ? pagesIn(child.children ?? []) : [child])
    .toSorted((a, b) => order.indexOf(a.title) - order.indexOf(b.title))
}

const guide = (name: string): DefaultTheme.SidebarItem => ({ text: titleOfGuide(name), link: `/${name}` })

/** Every page, with what a reader is at spread out: guides, or the reference. */
const sidebar = (collapsed: boolean): Array<DefaultTheme.SidebarItem> =>
  Object.entries(groups).map(([text, names]) => ({ text, collapsed, items: names.map(guide) }))

const decided: DefaultTheme.SidebarItem = { text: "Decisions", collapsed: true, items: decisions.map(guide) }

const modules = (collapsed: boolean): DefaultTheme.SidebarItem => (
  { text: "Reference", link: "/reference/", collapsed, items: pagesIn(reference).map(itemOf) }
)

/** What is searched of a page: its words. Programs would take as long to colour as they take for the page itself. */
const withoutPrograms = (text: string, env: MarkdownEnv, markdown: MarkdownRenderer): Promise<string> =>
  markdown.renderAsync(text.replace(/^```[^]*?^```/gm, ""), env)

const icon =
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' fill='#c6392f'/>" +
  "<path d='M5 12V4h3.5a2.2 2.2 0 0 1 0 4.6H5m3 0 3 3.4' stroke='#fff' stroke-width='1.6' fill='none'/></svg>"

export default defineConfig({
  title: "redfx",
  description: "Redis and Valkey for programs built on Effect",
  lang: "en",
  cleanUrls: true,
  head: [["link", { rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(icon)}` }]],
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
    sidebar: {
      "/reference/": [modules(false), ...sidebar(true), decided],
      "/": [...sidebar(false), modules(true), decided]
    },
    outline: [2, 3],
    search: { provider: "local", options: { _render: withoutPrograms } },
    socialLinks: [{ icon: "github", link: repository }],
    editLink: { pattern: `${repository}/edit/main/docs/:path`, text: "Change this page" },
    footer: { message: "Under the MIT licence" }
  }
})
