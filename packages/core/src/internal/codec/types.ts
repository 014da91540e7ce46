/**
 * The bytes that mean something in RESP: line ends, and the type bytes that values begin with.
 */
export const CR = 0x0d
export const LF = 0x0a
export const ARRAY = 0x2a // *
export const ATTRIBUTE = 0x7c // |
export const BIG_NUMBER = 0x28 // (
export const BLOB_ERROR = 0x21 // !
export const BOOLEAN = 0x23 // #
export const BULK = 0x24 // $
export const DOUBLE = 0x2c // ,
export const END = 0x2e // .
export const ERROR = 0x2d // -
export const INTEGER = 0x3a // :
export const MAP = 0x25 // %
export const NULL = 0x5f // _
export const PART = 0x3b // ;
export const PUSH = 0x3e // >
export const SET = 0x7e // ~
export const SIMPLE = 0x2b // +
export const STREAMED = 0x3f // ?
export const VERBATIM = 0x3d // =

/** The names of what follows a type byte, for messages. */
export const names: Record<number, string> = {
  [ARRAY]: "array length",
  [ATTRIBUTE]: "attribute length",
  [BIG_NUMBER]: "big number",
  [BLOB_ERROR]: "blob error length",
  [BOOLEAN]: "boolean",
  [BULK]: "bulk string length",
  [DOUBLE]: "double",
  [END]: "end of a streamed aggregate",
  [ERROR]: "error",
  [INTEGER]: "integer",
  [MAP]: "map length",
  [NULL]: "null",
  [PART]: "length of a streamed string's part",
  [PUSH]: "push length",
  [SET]: "set length",
  [SIMPLE]: "simple string",
  [VERBATIM]: "verbatim string length"
}

/** Holds 1 at every type byte. It is an array because it is looked up for each line. */
export const isType: Uint8Array = Uint8Array.from({ length: 256 }, (_, type) => type in names ? 1 : 0)
