/**
 * Shows commands as what they are to those who call them. A command is a constant, `get = define("GET", …)`: here it becomes a
 * function with parameters, and its reply is kept in its three views. Its complexity and the version that brought it, which are
 * sentences of its doc comment, become facts of their own.
 */
import {
  DeclarationReflection,
  IntrinsicType,
  ParameterReflection,
  ReferenceType,
  ReflectionFlag,
  ReflectionKind,
  RestType,
  SignatureReflection
} from "typedoc"
import type { CommentDisplayPart, Context, ProjectReflection, SomeType } from "typedoc"
import ts from "typescript"

/** What a reader asks of a command besides how it is called. */
export interface Command {
  /** The name on the wire, such as `CLIENT SETNAME`. */
  readonly wire: string
  readonly traits: ReadonlyArray<string>
  /** The reply as text, as bytes, and with bigint integers. */
  readonly views: readonly [text: SomeType, bytes: SomeType, bigint: SomeType]
  complexity: ReadonlyArray<CommentDisplayPart>
  since: ReadonlyArray<CommentDisplayPart>
}

const commands = new WeakMap<SignatureReflection, Command>()

/** What is known of the command that a function makes, `undefined` when it makes none. */
export const commandOf = (signature: SignatureReflection): Command | undefined => commands.get(signature)

/** Turns definitions into functions, before anything is sorted or linked. */
export const convertCommands = (context: Context): void => {
  for (const reflection of context.project.getReflectionsByKind(ReflectionKind.Variable)) {
    if (!(reflection instanceof DeclarationReflection)) continue
    if (definitionOf(reflection) === undefined) continue
    const declared = reflection.type instanceof ReferenceType ? reflection.type.reflection : undefined
    const calls = callsOf(reflection)
    if (calls.length > 0) convert(context, reflection, calls)
    else context.logger.warn(`${reflection.getFriendlyFullName()} makes commands that docs/site cannot show`)
    // An interface for one function is said where that is.
    if (declared !== undefined && interfaces.has(declared.name)) context.project.removeReflection(declared)
  }
  for (const reflection of context.project.getReflectionsByKind(ReflectionKind.Function)) {
    if (reflection instanceof DeclarationReflection) inherit(context, reflection)
  }
}

/** A command that is like another has what is not said of it from that one. */
const inherit = (context: Context, reflection: DeclarationReflection): Command | undefined => {
  const [signature] = reflection.signatures ?? []
  const command = signature === undefined ? undefined : commands.get(signature)
  if (signature === undefined || command === undefined) return command
  const [like, link] = signature.comment?.summary ?? []
  if (like?.text === "Like " && link?.kind === "inline-tag") {
    const siblings = reflection.parent?.isDeclaration() === true ? reflection.parent.children ?? [] : []
    const other = siblings.find(({ name }) => name === link.text)
    const origin = other === undefined ? undefined : inherit(context, other)
    if (command.complexity.length === 0) command.complexity = origin?.complexity ?? []
    if (command.since.length === 0) command.since = origin?.since ?? []
  }
  if (command.since.length === 0 && !command.wire.includes(".")) {
    context.logger.warn(`${reflection.getFriendlyFullName()} does not say since which version there is ${command.wire}`)
  }
  return command
}

/** Takes out what a module exports as types only (`export type *`), which TypeDoc shows as values. */
export const removeTypesOfValues = ({ project }: Context): void => {
  for (const reflection of project.getReflectionsByKind(ReflectionKind.Variable | ReflectionKind.Function)) {
    const comment = reflection.comment ?? (reflection.isDeclaration() ? reflection.signatures?.[0]?.comment : undefined)
    const category = comment?.getTag("@category")?.content[0]?.text.trim() ?? ""
    const isOfCommands = reflection.isDeclaration() &&
      reflection.sources?.some(({ fileName }) => fileName.includes("/commands/modules/")) === true
    if (isOfCommands && ["arguments", "decoders"].includes(category)) project.removeReflection(reflection)
  }
}

/** Takes out of an interface what it has of every command: the commands have pages of their own. */
export const removeRepeatedCommands = ({ project }: Context): void => {
  for (const reflection of project.getReflectionsByKind(ReflectionKind.Interface)) {
    if (!(reflection instanceof DeclarationReflection) || reflection.name !== "RedisPromise") continue
    const repeated = (reflection.children ?? []).filter(({ sources }) =>
      sources?.every(({ fileName }) => fileName.endsWith("/RedisPromise.ts")) !== true
    )
    for (const member of repeated) project.removeReflection(member)
  }
}

/** Shows constants whose type is nothing but ways to call them as functions. */
export const convertCallables = ({ project }: Context): void => {
  for (const reflection of project.getReflectionsByKind(ReflectionKind.Variable)) {
    if (!(reflection instanceof DeclarationReflection) || reflection.type?.type !== "reflection") continue
    const { children, signatures } = reflection.type.declaration
    if (signatures === undefined || children !== undefined) continue
    for (const signature of signatures) signature.parent = reflection
    reflection.signatures = signatures.map((signature) => Object.assign(signature, { name: reflection.name }))
    reflection.kind = ReflectionKind.Function
    reflection.setFlag(ReflectionFlag.Const, false)
    delete reflection.type
  }
}

/** One way to call a definition, and what it answers with. */
interface Call {
  readonly parameters: ReadonlyArray<Parameter>
  readonly command: string
  readonly views: Command["views"]
}

interface Parameter {
  /** `undefined` when the type does not tell. */
  readonly name: string | undefined
  readonly type: SomeType
  readonly isOptional: boolean
  readonly isRest: boolean
}

const callsOf = (reflection: DeclarationReflection): ReadonlyArray<Call> => {
  const type = definitionOf(reflection)
  if (type === undefined) return []
  const [parameters, text, bytes = text, bigint = text] = type.typeArguments ?? []
  if (parameters !== undefined && text !== undefined && bytes !== undefined && bigint !== undefined) {
    const command = type.name === "CacheableDefinition" ? "CacheableCommand" : "RedisCommand"
    // One list of parameters under an alias is no tuple of them.
    const list = parameters.type === "tuple" ? parameters.elements : [new RestType(parameters)]
    return [{ command, parameters: list.map(parameterOf), views: [text, bytes, bigint] }]
  }
  // An interface lists what a tuple cannot say.
  const declared = type.reflection?.isDeclaration() === true ? type.reflection.signatures ?? [] : []
  return declared.flatMap((signature) => {
    const [text, bytes = text, bigint = text] = signature.type?.type === "reference"
      ? signature.type.typeArguments ?? []
      : []
    if (text === undefined || bytes === undefined || bigint === undefined) return []
    return [{
      command: "RedisCommand",
      parameters: (signature.parameters ?? []).flatMap(({ flags: { isOptional, isRest }, name, type }) => {
        const isGeneric = signature.typeParameters?.some((parameter) => parameter.name === type?.toString())
        const shown = isGeneric === true ? new IntrinsicType("object") : type
        return shown === undefined ? [] : [{ name, type: shown, isOptional, isRest }]
      }),
      views: [text, bytes, bigint]
    }]
  })
}

const definitionOf = ({ type }: DeclarationReflection): ReferenceType | undefined =>
  type instanceof ReferenceType && (/^(Cacheable)?Definition$/.test(type.name) || interfaces.has(type.name))
    ? type
    : undefined

/** Each is the type of one command, which takes objects of generic types. */
const interfaces: ReadonlySet<string> = new Set(["Hset", "JsonArrappend", "JsonMerge", "JsonSet"])

/**
 * Gives a constant what TypeDoc does not find: the type of the constant that it is declared to be like, as in
 * `typeof readFromId`, and the comment beside the name under which it is exported.
 */
export const complete = (context: Context, reflection: DeclarationReflection): void => {
  if (reflection.kind !== ReflectionKind.Variable) return
  const symbol = context.getSymbolFromReflection(reflection)
  const declaration = symbol?.declarations?.[0]
  if (symbol === undefined || declaration === undefined) return
  if (reflection.type?.type === "query") {
    reflection.type = context.converter.convertType(
      context.withScope(reflection),
      context.checker.getTypeOfSymbol(symbol)
    )
  }
  if (reflection.comment !== undefined || symbol.name === reflection.name) return
  const exported = declaration.getSourceFile().statements.filter(ts.isExportDeclaration)
    .flatMap(({ exportClause }) =>
      exportClause !== undefined && ts.isNamedExports(exportClause) ? [...exportClause.elements] : []
    )
    .find(({ name }) => name.text === reflection.name)
  const comment = exported === undefined ? undefined : context.getNodeComment(exported, false)
  if (comment !== undefined) reflection.comment = comment
}

const parameterOf = (element: SomeType): Parameter => {
  const [name, type] = element.type === "namedTupleMember" ? [element.name, element.element] : [undefined, element]
  return {
    name,
    type: type.type === "rest" || type.type === "optional" ? type.elementType : type,
    isOptional: type.type === "optional" || (element.type === "namedTupleMember" && element.isOptional),
    isRest: type.type === "rest"
  }
}

const convert = (context: Context, reflection: DeclarationReflection, calls: ReadonlyArray<Call>): void => {
  const { project } = context
  const definition = callOf(context, reflection)
  const facts = takeFacts(reflection.comment?.summary ?? [])
  if (reflection.comment !== undefined) reflection.comment.summary = facts.rest
  const literals = [...definition?.arguments ?? []].flatMap((each) => ts.isStringLiteral(each) ? [each.text] : [])
  const written = parametersOf(definition)
  reflection.kind = ReflectionKind.Function
  reflection.setFlag(ReflectionFlag.Const, false)
  reflection.signatures = calls.map(({ command, parameters, views }) => {
    const signature = new SignatureReflection(reflection.name, ReflectionKind.CallSignature, reflection)
    project.registerReflection(signature, undefined, undefined)
    signature.parameters = parameters.map((parameter, index) => {
      const name = parameter.name ?? written[index]?.name.getText() ?? `argument${index + 1}`
      const made = new ParameterReflection(name, ReflectionKind.Parameter, signature)
      project.registerReflection(made, undefined, undefined)
      made.type = parameter.type
      if (parameter.isRest) made.setFlag(ReflectionFlag.Rest)
      const value = written[index]?.initializer?.getText()
      if (parameter.isOptional || value !== undefined) made.setFlag(ReflectionFlag.Optional)
      if (value !== undefined && value !== "{}") made.defaultValue = value
      return made
    })
    signature.type = commandType(project, command, views[0])
    if (reflection.comment !== undefined) signature.comment = reflection.comment
    if (reflection.sources !== undefined) signature.sources = reflection.sources
    commands.set(signature, {
      wire: literals[0] ?? reflection.name.toUpperCase(),
      traits: literals.slice(1),
      views,
      complexity: facts.complexity,
      since: facts.since
    })
    return signature
  })
  delete reflection.comment
  delete reflection.type
  delete reflection.defaultValue
}

/** The call of `define` that made it. */
const callOf = (context: Context, reflection: DeclarationReflection): ts.CallExpression | undefined => {
  const declaration = context.getSymbolFromReflection(reflection)?.declarations?.find(ts.isVariableDeclaration)
  let initializer = declaration?.initializer
  while (initializer !== undefined && ts.isAsExpression(initializer)) initializer = initializer.expression
  return initializer !== undefined && ts.isCallExpression(initializer) ? initializer : undefined
}

/** The parameters of the function that builds what is sent. */
const parametersOf = (call: ts.CallExpression | undefined): ReadonlyArray<ts.ParameterDeclaration> => {
  const build = call?.arguments[1]
  return build !== undefined && ts.isArrowFunction(build) ? build.parameters : []
}

const commandType = (project: ProjectReflection, name: string, reply: SomeType): SomeType => {
  const target = project.getReflectionsByKind(ReflectionKind.Interface).find((each) => each.name === name)
  const type = target === undefined
    ? ReferenceType.createBrokenReference(name, project, "@redfx/core")
    : ReferenceType.createResolvedReference(name, target, project)
  type.typeArguments = [reply]
  return type
}

interface Facts {
  readonly complexity: ReadonlyArray<CommentDisplayPart>
  readonly since: ReadonlyArray<CommentDisplayPart>
  readonly rest: Array<CommentDisplayPart>
}

/** Takes the sentences that begin with `O(` and with `Since` out of a text. */
const takeFacts = (summary: ReadonlyArray<CommentDisplayPart>): Facts => {
  const complexity: Array<CommentDisplayPart> = []
  const since: Array<CommentDisplayPart> = []
  const rest: Array<CommentDisplayPart> = []
  for (const sentence of sentencesOf(summary)) {
    const start = sentence[0]?.kind === "text" ? sentence[0].text.trimStart() : ""
    if (start.startsWith("O(")) complexity.push(...sentence)
    else if (/^Since\s+[\w-]+\s+\d/.test(start)) since.push(...sentence)
    else rest.push(...sentence)
  }
  return { complexity, since, rest }
}

/** A text in sentences: code and links stay in the one that they are in, and a blank line ends it. */
const sentencesOf = (parts: ReadonlyArray<CommentDisplayPart>): ReadonlyArray<ReadonlyArray<CommentDisplayPart>> => {
  const sentences: Array<Array<CommentDisplayPart>> = [[]]
  for (const part of parts) {
    const pieces = part.kind === "text" ? part.text.split(/(?<=\.\s)(?=[A-Z`])|(?=\n\n)|(?<=\n\n)/) : [undefined]
    pieces.forEach((text, index) => {
      const begins = index > 0 || (part.kind !== "text" && endsSentence(sentences.at(-1)?.at(-1)))
      if (begins) sentences.push([])
      sentences.at(-1)?.push(part.kind === "text" ? { kind: "text", text: text ?? "" } : part)
    })
  }
  return sentences
}

const endsSentence = (part: CommentDisplayPart | undefined): boolean =>
  part === undefined || (part.kind === "text" && /(\.\s|\n\n)$/.test(part.text))
