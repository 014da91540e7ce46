/**
 * MODULE: the modules of a server.
 *
 * @since 0.1.0
 */
import { isReadonlyArray } from "../internal/argument/isReadonlyArray.ts"
import { listOf } from "../internal/reply/listOf.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

/**
 * The options of {@link moduleLoadex}.
 *
 * @category server
 * @since 0.1.0
 */
export interface ModuleLoadexOptions {
  /** Parameters of the module with their values. */
  readonly config?: Arg.Pairs<string, Arg.Value> | undefined
  /** Arguments that the module is started with. */
  readonly args?: ReadonlyArray<Arg.Value> | undefined
}

/**
 * Returns the modules that are loaded. `path` and `args` are only returned since Redis 7.0.0.
 *
 * O(N). Since Redis 4.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const moduleList = define(
  "MODULE LIST",
  () => [],
  Reply.array(Reply.struct({
    name: Reply.text,
    ver: Reply.integer,
    path: Reply.nullable(Reply.text),
    args: listOf(Reply.text)
  })),
  "readonly"
)

/**
 * Loads a module from a file on the server; returns `true`.
 *
 * Fails with `ResponseError` when the module cannot be loaded. O(1). Since Redis 4.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const moduleLoad = define(
  "MODULE LOAD",
  (path: string, ...args: Arg.Many<Arg.Value>) => [path, ...Arg.many(args)],
  Reply.ok
)

/**
 * Loads a module from a file on the server, with parameters; returns `true`.
 *
 * Fails with `ResponseError` when the module cannot be loaded. O(1). Since Redis 7.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const moduleLoadex = define(
  "MODULE LOADEX",
  (path: string, options: ModuleLoadexOptions = {}) => {
    const { args = [], config = [] } = options
    return [
      path,
      ...configPairs(config).map(([name, value]) => Arg.list("CONFIG", name, value)),
      args.length === 0 ? Arg.none : new Arg.List(["ARGS", ...Arg.many([args])])
    ]
  },
  Reply.ok
)

/**
 * Unloads a module by its name; returns `true`.
 *
 * Fails with `ResponseError` when the module cannot be unloaded. O(1). Since Redis 4.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const moduleUnload = define("MODULE UNLOAD", (name: string) => [name], Reply.ok)

const configPairs = (config: Arg.Pairs<string, Arg.Value>): ReadonlyArray<readonly [string, Arg.Value]> =>
  isReadonlyArray(config) ? config : Object.entries(config)
