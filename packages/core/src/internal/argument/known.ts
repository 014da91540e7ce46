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
  refuseOthers(all, options, example)
  return options
}

/** The same with other names. As for TypeScript, a record with other entries is one of options when it has any of the names. */
export const refuseOthers = (allowed: ReadonlySet<string>, options: object, example: string): void => {
  if (typeof options !== "object" || isReadonlyArray(options)) {
    invalid(`takes its options as a record, such as ${example}`)
  }
  let other: string | undefined = undefined
  let isKnown = false
  for (const name in options) {
    if (allowed.has(name)) {
      isKnown = true
      continue
    }
    if (allowed.has(name.toLowerCase())) {
      invalid(`has no option ${name}; options are in lower case here, such as ${example}`)
    }
    other ??= name
  }
  if (other !== undefined && !isKnown) invalid(`has no option ${other}; it takes options such as ${example}`)
}
