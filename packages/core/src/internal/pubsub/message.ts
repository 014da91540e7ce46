/**
 * Messages as a receiver gets them.
 */
import { DecodeError } from "../../RedisError.ts"
import type { Message } from "../../RedisPubSub.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import { decodeUtf8, encodeUtf8 } from "../codec/utf8.ts"
import { quoted } from "../error/printable.ts"
import type { TextDecoding } from "../reply/decode.ts"
import type { Shown } from "./channelNames.ts"
import type { Receiver, Topic } from "./topic.ts"

/** The name of a topic for a receiver, who may write to it. */
export const shown = ({ bytes }: Receiver, { key }: Topic): Shown =>
  typeof key === "string"
    ? bytes ? encodeUtf8(key) : key
    : bytes
    ? key.slice()
    : decodeUtf8(key, 0, key.length)

/** Decodes a message anew for each receiver, who may change what it gets. */
export const messageFor = (
  receiver: Receiver,
  topic: Topic,
  kind: Message["kind"],
  matched: Resp.Value | undefined,
  payload: Resp.Value | undefined,
  textDecoding: TextDecoding
): Message<Shown> => {
  const view = receiver.bytes ? bytesView : textDecoding === "replace" ? replacingView : RedisReply.textView
  const own = shown(receiver, topic)
  return {
    _tag: "Message",
    kind,
    channel: matched === undefined ? own : RedisReply.blob.decode(matched, view),
    pattern: matched === undefined ? undefined : own,
    data: RedisReply.blob.decode(payload ?? null, view)
  }
}

export const unreadable = (
  topic: Topic,
  payload: Resp.Value | undefined,
  { detail }: RedisReply.Mismatch
): DecodeError => {
  const message = `a message by ${
    quoted(typeof topic.key === "string" ? topic.key : decodeUtf8(topic.key, 0, topic.key.length))
  }`
  return new DecodeError({
    command: topic.kind.toUpperCase(),
    detail: payload instanceof Resp.Bulk
      ? `${message} or its channel is not valid UTF-8, or too long for text; payload: "bytes" yields it as it is`
      : `${message} is no text: ${detail}`
  })
}

const bytesView: RedisReply.View = { blob: "bytes", integer: "number" }
const replacingView: RedisReply.View = { blob: "replace", integer: "number" }
