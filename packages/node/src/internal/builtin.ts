/**
 * Modules of Node.js that few programs need. Whoever uses them loads them: `node:tls` takes a tenth of the processor time of a program
 * that connects without it. An import would load also what Node.js itself puts off, such as the promises of `node:fs`.
 */

export const childProcess = () => process.getBuiltinModule("node:child_process")
export const crypto = () => process.getBuiltinModule("node:crypto")
export const fs = () => process.getBuiltinModule("node:fs")
export const tls = () => process.getBuiltinModule("node:tls")
export const zlib = () => process.getBuiltinModule("node:zlib")
