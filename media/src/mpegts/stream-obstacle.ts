// Why no viewer can start in a stream although packets come: what is missing, from the tables down to the packets.
import type { LeadChoice } from './lead-choice.js'
import { TABLE_PAT, TABLE_PMT } from './program-table.js'
import type { ProgramTable } from './program-table.js'

/** How many PIDs are listed. */
const MAX_PIDS = 4

/**
 * Empty while the track that leads sends packets. A generation that has just begun lacks what the previous one
 * lacked, `before`, until it shows otherwise. Whether key frames come is not looked at.
 */
export function obstacleOf(table: ProgramTable, choice: LeadChoice, before = ''): string {
  if (choice.isFlowing) return ''
  if (before !== '' && choice.isNew) return before
  if (!choice.isProbed) return ''
  const { named, programs } = table
  if (choice.isAllDamaged) return 'every packet has a transport error'
  if (!table.hasPat) return table.isDamaged(TABLE_PAT) ? 'PAT CRC wrong' : 'no PAT'
  if (named.size === 0) return 'the PAT names no program'
  if (programs.size === 0) {
    if (table.isDamaged(TABLE_PMT)) return 'PMT CRC wrong'
    return `no PMT on PID ${[...new Set(named.values())].slice(0, MAX_PIDS).map(hex).join(', ')}`
  }
  if (choice.lead === undefined) return 'the PMT names no stream'
  return choice.isFresh ? '' : `announced PID ${hex(choice.lead.pid)} silent`
}

/** What a viewer does not see although others lead; empty unless an announced track of better media is silent. */
export function silenceOf({ lead, silentTrack }: LeadChoice): string {
  if (lead === undefined || silentTrack === undefined) return ''
  return `announced PID ${hex(silentTrack.pid)} silent, ${lead.media} leads`
}

function hex(pid: number): string {
  return `0x${pid.toString(16)}`
}
