/**
 * Marks what modules evaluate while they are loaded as free of side effects, which is true of all modules of the packages
 * (`sideEffects` in their `package.json`). Of a file of which nothing is used, bundlers leave out all. With the marks they also
 * leave out what is not used of a file that holds many modules.
 */
import { RolldownMagicString } from "rolldown"
import type { Plugin } from "rolldown"
import { Visitor } from "rolldown/utils"
import type { ESTree } from "rolldown/utils"

type Range = Pick<ESTree.Expression, "start" | "end">

const mark = "/* @__PURE__ */ "

/**
 * A value that is one call is marked where it stands. Several calls become a function whose call is marked, as do values that
 * read properties or spread: these might run somebody's code, for all that bundlers know, and marks are for calls.
 */
export const pure: Plugin = {
  name: "pure",
  transform(code) {
    const text = new RolldownMagicString(code)
    for (const [{ end, start }, isCall] of valuesIn(this.parse(code, { lang: "ts" }))) {
      text.appendLeft(start, isCall ? mark : `${mark}(() => (`)
      if (!isCall) text.appendRight(end, "))()")
    }
    return { code: text }
  }
}

/** What is to be marked: the values of variables and of static fields, and what classes extend. The map says whether that is one call and no more. */
function valuesIn(program: ESTree.Program): ReadonlyMap<Range, boolean> {
  const found = new Map<Range, boolean>()
  const namespaces = new Set<string>()
  const callees = new Set<ESTree.Node>()
  // Above 0 inside of what is not evaluated together with the module, and of what is evaluated for its effect.
  let depth = 0
  let value: Range | undefined
  const enter = () => {
    depth++
  }
  const leave = () => {
    depth--
  }
  const begin = (range: Range | null | undefined) => {
    if (depth === 0) value = range ?? undefined
  }
  const add = (isCall: boolean) => {
    if (depth === 0 && value !== undefined) found.set(value, isCall && !found.has(value))
  }
  const call = (node: ESTree.CallExpression | ESTree.NewExpression) => {
    callees.add(node.callee)
    add(node.start === value?.start && node.end === value.end)
  }
  new Visitor({
    ImportNamespaceSpecifier: ({ local }) => {
      namespaces.add(local.name)
    },
    VariableDeclarator: ({ init }) => begin(init),
    ClassDeclaration: ({ superClass }) => begin(superClass),
    ClassBody: () => begin(undefined),
    CallExpression: call,
    NewExpression: call,
    SpreadElement: () => add(false),
    MemberExpression: (node) => {
      const isExport = node.object.type === "Identifier" && namespaces.has(node.object.name)
      if (!isExport && !callees.has(node)) add(false)
    },
    ArrowFunctionExpression: enter,
    "ArrowFunctionExpression:exit": leave,
    FunctionExpression: enter,
    "FunctionExpression:exit": leave,
    FunctionDeclaration: enter,
    "FunctionDeclaration:exit": leave,
    PropertyDefinition: ({ static: isStatic, value }) => isStatic ? begin(value) : enter(),
    "PropertyDefinition:exit": ({ static: isStatic }) => isStatic ? begin(undefined) : leave(),
    ExpressionStatement: enter,
    "ExpressionStatement:exit": leave
  }).visit(program)
  return found
}
