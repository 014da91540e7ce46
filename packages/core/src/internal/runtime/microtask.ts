/**
 * What is done when the running task is over.
 */

/**
 * The function of the runtime, as it was when redfx was loaded. A test with fake timers may put another in its place, which forgets what it
 * was given when the test is over: a connection that waited for that would never write again.
 */
export const queueMicrotask = globalThis.queueMicrotask
