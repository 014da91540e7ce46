/**
 * The views of a reply.
 */

/**
 * How blobs and integers are represented.
 *
 * - `blob`: `"text"` fails on invalid UTF-8, `"replace"` puts U+FFFD in its place, `"bytes"` decodes nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface View {
  readonly blob: "text" | "replace" | "bytes"
  readonly integer: "number" | "bigint"
}

/**
 * The view that commands have at first.
 *
 * @category constants
 * @since 0.1.0
 */
export const textView: View = { blob: "text", integer: "number" }
