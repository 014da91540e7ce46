/** Nothing but Node.js: what the others are over. */
const collect = globalThis.gc
const answered = performance.now()
collect?.()
console.log(JSON.stringify({ imported: answered, answered, ...process.memoryUsage() }))
process.exit()
