// What a look at the machine found.

export type Level = 'ok' | 'warn' | 'fail'

export interface Finding {
  /** What was looked at. */
  readonly check: string
  readonly level: Level
  readonly found: string
  /** What to do; the empty text where all is well. */
  readonly advice: string
}

/** What the checks know of the machine they run on. */
export interface Machine {
  readonly nodeVersion: string
  /** `linux`, `darwin` ... */
  readonly platform: string
  readonly memoryBytes: number
  /** Soft limit; Infinity where there is none. */
  readonly descriptorLimit: number
  /** Text of a file, without white space around; undefined if it can't be read. */
  read(path: string): string | undefined
  /** The first line that a program says; undefined if it is not there. */
  run(program: string, args: readonly string[]): Promise<string | undefined>
}

/** What the checks know of the file that is to run. */
export interface Demand {
  /** `clients.max` of each output that serves viewers; 0 for no limit. */
  readonly perOutput: readonly number[]
  readonly maxClients: number
  readonly stateDir: string
  /** Names and addresses. */
  readonly listeners: readonly (readonly [name: string, address: string])[]
}
