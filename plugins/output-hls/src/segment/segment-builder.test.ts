import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildTs, type TsPlan } from '@millrace/engine/testing'
import {
  Framer,
  PACKET_SIZE,
  parsePat,
  parsePmt,
  ProgramTable,
  readCounter,
  readPid,
  Remarker,
} from '@millrace/media/mpegts'
import { paced, PresentationBench } from '../presentation.test.kit.js'

const GOPS = { video: { gopFrames: 50, fps: 25 } }

function packetsOf(bytes: Uint8Array, wanted: (pid: number) => boolean): Buffer {
  const found: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    if (wanted(readPid(bytes, at))) found.push(bytes.subarray(at, at + PACKET_SIZE))
  }
  return Buffer.concat(found)
}

/** The segments of a stream, one after the other. */
function segmentsOf(plan: TsPlan): Buffer[] {
  const bench = new PresentationBench({ windowMs: 60_000 })
  bench.play([paced(plan)])
  bench.presentation.finish()
  return [...bench.content()]
}

function tableOf(bytes: Uint8Array): ProgramTable {
  const table = new ProgramTable()
  const marks = new Remarker().remark(bytes)
  table.follow({ bytes, marks, origin: { generation: 0, seq: 0 }, receivedAtMs: 0, discontinuity: false })
  return table
}

describe('segments', () => {
  test('have every packet of their program as it came, private data too, and nothing else', () => {
    const data = [{ kind: 'scte35' }, { kind: 'private' }] as const
    const plan: TsPlan = {
      durationS: 9,
      programs: [
        { ...GOPS, audio: { language: 'deu' }, data, pcr: { pid: 0x1ff } },
        { ...GOPS, audio: {} },
      ],
      psi: { cat: true, sdt: true },
      nullEvery: 20,
    }
    const segments = segmentsOf(plan)
    const { tracks } = buildTs(plan)
    const own = new Set([0x1ff, ...tracks.filter(({ program }) => program === 1).map(({ pid }) => pid)])
    // The last one ends where the stream breaks off.
    const all = Buffer.concat(segments.slice(0, -1))
    // The same pictures as the builder of the kit makes them.
    const source = Buffer.concat(paced(plan).map(({ chunk }) => chunk.bytes))
    const expected = packetsOf(source, (pid) => own.has(pid))
    const got = packetsOf(all, (pid) => own.has(pid))
    const begin = expected.indexOf(got.subarray(0, 10 * PACKET_SIZE))
    assert.ok(begin >= 0 && got.length > expected.length * 0.6)
    assert.equal(Buffer.compare(got, expected.subarray(begin, begin + got.length)), 0)
    assert.equal(packetsOf(all, (pid) => !own.has(pid) && pid !== 0 && pid !== 0x1000).length, 0)
  })

  for (const kind of ['scte35', 'klv', 'teletext', 'id3', 'private'] as const) {
    test(`keep ${kind} packet by packet, and its entry in the PMT`, () => {
      const plan: TsPlan = { durationS: 9, ...GOPS, data: [{ kind, pid: 0x150, intervalMs: 130 }] }
      const source = Buffer.concat(paced(plan).map(({ chunk }) => chunk.bytes))
      const segments = segmentsOf(plan)
      const isData = (pid: number): boolean => pid === 0x150
      const [expected, got] = [packetsOf(source, isData), packetsOf(Buffer.concat(segments), isData)]
      assert.ok(got.length > expected.length * 0.9 && expected.indexOf(got) >= 0, `${got.length} of ${expected.length}`)
      const entryOf = (bytes: Uint8Array) => {
        const pmt = [...tableOf(bytes).sections.values()].find(({ pid }) => pid === 0x1000)!.bytes
        return parsePmt(pmt, pmt.length)?.streams.find(({ pid }) => pid === 0x150)
      }
      assert.ok(entryOf(source))
      for (const bytes of segments) assert.deepEqual(entryOf(bytes), entryOf(source))
    })
  }

  test('begin with PAT, PMT and a key frame; the tables name one program, and keep its descriptors', () => {
    const plan: TsPlan = { durationS: 9, programs: [{ ...GOPS, audio: { language: 'deu' } }, GOPS] }
    const [original] = [tableOf(buildTs(plan).bytes)]
    const source = [...original.sections.values()].find(({ pid }) => pid === 0x1000)!.bytes
    for (const bytes of segmentsOf(plan)) {
      assert.deepEqual([readPid(bytes, 0), readPid(bytes, PACKET_SIZE)], [0, 0x1000])
      const table = tableOf(bytes)
      const pat = [...table.sections.values()].find(({ pid }) => pid === 0)!.bytes
      assert.deepEqual(parsePat(pat, pat.length)?.programs, [{ program: 1, pmtPid: 0x1000 }])
      const pmt = [...table.sections.values()].find(({ pid }) => pid === 0x1000)!.bytes
      assert.deepEqual(parsePmt(pmt, pmt.length)?.streams, parsePmt(source, source.length)?.streams)
      const framer = new Framer()
      const [first] = [...framer.push(bytes, 0), ...framer.finish(0)]
      assert.equal(first?.randomAccess, true)
    }
  })

  test('have continuity counters without a jump from one to the next, tables included', () => {
    const all = Buffer.concat(segmentsOf({ durationS: 15, ...GOPS, data: [{ kind: 'private' }] }))
    const last = new Map<number, number>()
    for (let at = 0; at < all.length; at += PACKET_SIZE) {
      const pid = readPid(all, at)
      const counter = readCounter(all, at)
      const before = last.get(pid)
      if (before !== undefined) assert.equal(counter, (before + 1) & 15, `PID ${pid} at ${at / PACKET_SIZE}`)
      last.set(pid, counter)
    }
  })

  const packings = [
    { name: 'parameter sets are sent once', packing: { setsOnce: true } },
    { name: 'pictures begin anywhere in PES packets', packing: { pesBytes: 3000 } },
    { name: 'both', packing: { pesBytes: 1000, setsOnce: true } },
  ]
  for (const { name, packing } of packings) {
    test(`can be decoded each on its own where ${name}`, () => {
      const segments = segmentsOf({ durationS: 12, video: { gopFrames: 50, fps: 25, packing, bitrate: 400_000 } })
      assert.ok(segments.length >= 5, `${segments.length} segments`)
      for (const [index, bytes] of segments.entries()) {
        const framer = new Framer()
        const [first, second] = [...framer.push(bytes, 0), ...framer.finish(0)]
        // Announcements of counters may stand between the tables and the picture.
        const start = first?.randomAccess === true ? first : second
        assert.deepEqual([start?.randomAccess, start?.head], [true, undefined], `segment ${index}`)
        assert.ok(start === first || first!.bytes.length <= 5 * PACKET_SIZE)
        const video = packetsOf(bytes, (pid) => pid === 0x100)
        // PES header, delimiter, then the SPS.
        assert.ok(video.subarray(0, 3 * PACKET_SIZE).includes(Buffer.from([0, 0, 1, 0x67])), `segment ${index}`)
      }
    })
  }
})
