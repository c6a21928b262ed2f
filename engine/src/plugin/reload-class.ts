// What a reload does when an option has changed, as its declaration says with `.meta({ reload })`.

/** By default `swap`. */
export type ReloadClass = 'live' | 'swap' | 'source' | 'rebind' | 'restart'

/** Another class for nodes in one of two modes, of an option at the top level. */
export interface ReloadWhen {
  /** The option that has to have the value `is`, before and after the change. */
  readonly option: string
  readonly is: string
  readonly reload: ReloadClass
  /** What the change does, for plans: `viewers that come later have it, others go on`. It costs no viewers. */
  readonly effect: string
}

declare module 'zod' {
  interface GlobalMeta {
    reload?: ReloadClass
    /** The first that fits. By default the class is the same in all modes. */
    reloadWhen?: readonly ReloadWhen[]
    /** Unit of the value, shown by `engine inspect` and in generated tables. By default none. */
    unit?: string
    /** A change of the option costs the viewers of the node: they have to load the stream again. By default false. */
    losesViewers?: boolean
  }
}
