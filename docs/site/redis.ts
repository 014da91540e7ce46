/**
 * Deals the members of `Redis`, which are some hundreds, out to a page for each family of commands.
 */
import { DeclarationReflection, ReflectionKind } from "typedoc"
import type { Context, Reflection } from "typedoc"
import { families } from "./families.ts"

/** Whether this is one of the pages, and not a module of its own. */
export const isFamily = (reflection: Reflection): boolean =>
  reflection.kind === ReflectionKind.Namespace && Object.hasOwn(families, reflection.name)

/** Makes the families namespaces within `Redis`. */
export const dealOut = (context: Context): void => {
  const redis = context.project.getReflectionsByKind(ReflectionKind.Namespace).find(({ name }) => name === "Redis")
  if (!(redis instanceof DeclarationReflection)) return
  const byFamily = Map.groupBy([...redis.children ?? []], (member) => familyOf(context, member))
  for (const title of Object.keys(families)) {
    const mine = byFamily.get(title) ?? []
    if (mine.length === 0) continue
    const family = new DeclarationReflection(title, ReflectionKind.Namespace, redis)
    context.project.registerReflection(family, undefined, undefined)
    redis.addChild(family)
    for (const member of mine) {
      redis.removeChild(member)
      member.parent = family
      family.addChild(member)
    }
  }
}

const familyOf = (context: Context, member: DeclarationReflection): string | undefined => {
  // What runs commands stands in modules beside the folder of commands.
  if (member.sources?.some(({ fileName }) => fileName.includes("/commands/")) !== true) return "Running commands"
  // Another name for a command stands beside it.
  const named = member.isReference() ? member.getTargetReflection() : member
  const comment = named.comment ?? (named.isDeclaration() ? named.signatures?.[0]?.comment : undefined)
  const category = comment?.getTag("@category")?.content.map(({ text }) => text).join("").trim()
  const found = Object.entries(families).find(([, categories]) => categories.includes(category ?? ""))
  if (found === undefined) {
    context.logger.warn(
      `${member.getFriendlyFullName()} is of the category ${category}, which has no page in docs/site`
    )
  }
  return found?.[0]
}
