// What every stream from an engine must be, according to the checker that shares no code with the engine.
import assert from 'node:assert/strict'
import type { TsReport } from '../../oracle/check-ts.js'

export interface Allowance {
  /** The stream may have been cut if each cut is announced by discontinuity_indicator. Default false. */
  readonly announced?: boolean
}

/** Fails with the name of the stream and all its faults at once. */
export function assertClean(name: string, ts: TsReport | undefined, { announced = false }: Allowance = {}): TsReport {
  assert.ok(ts !== undefined, `${name} was not checked`)
  assert.ok(ts.packets > 0, `${name} is empty`)
  const { continuityErrors, duplicates, syncErrors, transportErrors, crcErrors } = ts
  const splices = announced ? 0 : ts.spliceCount
  const wrong = [
    ...Object.entries({ continuityErrors, duplicates, syncErrors, transportErrors, crcErrors, splices })
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${what} ${count}`),
    ...Object.entries(ts.clocks)
      .filter(([, clock]) => clock.jumps > 0 || (!announced && clock.announced > 0))
      .map(([pid, clock]) => `clock of PID ${pid} ${JSON.stringify(clock)}`),
    ...Object.entries(ts.units)
      .filter(([, { dtsNotIncreasing, wrongLength, noStartCode, cut }]) => {
        return dtsNotIncreasing + wrongLength + noStartCode + (announced ? 0 : cut) > 0
      })
      .map(([pid, units]) => `units of PID ${pid} ${JSON.stringify(units)}`),
  ]
  assert.deepEqual(wrong, [], `${name} is not clean: ${wrong.join('; ')}`)
  return ts
}

/** A viewer can start with it: PAT, then PMT, nothing before them; video, if any, begins with a key picture. */
export function assertJoin(name: string, ts: TsReport): void {
  assert.ok(ts.startsWithPat, `${name} does not begin with a PAT`)
  const pmts = Object.entries(ts.tables).filter(([pid]) => Number(pid) >= 0x20)
  assert.ok(pmts.length > 0, `${name} has no PMT`)
  assert.ok(ts.psiBeforeFirstUnit, `${name}: a unit precedes complete PAT and PMT`)
  const hasVideo = ts.streams.some(({ streamType }) => [0x01, 0x02, 0x1b, 0x24].includes(streamType))
  if (!hasVideo) return
  const pid = ts.firstVideoUnit?.pid ?? -1
  assert.equal(ts.firstVideoUnit?.keyPicture, true, `${name}: the first picture is not a key picture`)
  assert.equal(ts.units[pid]?.beforeUnitStart, 0, `${name}: the video begins in the middle of a picture`)
}
