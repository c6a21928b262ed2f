// Which PCR, or DTS, is the clock of a stream of several programs: that of the program that leads. Those of the others
// can run at another pace, or stand still.
import type { Track } from './chunk.js'
import { NULL_PID } from './packet.js'
import type { Program, ProgramTable } from './program-table.js'

/**
 * The PCR PID of `program`, by default of the first one with video, or without any of the first one; -1 if that is not
 * known, or it has none.
 */
export function leadClockPid(table: ProgramTable, program?: number): number {
  const lead = leadOf(table, program)
  return lead === undefined || lead.pcrPid === NULL_PID ? -1 : lead.pcrPid
}

/** The PID of its video, or else of its audio, whose DTS are its clock where there is no PCR; -1 without any. */
export function leadTrackPid(table: ProgramTable): number {
  const tracks = leadOf(table)?.tracks ?? []
  return (tracks.find(isVideo) ?? tracks.find(({ media }) => media === 'audio'))?.pid ?? -1
}

function leadOf({ named, programs }: ProgramTable, program?: number): Program | undefined {
  if (program !== undefined) return programs.get(program)
  const known = [...named.keys()].flatMap((number) => programs.get(number) ?? [])
  return known.find(({ tracks }) => tracks.some(isVideo)) ?? known[0]
}

function isVideo({ media }: Pick<Track, 'media'>): boolean {
  return media === 'video'
}
