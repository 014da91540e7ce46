/**
 * The arguments of commands that call a script or a function.
 */
import * as Arg from "../../RedisArg.ts"
import { isReadonlyArray } from "./isReadonlyArray.ts"

/** What is called, the number of keys, the keys and the arguments. */
export const callArgs = (
  program: Arg.Key,
  keys: ReadonlyArray<Arg.Key> = [],
  args: ReadonlyArray<Arg.Value> = []
): Arg.List =>
  isReadonlyArray(keys) && isReadonlyArray(args)
    ? new Arg.List([program, keys.length, Arg.keys([keys]), ...Arg.many([args])])
    : Arg.invalid(
      "takes its keys as an array, and its arguments as another one behind it, such as [\"key\"], [\"argument\"]"
    )
