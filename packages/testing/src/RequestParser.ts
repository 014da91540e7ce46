/**
 * Reads requests as a server does.
 */
export * from "./internal/requestParser.ts"
