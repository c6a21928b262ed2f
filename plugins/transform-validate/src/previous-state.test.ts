import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AnyChunk, Inlet, Options, Previous } from '@millrace/engine/plugin'
import { breakCrc, buildTs, dropPackets, FakeClock, FakeContext, setTei } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import { Framer, hasPayload, NULL_PID, ProgramTable, readCounter, readPid } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { BehaviorSubject, Subject } from 'rxjs'
import type { Observable } from 'rxjs'
import validate from './index.js'
import { PacketFilter } from './packet-filter.js'
import type { DropRules } from './packet-filter.js'
import type { Selection } from './pid-plan.js'
import { TsCounts } from './ts-counts.js'

const KEEP: DropRules = { transportErrors: false, nullPackets: false }
const ALL: Selection = { program: undefined, include: undefined, exclude: new Set() }
const [PMT_1, PMT_2, VIDEO_1, AUDIO_1, AUDIO_2, SECOND_AUDIO_2] = [0x1000, 0x1001, 0x100, 0x101, 0x121, 0x122]

const two: TsPlan = {
  durationS: 1,
  programs: [
    { data: [{ kind: 'scte35' }], video: { gopFrames: 10 } },
    { pmtPackets: 2, pcr: { pid: 0x1f0, intervalMs: 30 }, video: { gopFrames: 9 }, audio: [{}, { language: 'deu' }] },
  ],
  psi: { cat: true, sdt: true, gapMs: 7 },
  nullEvery: 20,
}

/** Chunks of 11 packets: many of them end in the middle of a unit or section. */
function chunksOf(bytes: Uint8Array): TsChunk[] {
  const framer = new Framer()
  const chunks: TsChunk[] = []
  for (let at = 0; at < bytes.length; at += 11 * 188) {
    chunks.push(...framer.push(bytes.subarray(at, at + 11 * 188), at / 1000), ...framer.flush(at / 1000))
  }
  return [...chunks, ...framer.finish(bytes.length / 1000)]
}

/** Counts and filters as the node does. */
class Pair {
  readonly counts: TsCounts
  readonly filter: PacketFilter

  constructor(selection: Selection | undefined, rules: DropRules, before?: Pair) {
    const counts = before?.counts.state()
    this.counts = new TsCounts(counts)
    const state = before === undefined || counts === undefined ? undefined : before.filter.state()
    this.filter = new PacketFilter(rules, selection, state && counts && { ...state, seenTables: counts.tables })
  }

  push(chunk: TsChunk): readonly TsChunk[] {
    this.counts.push(chunk)
    return this.filter.push(chunk)
  }
}

function textOf({ bytes, marks, ...more }: TsChunk): string {
  return JSON.stringify([more, [...marks]]) + Buffer.from(bytes).toString('latin1')
}

const changing = Buffer.concat([
  buildTs({ durationS: 1, pmtPackets: 2, psi: { gapMs: 30 } }).bytes,
  buildTs({ durationS: 1, pmtPackets: 2, psi: { gapMs: 30, version: 1 }, pmtVersion: 1, audio: [{}, { pid: 0x150 }] })
    .bytes,
])

describe('a filter that continues from the state of another', () => {
  const cases: readonly { name: string; bytes: Uint8Array; selection?: Selection; rules?: DropRules }[] = [
    { name: 'that passes everything', bytes: buildTs(two).bytes },
    { name: 'without null packets', bytes: buildTs(two).bytes, rules: { ...KEEP, nullPackets: true } },
    { name: 'of the first program', bytes: buildTs(two).bytes, selection: { ...ALL, program: 1 } },
    { name: 'of the second program', bytes: buildTs(two).bytes, selection: { ...ALL, program: 2 } },
    {
      name: 'of some PIDs',
      bytes: buildTs(two).bytes,
      selection: { ...ALL, include: new Set([AUDIO_1, AUDIO_2]) },
    },
    {
      name: 'without a PID, where the tables change',
      bytes: changing,
      selection: { ...ALL, exclude: new Set([AUDIO_1]) },
    },
    {
      name: 'without the video',
      bytes: buildTs({ durationS: 2 }).bytes,
      selection: { ...ALL, exclude: new Set([VIDEO_1]) },
    },
    {
      name: 'with wrong CRCs and losses',
      bytes: dropPackets(breakCrc(changing, { pid: PMT_1, every: 4 }).bytes, { every: 17 }).bytes,
      selection: { ...ALL, program: 1 },
    },
    {
      name: 'without damaged packets',
      bytes: setTei(buildTs(two).bytes, { pid: AUDIO_1, every: 9 }).bytes,
      selection: { ...ALL, program: 1 },
    },
  ]
  for (const { name, bytes, selection, rules = KEEP } of cases) {
    test(`gives the same output as that one, wherever it takes over: a filter ${name}`, () => {
      const chunks = chunksOf(bytes).map((chunk, index): TsChunk =>
        index % 37 === 36 ? { ...chunk, discontinuity: 'lost' } : chunk,
      )
      // After each chunk another filter takes over.
      const one = new Pair(selection, rules)
      let successor = new Pair(selection, rules)
      const expected = chunks.map((chunk) => one.push(chunk).map(textOf))
      for (const [index, chunk] of chunks.entries()) {
        successor = new Pair(selection, rules, successor)
        assert.deepEqual(successor.push(chunk).map(textOf), expected[index], `chunk ${index}`)
      }
      // A filter takes over once and continues for a while.
      const old = new Pair(selection, rules)
      for (const [from, chunk] of chunks.entries()) {
        if (from % 5 === 0) {
          const next = new Pair(selection, rules, old)
          for (const [index, each] of chunks.slice(from, from + 60).entries())
            assert.deepEqual(next.push(each).map(textOf), expected[from + index], `chunk ${from + index}, from ${from}`)
        }
        old.push(chunk)
      }
    })
  }
})

describe('a filter that continues with another selection', () => {
  const { bytes } = buildTs({ ...two, durationS: 2, psi: { cat: true, gapMs: 7 } })
  const chunks = chunksOf(bytes)
  const program = (number: number): Selection => ({ ...ALL, program: number })
  const without = (...pids: number[]): Selection => ({ ...ALL, exclude: new Set(pids) })
  const cases: readonly { name: string; from?: Selection; to?: Selection; pmt: number; same: boolean }[] = [
    { name: 'one program, then the other', from: program(1), to: program(2), pmt: PMT_2, same: false },
    { name: 'everything, then one program', to: program(1), pmt: PMT_1, same: true },
    { name: 'one program, then everything', from: program(1), pmt: PMT_1, same: true },
    { name: 'everything, then without a PID', to: without(AUDIO_1), pmt: PMT_1, same: false },
    {
      name: 'without a PID, then without another',
      from: without(AUDIO_1),
      to: without(VIDEO_1),
      pmt: PMT_1,
      same: false,
    },
    { name: 'without a PID, then everything', from: without(AUDIO_1), pmt: PMT_1, same: false },
    {
      name: 'without two PIDs, then without one',
      from: without(AUDIO_2, SECOND_AUDIO_2),
      to: without(AUDIO_2),
      pmt: PMT_2,
      same: false,
    },
  ]
  for (const { name, from, to, pmt, same } of cases) {
    test(`continues counters, and changes versions with the tables: ${name}`, () => {
      for (let begin = 40; begin < 100; begin++) {
        const old = new Pair(from, KEEP)
        const before = chunks.slice(0, begin).flatMap((chunk) => old.push(chunk))
        const next = new Pair(to, KEEP, old)
        const after: TsChunk[] = []
        // The reader cuts over at the next random access point; until then it receives the output of the old filter.
        const cut = chunks.findIndex(({ randomAccess }, index) => randomAccess && index >= begin)
        for (const [index, chunk] of chunks.slice(begin).entries()) {
          const [kept, left] = [old.push(chunk), next.push(chunk)]
          if (begin + index < cut) before.push(...kept)
          else after.push(...left)
        }
        assert.deepEqual(brokenCounters([...before, ...after]), [], `handed over at ${begin}`)
        const [first, last] = [tableOf(before), tableOf(after)]
        const program = [...last.programs.values()].find(({ pmtPid }) => pmtPid === pmt)
        const known = [...first.programs.values()].find(({ pmtPid }) => pmtPid === pmt)
        assert.ok(program !== undefined)
        if (known !== undefined) assert.equal(program.version === known.version, same)
      }
    })
  }

  test('marks its first chunk if the tracks have changed, and no other chunk', () => {
    const old = new Pair(program(1), KEEP)
    for (const chunk of chunks.slice(0, 50)) old.push(chunk)
    for (const [to, said] of [
      [program(2), ['marked']],
      [program(1), []],
    ] as const) {
      const next = new Pair(to, KEEP, old)
      const left = chunks.slice(50).flatMap((chunk) => next.push(chunk))
      assert.deepEqual(
        left.map(({ discontinuity }) => discontinuity).filter((each) => each !== false),
        said,
      )
      assert.equal(left[0]?.discontinuity, said[0] ?? false)
    }
  })

  test('finds the random access points of its program, and its tracks, from the first chunk on', () => {
    const old = new Pair(program(1), KEEP)
    for (const chunk of chunks.slice(0, 50)) old.push(chunk)
    const next = new Pair(program(2), KEEP, old)
    const whole = new Pair(program(2), KEEP)
    const origins = (pair: Pair, fed: readonly TsChunk[]): number[] =>
      fed.flatMap((chunk) => pair.push(chunk)).flatMap(({ randomAccess, origin }) => (randomAccess ? [origin.seq] : []))
    const expected = origins(whole, chunks)
    assert.deepEqual(
      origins(next, chunks.slice(50)),
      expected.filter((seq) => seq >= chunks[50]!.origin.seq),
    )
  })
})

describe('transform ts-validate at a swap', () => {
  const inlets: Previous['inlets'] = { kept: ['main.out'], added: [], removed: [], renamed: new Map() }

  async function open(state?: unknown, more: object = {}, changes = inlets) {
    const previous = state === undefined ? undefined : { state, inlets: changes }
    const context = new FakeContext()
    const options = validate.options.parse(more)
    const options$ = new BehaviorSubject(options)
    const deps = { clock: new FakeClock() }
    const transform = await validate.open(options$ as Options<typeof options>, context, deps, previous)
    const chunks = new Subject<AnyChunk>()
    const inlet: Inlet = {
      id: 'main.out',
      chunks,
      pausable: false,
      hold: () => ({ [Symbol.dispose]: () => undefined }),
    }
    const got: TsChunk[] = []
    const out = transform.apply([inlet])['out'] as Observable<AnyChunk> | undefined
    out?.subscribe((chunk) => chunk.kind === 'ts' && got.push(chunk))
    return { context, got, chunks, transform: transform as typeof transform & { snapshotState(): unknown } }
  }

  test('counts every error once, under its PID', async () => {
    const damaged = dropPackets(buildTs({ durationS: 3 }).bytes, { pid: VIDEO_1, every: 7 })
    const chunks = chunksOf(damaged.bytes)
    const whole = await open()
    for (const chunk of chunks) whole.chunks.next(chunk)
    const total = errorsOfVideo(whole.context)
    assert.ok(total > 50)
    const old = await open()
    for (const [index, chunk] of chunks.entries()) {
      if (index % 20 === 19) {
        const next = await open(old.transform.snapshotState())
        for (const each of chunks.slice(index)) next.chunks.next(each)
        assert.equal(errorsOfVideo(old.context) + errorsOfVideo(next.context), total)
      }
      old.chunks.next(chunk)
    }
  })

  test('knows the tables from before the swap', async () => {
    const { bytes } = buildTs({ durationS: 2, psi: { beforeKeyframes: false, intervalMs: 5000 } })
    const chunks = chunksOf(bytes)
    const old = await open(undefined, { program: 1 })
    for (const chunk of chunks.slice(0, 20)) old.chunks.next(chunk)
    const same = await open(old.transform.snapshotState(), { program: 1 })
    const other = await open(undefined, { program: 1 })
    for (const chunk of chunks.slice(20)) for (const node of [old, same, other]) node.chunks.next(chunk)
    assert.deepEqual(same.got, old.got.slice(-same.got.length))
    assert.ok(same.got.length > 10)
    assert.equal(other.got.length, 0)
  })

  test('starts without the tables of another stream', async () => {
    const chunks = chunksOf(buildTs({ durationS: 2, psi: { beforeKeyframes: false, intervalMs: 5000 } }).bytes)
    const old = await open(undefined, { program: 1 })
    for (const chunk of chunks.slice(0, 20)) old.chunks.next(chunk)
    const other = { ...inlets, kept: [], added: ['main.out'], removed: ['main.out'] }
    const next = await open(old.transform.snapshotState(), { program: 1 }, other)
    for (const chunk of chunks.slice(20)) next.chunks.next(chunk)
    assert.equal(next.got.length, 0)
  })

  test('ignores a previous state that it does not know', async () => {
    for (const state of [null, 7, {}, { counts: 1 }]) {
      const { chunks, got } = await open(state)
      const sent = chunksOf(buildTs({ durationS: 1 }).bytes)
      for (const chunk of sent) chunks.next(chunk)
      assert.deepEqual(got, sent)
    }
  })
})

/** Continuity errors of the video PID; asserts that no other PID has any. */
function errorsOfVideo(context: FakeContext): number {
  const { [VIDEO_1]: errors = 0, ...others } = context.metric('ts_continuity_errors_total') as Record<string, number>
  assert.deepEqual(
    Object.values(others).filter((count) => count !== 0),
    [],
  )
  return errors
}

function tableOf(chunks: readonly TsChunk[]): ProgramTable {
  const table = new ProgramTable()
  for (const chunk of chunks) table.follow(chunk)
  return table
}

/** PIDs whose counters do not continue, by ISO/IEC 13818-1 2.4.3.3, computed without the scanner. */
function brokenCounters(chunks: readonly TsChunk[]): number[] {
  const counters = new Map<number, number>()
  const broken: number[] = []
  for (const { bytes } of chunks) {
    for (let offset = 0; offset < bytes.length; offset += 188) {
      const pid = readPid(bytes, offset)
      if (pid === NULL_PID || !hasPayload(bytes, offset)) continue
      const before = counters.get(pid)
      const counter = readCounter(bytes, offset)
      if (before !== undefined && counter !== ((before + 1) & 0x0f)) broken.push(pid)
      counters.set(pid, counter)
    }
  }
  return broken
}
