/**
 * The pages of the reference: where they stand, and how a command looks on one.
 */
import { ReflectionKind } from "typedoc"
import type {
  CommentDisplayPart,
  ContainerReflection,
  DeclarationReflection,
  ParameterReflection,
  ReferenceReflection,
  Reflection,
  SignatureReflection,
  SomeType
} from "typedoc"
import { MarkdownTheme, MarkdownThemeContext, ModuleRouter } from "typedoc-plugin-markdown"
import type { MarkdownPageEvent } from "typedoc-plugin-markdown"
import { commandOf } from "./commands.ts"
import type { Command } from "./commands.ts"
import { families } from "./families.ts"
import { guidesOf, titleOfGuide } from "./guides.ts"
import { isFamily } from "./redis.ts"

/** A page is found by the names of its package and of its module: `core/RedisLock`, `core/Redis/sorted-sets`. */
export class ReferenceRouter extends ModuleRouter {
  override getIdealBaseName(reflection: Reflection): string {
    if (!reflection.kindOf(ReflectionKind.SomeModule)) return super.getIdealBaseName(reflection)
    const names: Array<string> = []
    for (let each: Reflection | undefined = reflection; each?.parent !== undefined; each = each.parent) {
      names.unshift(isFamily(each) ? each.name.toLowerCase().replaceAll(" ", "-") : each.name.replace("@redfx/", ""))
    }
    const isFolder = reflection.kind === ReflectionKind.Module || reflection.name === "Redis"
    return [...names, ...isFolder ? ["index"] : []].join("/")
  }
}

export class ReferenceTheme extends MarkdownTheme {
  override getRenderContext(page: MarkdownPageEvent<Reflection>): MarkdownThemeContext {
    return new ReferencePage(this, page, this.application.options)
  }
}

class ReferencePage extends MarkdownThemeContext {
  constructor(...given: ConstructorParameters<typeof MarkdownThemeContext>) {
    super(...given)
    const standard = this.partials
    this.partials = {
      ...standard,
      // Members have the names by which headings would be found otherwise.
      pageTitle: () => `${titleOf(this.page.model)} {#the-page}`,
      referenceType: (model) => model.name === "Uint8Array" ? "`Uint8Array`" : standard.referenceType(model),
      referenceMember: (model) => this.elsewhere(model),
      sources: ({ sources }) => sources?.[0]?.url === undefined ? "" : `[Source](${sources[0].url})`,
      body: (model, options) => {
        if (model !== this.page.model) return standard.body(model, options)
        const members = isFamily(model)
          ? this.family(model)
          : model.name === "Redis"
          ? this.overview(model)
          : standard.body(model, options)
        const start = model === this.page.project
          ? "Most begin with [every command by family](core/Redis/index.md), or look for a name in the search above."
          : this.guides(model)
        return `${start}\n\n${members}`
      },
      signatures: (model, options) => {
        const [signature] = model.signatures ?? []
        const command = signature === undefined ? undefined : commandOf(signature)
        return signature === undefined || command === undefined
          ? standard.signatures(model, options).replace(whatTellsNothing, "")
          : this.command(model.signatures ?? [], signature, command)
      }
    }
  }

  private guides({ name }: ContainerReflection): string {
    const links = guidesOf(name).map((guide) =>
      `[${titleOfGuide(guide)}](${"../".repeat(this.page.url.split("/").length)}${guide}.md)`
    )
    return links.length === 0 ? "" : `Guide: ${links.join(", ")}`
  }

  /** A family: its commands, the types of their options and replies last. */
  private family(family: ContainerReflection): string {
    const members = (family.children ?? []).toSorted((a, b) => a.name.localeCompare(b.name))
    const types = members.filter(isType)
    const functions = members.filter((member) => !isType(member))
    const show = (headingLevel: number) => (member: DeclarationReflection): string =>
      this.partials.memberContainer(member, { headingLevel })
    return [
      ...functions.map(show(2)),
      ...types.length === 0 ? [] : ["## Options and replies", ...types.map(show(3))]
    ].join("\n\n")
  }

  /** Every command by family, a line each. */
  private overview(redis: ContainerReflection): string {
    const members = redis.children ?? []
    return Object.keys(families).flatMap((name) => members.filter((member) => member.name === name)).map((family) => {
      const functions = (family.children ?? []).filter((member) => !isType(member))
        .toSorted((a, b) => a.name.localeCompare(b.name))
      return [
        `## [${family.name}](${this.urlTo(family)})\n`,
        "| Function | |",
        "| --- | --- |",
        ...functions.map((member) => `| [${member.name}](${this.urlTo(member)}) | ${this.firstSentence(member)} |`)
      ].join("\n")
    }).join("\n\n")
  }

  private firstSentence(member: DeclarationReflection): string {
    const target = member.isReference() ? member.getTargetReflectionDeep() : member
    const signature = target.isDeclaration() ? target.signatures?.[0] : undefined
    const comment = target.comment ?? signature?.comment
    return comment === undefined ? "" : this.helpers.getDescriptionForComment(comment)?.replaceAll("|", "\\|") ?? ""
  }

  private command(
    signatures: ReadonlyArray<SignatureReflection>,
    signature: SignatureReflection,
    command: Command
  ): string {
    const { comment } = signature
    const parameters = signatures.flatMap(({ parameters }) => parameters ?? [])
      .filter((parameter, index, all) => all.findIndex(({ name }) => name === parameter.name) === index)
    return [
      `\`\`\`ts\n${signatures.map((each) => this.call(each)).join("\n")}\n\`\`\``,
      comment === undefined ? "" : this.partials.comment(comment, { showSummary: true, showTags: false }),
      this.parameters(parameters),
      this.views(command),
      this.facts(signature, command),
      comment === undefined ? "" : this.partials.comment(comment, { showSummary: false, showTags: true })
    ].filter((part) => part !== "").join("\n\n")
  }

  /** The call as it is written, on one line where it fits. */
  private call(signature: SignatureReflection): string {
    const given = (signature.parameters ?? []).map((parameter) => {
      const { flags: { isOptional, isRest }, name } = parameter
      const optional = isOptional || parameter.defaultValue !== undefined
      return `${isRest ? "..." : ""}${name}${optional && !isRest ? "?" : ""}: ${this.plain(parameter.type)}`
    })
    const start = `${moduleOf(signature)}.${signature.name}(`
    const end = `): ${this.plain(signature.type)}`
    const line = `${start}${given.join(", ")}${end}`
    return line.length <= 88 ? line : `${start}\n${given.map((each) => `  ${each}`).join(",\n")}\n${end}`
  }

  private parameters(parameters: ReadonlyArray<ParameterReflection>): string {
    if (parameters.length === 0) return ""
    const hasDefaults = parameters.some(({ defaultValue }) => defaultValue !== undefined)
    return [
      `| Parameter | Type |${hasDefaults ? " Default |" : ""}`,
      `| --- | --- |${hasDefaults ? " --- |" : ""}`,
      ...parameters.map(({ defaultValue, flags: { isOptional, isRest }, name, type }) => {
        const optional = (isOptional && !isRest) || defaultValue !== undefined ? "?" : ""
        const value = defaultValue === undefined ? "" : `\`${defaultValue}\``
        return `| \`${isRest ? "..." : ""}${name}${optional}\` | ${type === undefined ? "" : this.cell(type)} |` +
          (hasDefaults ? ` ${value} |` : "")
      })
    ].join("\n")
  }

  /** What another module has, as it is there. */
  private elsewhere(reference: ReferenceReflection): string {
    const target = reference.getTargetReflectionDeep()
    if (!target.isDeclaration() || target.parent === undefined) return ""
    const where = `Also [${target.parent.name}.${target.name}](${this.urlTo(target)})`
    const isBeside = target.parent === reference.parent
    return isBeside ? where : [this.partials.member(target, { headingLevel: 3 }), where].join("\n\n")
  }

  /** What a command answers with; in one line where all views are the same. */
  private views({ views: [text, bytes, bigint] }: Command): string {
    const [asText, asBytes, asBigInt] = [text, bytes, bigint].map((view) => this.cell(view))
    if (asText === asBytes && asText === asBigInt) return `**Reply** ${this.partials.someType(text)}`
    return [
      "| View | Reply |",
      "| --- | --- |",
      `| as text, the default | ${asText} |`,
      ...asBytes === asText ? [] : [`| [\`Redis.asBytes\`](${this.urlOf("asBytes")}) | ${asBytes} |`],
      ...asBigInt === asText ? [] : [`| [\`Redis.asBigInt\`](${this.urlOf("asBigInt")}) | ${asBigInt} |`]
    ].join("\n")
  }

  private facts(signature: SignatureReflection, { complexity, since, traits, wire }: Command): string {
    const [source] = signature.sources ?? []
    return [
      "<div class=\"facts\">\n",
      [
        `\`${wire}\``,
        this.sentence(complexity),
        this.sentence(since),
        traits.join(", "),
        source?.url === undefined ? "" : `[source](${source.url})`
      ].filter((fact) => fact !== "").join(" · "),
      "\n</div>"
    ].join("\n")
  }

  private sentence(parts: ReadonlyArray<CommentDisplayPart>): string {
    return this.helpers.getCommentParts([...parts]).trim().replace(/\.$/, "").replaceAll("\n", " ")
  }

  private cell(type: SomeType): string {
    return onOneLine(this.partials.someType(type)).replace(/(?<!\\)\|/g, "\\|")
  }

  private plain(type: SomeType | undefined): string {
    const text = this.partials.someType(type, { forceCollapse: true }).replace(/\[([^[\]]*)\]\([^()]*\)/g, "$1")
    return onOneLine(text.replace(/[`\\]/g, "")).replaceAll("&lt;", "<").replaceAll("&gt;", ">")
  }

  private urlOf(name: string): string {
    const found = this.page.project.getReflectionsByKind(ReflectionKind.FunctionOrMethod | ReflectionKind.Variable)
      .find((each) => each.name === name && each.parent?.name === "RedisCommand")
    return found === undefined ? "" : this.urlTo(found)
  }
}

/** Headings between the ways to call a function, and tables of type parameters of which nothing is said but their names. */
const whatTellsNothing = /^#+ (Call Signature\n|Type Parameters\n+\| Type Parameter \|\n(\|.*\n)*)/gm

const onOneLine = (text: string): string => text.split("\n").map((line) => line.trim()).join(" ")

const isType = (member: DeclarationReflection): boolean =>
  member.kindOf(ReflectionKind.SomeType | ReflectionKind.ClassOrInterface)

const moduleOf = (reflection: Reflection): string => {
  const parent = reflection.parent
  if (parent === undefined) return ""
  return parent.kindOf(ReflectionKind.SomeModule) && !isFamily(parent) ? parent.name : moduleOf(parent)
}

const titleOf = (model: Reflection): string =>
  model.kind === ReflectionKind.Project ? "Reference" : model.name === "Redis" ? "Redis: every command" : model.name
