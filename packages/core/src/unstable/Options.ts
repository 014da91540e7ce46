/**
 * Checks of options, which fail with `RedisConfigError` before any I/O.
 *
 * What sentinel, cluster and other topologies build on. It may change with any version.
 *
 * @since 0.1.0
 */
export {
  /**
   * The addresses of several servers, of at least one; `absent` is the port of those that name none.
   *
   * @category combinators
   * @since 0.1.0
   */
  addresses,
  /**
   * `true` or `false`; `absent` when none is given.
   *
   * @category combinators
   * @since 0.1.0
   */
  boolean,
  /**
   * One of several choices. Types say as much, but options also come from files and URLs.
   *
   * @category combinators
   * @since 0.1.0
   */
  choice,
  /**
   * A duration of at least so many milliseconds, by default one; `absent` when none is given.
   *
   * @category combinators
   * @since 0.1.0
   */
  duration,
  /**
   * An integer of at least so much.
   *
   * @category combinators
   * @since 0.1.0
   */
  integer,
  /**
   * The refusal of an option.
   *
   * @category constructors
   * @since 0.1.0
   */
  invalid,
  /**
   * Whether a server that another one names can have this name, which is printed: no longer than names are, and without
   * spaces and characters that are not seen. The empty name is the other's to judge.
   *
   * @category guards
   * @since 0.1.0
   */
  isHost,
  /**
   * Whether a server can listen on this port.
   *
   * @category guards
   * @since 0.1.0
   */
  isPort,
  /**
   * An object with options in it.
   *
   * @category combinators
   * @since 0.1.0
   */
  record,
  /**
   * Text.
   *
   * @category combinators
   * @since 0.1.0
   */
  text
} from "../internal/config/checks.ts"
export {
  /**
   * The options of a client: an object whose names are those of options. The second argument shows what they look like, for a program that gives none.
   *
   * @category combinators
   * @since 0.1.0
   */
  options
} from "../internal/config/names.ts"
export {
  /**
   * A translation of a program that answers with what is wrong where it throws, or returns what is no address.
   *
   * @category combinators
   * @since 0.1.0
   */
  checkedTranslation,
  /**
   * The address that an address from a server stands for, or why there is none.
   *
   * @category models
   * @since 0.1.0
   */
  type Translation
} from "../internal/config/translation.ts"
