import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  breakCrc,
  breakSyncByte,
  buildTs,
  cutMidPacket,
  dropPackets,
  duplicatePackets,
  junkBetween,
  renumberCounter,
  scramble,
  setTei,
} from '@millrace/engine/testing'
import type { Damaged } from '@millrace/engine/testing'
import { CONTINUITY_ERROR, Framer } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { OTHER, TsCounts } from './ts-counts.js'

const clean = buildTs({ durationS: 8 })
const VIDEO = 0x100

function countsOf(bytes: Uint8Array): { counts: TsCounts; wrongChunks: number } {
  const framer = new Framer()
  const counts = new TsCounts()
  let wrongChunks = 0
  for (let at = 0; at < bytes.length; at += 5000) {
    const chunks = [...framer.push(bytes.subarray(at, at + 5000), at), ...framer.flush(at)]
    for (const chunk of chunks) if (counts.push(chunk)) wrongChunks++
  }
  for (const chunk of framer.finish(0)) if (counts.push(chunk)) wrongChunks++
  return { counts, wrongChunks }
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0)
}

describe('the error counts of a stream', () => {
  test('are all 0 for an intact stream', () => {
    const { counts, wrongChunks } = countsOf(clean.bytes)
    const { syncLosses, syncByteErrors, transportErrors } = counts
    assert.deepEqual([wrongChunks, syncLosses, syncByteErrors, transportErrors], [0, 0, 0, 0])
    assert.deepEqual([counts.continuityErrors.size, counts.crcErrors.size, counts.scrambledPackets.size], [0, 0, 0])
  })

  const faults: readonly { name: string; damaged: Damaged; read: (counts: TsCounts) => number }[] = [
    {
      name: 'missing packets',
      damaged: dropPackets(clean.bytes, { pid: VIDEO }),
      read: ({ continuityErrors }) => sum(continuityErrors),
    },
    {
      name: 'packets sent three times',
      damaged: duplicatePackets(clean.bytes, { pid: VIDEO, copies: 2 }),
      read: ({ continuityErrors }) => sum(continuityErrors),
    },
    {
      name: 'counters that jump',
      damaged: renumberCounter(clean.bytes, { pid: VIDEO }),
      read: ({ continuityErrors }) => sum(continuityErrors),
    },
    { name: 'wrong CRCs', damaged: breakCrc(clean.bytes), read: ({ crcErrors }) => sum(crcErrors) },
    { name: 'transport errors', damaged: setTei(clean.bytes), read: ({ transportErrors }) => transportErrors },
    {
      name: 'scrambled packets',
      damaged: scramble(clean.bytes, { pid: VIDEO }),
      read: ({ scrambledPackets }) => sum(scrambledPackets),
    },
    { name: 'wrong sync bytes', damaged: breakSyncByte(clean.bytes), read: ({ syncByteErrors }) => syncByteErrors },
    { name: 'junk', damaged: junkBetween(clean.bytes), read: ({ syncLosses }) => syncLosses },
    { name: 'packets cut short', damaged: cutMidPacket(clean.bytes), read: ({ syncLosses }) => syncLosses },
  ]
  for (const { name, damaged, read } of faults) {
    test(`match the inserted faults: ${name}`, () => {
      assert.ok(damaged.count > 3)
      const { counts, wrongChunks } = countsOf(damaged.bytes)
      assert.equal(read(counts), damaged.count)
      assert.ok(wrongChunks > 0)
    })
  }

  test('are kept by PID', () => {
    const one = dropPackets(clean.bytes, { pid: VIDEO, max: 5 })
    const both = dropPackets(one.bytes, { pid: 0x101, every: 10, max: 3 })
    const { counts } = countsOf(both.bytes)
    assert.deepEqual(Object.fromEntries(counts.continuityErrors), { '256': 5, '257': 3 })
  })
})

describe('the PID labels of counts', () => {
  function wrong(pids: readonly number[]): TsChunk {
    return {
      kind: 'ts',
      bytes: new Uint8Array(0),
      origin: { generation: 0, seq: 0 },
      receivedAtMs: 0,
      discontinuity: false,
      marks: Int32Array.from(pids.flatMap((pid) => [0, pid, CONTINUITY_ERROR, 0])),
      randomAccess: false,
    }
  }

  function followed(built: { readonly bytes: Uint8Array }, counts = new TsCounts()): TsCounts {
    const framer = new Framer()
    for (const chunk of [...framer.push(built.bytes, 0), ...framer.finish(0)]) counts.push(chunk)
    return counts
  }

  test('are the PIDs that PAT and PMT name; damage cannot add others', () => {
    const counts = followed(clean)
    const every = Array.from({ length: 8192 }, (_, pid) => pid)
    counts.push(wrong(every))
    assert.deepEqual([...counts.continuityErrors.keys()].sort(), ['0', '256', '257', '4096', OTHER])
    assert.equal(counts.continuityErrors.get(OTHER), 8192 - 4)
  })

  test('are at most 64', () => {
    const programs = Array.from({ length: 30 }, () => ({}))
    const counts = followed(buildTs({ durationS: 1, programs }))
    counts.push(wrong(Array.from({ length: 8192 }, (_, pid) => pid)))
    assert.equal(counts.continuityErrors.size, 65)
  })

  test('follow the tables in force: a PID that they no longer name is other', () => {
    const counts = followed(clean)
    counts.push(wrong([VIDEO]))
    followed(buildTs({ durationS: 1, video: { pid: 0x200 }, pmtVersion: 1 }), counts)
    counts.push(wrong([VIDEO, 0x200]))
    assert.deepEqual(Object.fromEntries(counts.continuityErrors), { '256': 1, '512': 1, [OTHER]: 1 })
  })

  test('are those of now, however many there have been: only what had errors keeps its count', () => {
    const counts = followed(clean)
    for (let version = 1; version <= 40; version++) {
      const pid = 0x400 + 2 * version
      followed(buildTs({ durationS: 0.5, video: { pid }, audio: { pid: pid + 1 }, pmtVersion: version % 32 }), counts)
      if (version === 1) counts.push(wrong([pid]))
    }
    const [video, audio] = [0x400 + 80, 0x400 + 81]
    counts.push(wrong([video, audio]))
    assert.deepEqual(Object.fromEntries(counts.continuityErrors), { '1026': 1, [video]: 1, [audio]: 1 })
    const pids = counts.streams().map(({ pid }) => pid)
    assert.ok(pids.includes(video) && pids.includes(audio), pids.join())
  })

  test('do not include the PID that means no PCR', () => {
    const counts = followed(clean)
    counts.push(wrong([0x1fff]))
    assert.deepEqual(Object.fromEntries(counts.continuityErrors), { [OTHER]: 1 })
  })
})
