// The programs that nodes start: where they are looked for, and what they have to be able to do.

/** A program that a node needs. */
export interface ProgramNeed {
  /** A name, found in PATH, or an absolute path. `engine.ffmpeg` says where `ffmpeg` is. */
  readonly program: string
  /** The folders in which a name is found, instead of those of the engine. */
  readonly path?: string
  /** Absolute paths at which it may be, if it is not in PATH: what a package has brought. By default none. */
  readonly elsewhere?: readonly string[]
  /**
   * How it is installed: `apt-get install ffmpeg`. If it is there, a configuration without the program is refused. By default
   * only `engine doctor` says that it is missing.
   */
  readonly install?: string
  /**
   * Whether the program that was found can do what the node needs. Called when a configuration is checked, and by `engine
   * doctor`. By default every program can.
   */
  examine?(ask: AskProgram): Promise<ProgramReport>
}

/**
 * Runs the program with these arguments. Resolves with what it writes to stdout, at most 4 MiB; undefined if it fails, or
 * needs more than 10 s. What a file has said once is known until the file changes.
 */
export type AskProgram = (args: readonly string[]) => Promise<string | undefined>

export interface ProgramReport {
  /** Shown by `engine doctor`; empty if it is not known. */
  readonly version: string
  /** What the node needs and the program lacks: sentences without a full stop. A configuration with one is refused. */
  readonly lacks: readonly { readonly what: string; readonly help: string }[]
  /** What `engine doctor` warns of. By default nothing. */
  readonly remarks?: readonly string[]
}
