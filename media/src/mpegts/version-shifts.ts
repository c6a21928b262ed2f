// What to add to the versions of the tables of a new generation: receivers read a table again only when its version changes
// (ISO/IEC 13818-1 2.4.4.5, 2.4.4.9). Unchanged tables keep theirs, changed ones get the next.
import type { ProgramTable } from './program-table.js'

/** By PID of tables; `isDecided`: PIDs that are left out. `before`: what was sent of the generation before. */
export function versionShifts(
  before: ProgramTable,
  next: ProgramTable,
  isDecided: (pid: number) => boolean,
): ReadonlyMap<number, number> {
  const shifts = new Map<number, number>()
  for (const { pid, bytes } of next.sections.values()) {
    if (isDecided(pid) || shifts.has(pid)) continue
    const old = [...before.sections.values()].find((section) => section.pid === pid && section.bytes[0] === bytes[0])
    const version = old === undefined ? versionOf(bytes) : nextVersion(old.bytes, bytes)
    shifts.set(pid, (version - versionOf(bytes) + 32) % 32)
  }
  return shifts
}

function nextVersion(old: Uint8Array, next: Uint8Array): number {
  return isSameContent(old, next) ? versionOf(old) : versionOf(old) + 1
}

function versionOf(section: Uint8Array): number {
  return (section[5]! >>> 1) & 0x1f
}

/** The sections have the same content, ignoring version (and therefore CRC). */
function isSameContent(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length - 4; at++) if (at !== 5 && a[at] !== b[at]) return false
  return true
}
