// Options of what is left out, and what they mean for a PacketFilter.
import { choice, count } from '@millrace/engine/plugin'
import { z } from 'zod'
import type { DropRules } from './packet-filter.js'
import type { Selection } from './pid-plan.js'

const LAST_PID = 0x1fff
/** In YAML 0x100 is a number already; between quotes, and out of a variable, it is text. */
const pid = z.union([
  count({ min: 0, max: LAST_PID }),
  z.string().regex(/^0x[01]?[0-9a-fA-F]{1,3}$/, 'must be a PID: 0 to 8191, or "0x0" to "0x1fff"'),
])
const pids = z.array(pid)

export const filterOptions = z.strictObject({
  transportErrors: choice('keep', 'drop').default('keep').meta({
    description:
      'Packets with transport_error_indicator: nothing in them can be believed. Dropped, they leave a gap in the continuity counters, which whoever reads on sees.',
    reload: 'live',
  }),
  nullPackets: choice('keep', 'drop').default('keep').meta({
    description: 'Stuffing, which a constant bit rate needs and nobody else.',
    reload: 'live',
  }),
  program: count({ min: 1, max: 0xffff }).optional().meta({
    description:
      'Only the program of this number, with PAT and PMT of its own, its clock, keys (ECM, EMM) and the time of day; by default all.',
    reload: 'swap',
  }),
  pids: z
    .strictObject({
      include: pids.min(1).optional().meta({
        description:
          'Only these PIDs, such as `[256, "0x101"]`, with PAT, PMT and clock of their programs; by default all.',
        reload: 'swap',
      }),
      exclude: pids.default([]).meta({ description: 'Not these PIDs; the PMTs no longer name them.', reload: 'swap' }),
    })
    .prefault({})
    .meta({ description: 'Which PIDs of the programs pass.' }),
})

export type FilterOptions = z.output<typeof filterOptions>

export function rulesOf({ transportErrors, nullPackets }: FilterOptions): DropRules {
  return { transportErrors: transportErrors === 'drop', nullPackets: nullPackets === 'drop' }
}

/** Undefined where everything passes. */
export function selectionOf({ program, pids: { include, exclude } }: FilterOptions): Selection | undefined {
  if (program === undefined && include === undefined && exclude.length === 0) return undefined
  return { program, include: include === undefined ? undefined : numbers(include), exclude: numbers(exclude) }
}

function numbers(pids: readonly (number | string)[]): ReadonlySet<number> {
  return new Set(pids.map(Number))
}
