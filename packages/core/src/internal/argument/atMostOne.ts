/** One of the options of `T`, or none of them: the others may only be `undefined`. */
export type AtMostOne<T> = {
  readonly [K in keyof T]:
    & { readonly [P in K]?: T[P] | undefined }
    & { readonly [P in Exclude<keyof T, K>]?: undefined }
}[keyof T]
