/**
 * The options of commands as programs without types give them.
 */
import { isReadonlyArray } from "./isReadonlyArray.ts"
import { invalid } from "./refusal.ts"

/** The options of all commands whose options {@link known} looks at. */
const names = [
  "aggregate",
  "alpha",
  "approximate",
  "auth",
  "auth2",
  "by",
  "bylex",
  "byscore",
  "cas",
  "ch",
  "copy",
  "db",
  "desc",
  "ef",
  "enx",
  "ex",
  "exat",
  "fnx",
  "force",
  "freq",
  "fxx",
  "get",
  "gt",
  "id",
  "idle",
  "idletime",
  "idmp",
  "idmpauto",
  "ifdeq",
  "ifdne",
  "ifeq",
  "ifne",
  "keepttl",
  "lastid",
  "lbound",
  "limit",
  "lt",
  "m",
  "maxlen",
  "minid",
  "nx",
  "persist",
  "px",
  "pxat",
  "quantization",
  "reduce",
  "references",
  "replace",
  "retrycount",
  "rev",
  "saturate",
  "setattr",
  "time",
  "ubound",
  "xx"
] as const

type Name = typeof names[number]

/** `never` for options of which one is not among the names, and would be refused where it is the only one. */
type Listed<Options> = [Exclude<Options extends unknown ? keyof Options : never, Name>] extends [never] ? unknown
  : never

const all: ReadonlySet<string> = new Set(names)

/**
 * Refuses options in the spelling of other clients, which programs without types bring along: `"EX", 60`, `{ NX: true }` and
 * `{ expiration: … }`. Without them a value would live for ever, or replace another one. `example`: how they are written.
 */
export const known = <Options extends object>(options: Options & Listed<Options>, example: string): Options => {
  const other = otherIn(all, options, example)
  if (other === undefined) return options
  // A record with an option and something else is one of options for TypeScript, too.
  for (const name in options) if (all.has(name)) return options
  return refuse(other, example)
}

/** Refuses each option but these, also beside one of them: what it stands for would be missed. */
export const refuseOthers = (allowed: ReadonlySet<string>, options: object, example: string): void => {
  const other = otherIn(allowed, options, example)
  if (other !== undefined) refuse(other, example)
}

const refuse = (other: string, example: string): never =>
  invalid(`has no option ${other}; it takes options such as ${example}`)

/** The first name in a record that is none of these; one that is spelt in capitals, and what is no record, is refused. */
const otherIn = (allowed: ReadonlySet<string>, options: object, example: string): string | undefined => {
  if (typeof options !== "object" || isReadonlyArray(options)) {
    invalid(`takes its options as a record, such as ${example}`)
  }
  let other: string | undefined = undefined
  for (const name in options) {
    if (allowed.has(name)) continue
    if (allowed.has(name.toLowerCase())) {
      invalid(`has no option ${name}; options are in lower case here, such as ${example}`)
    }
    other ??= name
  }
  return other
}
