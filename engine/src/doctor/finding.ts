// The results of the doctor's checks, and what the checks know.
import type { ProgramNeed } from '../plugin/program-need.js'

export type Level = 'ok' | 'warn' | 'fail'

export interface Finding {
  /** What was checked. */
  readonly check: string
  readonly level: Level
  readonly found: string
  /** What to do; empty if all is well. */
  readonly advice: string
}

/** What the checks know about the machine that they run on. */
export interface Machine {
  readonly nodeVersion: string
  /** `linux`, `darwin` ... */
  readonly platform: string
  readonly memoryBytes: number
  /** Soft limit; Infinity if there is none. */
  readonly descriptorLimit: number
  /** Text of a file, trimmed; undefined if it can't be read. */
  read(path: string): string | undefined
  /** What a program writes; undefined if it is not installed. */
  run(program: string, args: readonly string[]): Promise<string | undefined>
}

/** A program, and the nodes that need it, each with what it needs of it. */
export interface ProgramDemand extends Pick<ProgramNeed, 'program' | 'path'> {
  readonly needs: readonly { readonly node: string; readonly need: ProgramNeed }[]
}

/** What the configuration to be run requires. */
export interface Demand {
  /** `clients.max` of each output that serves viewers; 0 for no limit. */
  readonly perOutput: readonly number[]
  readonly maxClients: number
  readonly stateDir: string
  /** Programs that nodes start, with the nodes that need them. */
  readonly programs: readonly ProgramDemand[]
  /** Paths of programs by name, from the configuration. By default none. */
  readonly programPaths?: Readonly<Record<string, string>>
  /** Names, addresses, and what they are bound for. */
  readonly listeners: readonly (readonly [name: string, address: string, transport?: 'tcp' | 'udp'])[]
  /** Nodes that receive on a UDP address of their own. */
  readonly udpAddresses: readonly (readonly [node: string, address: string])[]
  /** Nodes that name a network interface, by its name or its address. */
  readonly interfaces: readonly (readonly [node: string, wanted: string])[]
  /** Nodes that want a receive buffer of the kernel of this size. */
  readonly receiveBuffers: readonly (readonly [node: string, bytes: number])[]
}
