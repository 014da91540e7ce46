/** Every client the benchmark knows, loaded one by one so that one that is missing does not stop the others. */
import type { Client } from "../session.ts"

const modules: Readonly<Record<string, () => Promise<{ readonly client: Client }>>> = {
  "redfx": () => import("./redfx.ts"),
  "redfx-promise": () => import("./redfx-promise.ts"),
  "ioredis": () => import("./ioredis.ts"),
  "ioredis-autopipelining": () => import("./ioredis-autopipelining.ts"),
  "node-redis": () => import("./node-redis.ts"),
  "node-redis-no-timeout": () => import("./node-redis-no-timeout.ts"),
  "valkey-glide": () => import("./valkey-glide.ts"),
  "effect-node-redis": () => import("./effect-node-redis.ts"),
  "iovalkey": () => import("./iovalkey.ts")
}

/** What `floor.ts` compares clients with. */
const floors: typeof modules = {
  "socket": () => import("./socket.ts"),
  "callback": () => import("./callback.ts")
}

/** The names `--clients` accepts. */
export const clientNames: ReadonlyArray<string> = Object.keys(modules)

/** The clients of a run that names none. */
export const defaultClientNames: ReadonlyArray<string> = clientNames.filter((name) =>
  name !== "iovalkey" && name !== "redfx-promise"
)

/** The clients of promises, which are compared with redfx's own. */
export const promiseClientNames: ReadonlyArray<string> = [
  "redfx-promise",
  ...defaultClientNames.filter((name) => name !== "redfx" && name !== "effect-node-redis")
]

/** Loads a client; rejects when its module does not load, `undefined` when there is no such client. */
export async function loadClient(name: string): Promise<Client | undefined> {
  return (await (modules[name] ?? floors[name])?.())?.client
}
