/**
 * Bytes that are not RESP.
 */
import * as Schema from "effect/Schema"
import { address, Delivery, marks } from "./fields.ts"
import { wholeText } from "./retry.ts"
import { TaggedError } from "./tagged.ts"

/**
 * Bytes that are not RESP, or that go beyond the decoder's limits. The
 * connection they came from cannot be used any more.
 *
 * - `detail`: what was found, and where the limit lies when it was one.
 * - `address`: the server, where it is known.
 * - `delivery`: whether the server can have run the command; absent where it is about no command.
 *
 * @category errors
 * @since 0.1.0
 */
export class ProtocolError extends TaggedError<ProtocolError>("@redfx/core/Resp/ProtocolError")(
  "ProtocolError",
  {
    detail: Schema.String,
    address,
    delivery: Schema.optionalKey(Delivery),
    ...marks
  }
) {
  override get message(): string {
    const whole = `${foreign.test(this.detail) ? " Is it a Redis server that listens there?" : ""}${wholeText(this)}`
    return `The server${
      this.address === undefined ? "" : ` at ${this.address}`
    } sent what is not valid RESP, or more than the limits allow: ${this.detail}${whole === "" ? "" : `.${whole}`}`
  }
}

/** What the first byte of another protocol comes to, such as that of HTTP. */
const foreign = /^no type of a value begins with/
