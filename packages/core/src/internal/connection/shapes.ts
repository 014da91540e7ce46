/**
 * One object of each class whose objects come and go with commands.
 *
 * V8 compiles code for the shapes of the objects that it meets, and throws the
 * code away when it collects the last object of such a shape: after a full
 * collection with no command under way the next thousands ran uncompiled. ZRANGE
 * WITHSCORES of 1000 took 850 µs of processor time in such a phase in place of
 * 280, and MGET of 1000 800 in place of 400.
 */
import * as RedisArg from "../../RedisArg.ts"
import { textView } from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import { Element, SharedText } from "../codec/sharedText.ts"
import { CommandImpl } from "../command/impl.ts"
import { Elements, Pairs } from "../reply/collections.ts"
import { bytesReader, textReader } from "../reply/longString.ts"
import { BatchRequest } from "./batchRequest.ts"
import { asking, SingleRequest } from "./singleRequest.ts"

let kept: ReadonlyArray<object | undefined> = []

/** Keeps the compiled code of commands from now on. */
export const keepShapes = (): void => {
  if (kept.length > 0) return
  kept = [
    new RedisArg.List([]),
    new RedisArg.KeyArg(""),
    new RedisArg.BlockArg(0, 0),
    new CommandImpl(asking.spec, [], asking.reply, textView, undefined),
    // A view of its own is one field more.
    new CommandImpl(asking.spec, [], asking.reply, { ...textView, blob: "bytes" }, undefined),
    new SingleRequest(asking, undefined),
    new BatchRequest({ commands: [asking] }, undefined),
    new Resp.Bulk(new Uint8Array(0), 0, 0),
    new Element(new SharedText(new Uint8Array(0)), 0, 0),
    new Resp.MapReply([]),
    new Resp.SetReply([]),
    new Resp.Push([]),
    textReader(textView).string?.(0),
    bytesReader.string?.(0),
    new Elements({ begin: () => [], fill: () => {} }, textView),
    new Pairs({ begin: () => [], put: () => {} }, textView, false)
  ]
}
