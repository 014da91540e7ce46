/**
 * Makes pages of a site out of what TypeDoc finds: commands as functions, `Redis` by families of commands, packages by their
 * names.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Comment, Converter, ReflectionKind } from "typedoc"
import type { Application, ContainerReflection, Context } from "typedoc"
import { complete, convertCallables, convertCommands, removeRepeatedCommands, removeTypesOfValues } from "./commands.ts"
import { docs } from "./guides.ts"
import { ReferenceRouter, ReferenceTheme } from "./pages.ts"
import { dealOut } from "./redis.ts"

/** Called by TypeDoc. */
export const load = (app: Application): void => {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, complete)
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context: Context) => {
    for (const module of context.project.getReflectionsByKind(ReflectionKind.Module)) {
      const folder = module.name.replace(/^packages\/|\/src$/g, "")
      module.name = `@redfx/${folder}`
      module.comment = new Comment([{ kind: "text", text: descriptionOf(folder) }])
    }
    removeTypesOfValues(context)
    removeRepeatedCommands(context)
    convertCommands(context)
    convertCallables(context)
    dealOut(context)
  }, 100)
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }: Context) => {
    for (
      const { categories = [] } of project.getReflectionsByKind(ReflectionKind.SomeModule) as Array<ContainerReflection>
    ) {
      for (const category of categories) {
        const anchor = category.title.toLowerCase().replaceAll(" ", "-")
        category.title = `${category.title.replace(/^./, (first) => first.toUpperCase())} {#category-${anchor}}`
      }
    }
  }, -10_000)
  app.renderer.defineRouter("reference", ReferenceRouter)
  app.renderer.defineTheme("reference", ReferenceTheme)
}

const descriptionOf = (folder: string): string =>
  JSON.parse(readFileSync(join(docs, "../packages", folder, "package.json"), "utf8")).description
