// Which PCR is the clock of a stream of several programs: that of the program that leads. Those of the others can run at
// another pace, or stand still.
import { NULL_PID } from './packet.js'
import type { ProgramTable } from './program-table.js'

/**
 * The PCR PID of `program`, by default of the first one with video, or without any of the first one; -1 if that is not
 * known, or it has none.
 */
export function leadClockPid({ named, programs }: ProgramTable, program?: number): number {
  const known = [...named.keys()].flatMap((number) => programs.get(number) ?? [])
  const lead =
    program === undefined
      ? (known.find(({ tracks }) => tracks.some(({ media }) => media === 'video')) ?? known[0])
      : programs.get(program)
  return lead === undefined || lead.pcrPid === NULL_PID ? -1 : lead.pcrPid
}
