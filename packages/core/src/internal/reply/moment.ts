/**
 * Times that servers tell.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { mismatch } from "./reply.ts"

/** A time in milliseconds after 1970. A date holds 273,790 years before and after it. */
export const moment = (milliseconds: number): DateTime.Utc =>
  Option.getOrElse(DateTime.make(milliseconds), () => mismatch("a time that a date can hold", milliseconds))

/** A time in seconds after 1970; 0 stands for never. */
export const momentOrNever = (seconds: number | bigint | undefined): DateTime.Utc | undefined =>
  seconds === undefined || Number(seconds) === 0 ? undefined : moment(Number(seconds) * 1000)
