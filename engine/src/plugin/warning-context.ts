// What a definition may know of the configuration around a node when it warns of options that are valid.

/** What `warnings` may know of the configuration around a node. */
export interface WarningContext {
  /** Of a listener: `host:port` as configured; undefined for other nodes. */
  readonly address: string | undefined
  /** A declared listener without mistakes, by name. */
  listener(name: string): { readonly isLoopback: boolean; readonly options: unknown } | undefined
  /** It names providers of the section `auth:`. */
  readonly hasAuth: boolean
  /** The longest `batch` of the inputs of its pipeline; undefined if they are not known. */
  readonly batchMs: number | undefined
  /**
   * How long a copy of its pipeline stays after its publisher has left; undefined in an ordinary pipeline. In options, the
   * key of the stream is still `${stream}`.
   */
  readonly lingerMs: number | undefined
  /** All inputs of its pipeline have `timeline: source`; undefined if they are not known. */
  readonly hasSourceTimes: boolean | undefined
}
