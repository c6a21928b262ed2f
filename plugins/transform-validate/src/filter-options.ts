// Options that drop packets, and their meaning for a PacketFilter.
import { choice, count } from '@millrace/engine/plugin'
import { z } from 'zod'
import type { DropRules } from './packet-filter.js'
import type { Selection } from './pid-plan.js'

const LAST_PID = 0x1fff
/** In YAML 0x100 is a number; in quotes, or from a variable, it is text. */
const pid = z.union([
  count({ min: 0, max: LAST_PID }),
  z.string().regex(/^0x[01]?[0-9a-fA-F]{1,3}$/, 'must be a PID: 0 to 8191, or "0x0" to "0x1fff"'),
])
const pids = z.array(pid)

export const filterOptions = z.strictObject({
  transportErrors: choice('keep', 'drop').default('keep').meta({
    description:
      'Packets with transport_error_indicator, whose contents are unreliable. Dropping them leaves a gap in the continuity counters, which later readers see.',
    reload: 'live',
  }),
  nullPackets: choice('keep', 'drop').default('keep').meta({
    description: 'Null packets: stuffing that is needed only for a constant bit rate.',
    reload: 'live',
  }),
  program: count({ min: 1, max: 0xffff }).optional().meta({
    description:
      'Pass only the program with this number, with its own PAT and PMT, its clock, keys (ECM, EMM) and the time of day. By default all programs pass.',
    reload: 'swap',
  }),
  pids: z
    .strictObject({
      include: pids.min(1).optional().meta({
        description:
          'Pass only these PIDs, such as `[256, "0x101"]`, with the PAT, PMT and clock of their programs. By default all PIDs pass.',
        reload: 'swap',
      }),
      exclude: pids.default([]).meta({ description: 'Drop these PIDs. The PMTs no longer name them.', reload: 'swap' }),
    })
    .prefault({})
    .meta({ description: 'PIDs of the programs that pass.' }),
})

export type FilterOptions = z.output<typeof filterOptions>

export function rulesOf({ transportErrors, nullPackets }: FilterOptions): DropRules {
  return { transportErrors: transportErrors === 'drop', nullPackets: nullPackets === 'drop' }
}

/** Undefined if everything passes. */
export function selectionOf({ program, pids: { include, exclude } }: FilterOptions): Selection | undefined {
  if (program === undefined && include === undefined && exclude.length === 0) return undefined
  return { program, include: include === undefined ? undefined : numbers(include), exclude: numbers(exclude) }
}

function numbers(pids: readonly (number | string)[]): ReadonlySet<number> {
  return new Set(pids.map(Number))
}
