// Tracks that fall silent, come late, or are announced late: every segment lists what flows in it, and each change is a
// discontinuity with another version of the PMT.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildTs, type TsPlan } from '@millrace/engine/testing'
import {
  hasPayload,
  isUnitStart,
  PACKET_SIZE,
  parsePmt,
  payloadOffset,
  ProgramTable,
  readCounter,
  readPid,
  readPts,
  Remarker,
} from '@millrace/media/mpegts'
import { paced, PresentationBench } from './presentation.test.kit.js'

const VIDEO = 0x100
const AUDIO = 0x101
const GOPS: TsPlan = { video: { gopFrames: 50, fps: 25, bitrate: 50_000 } }

interface Seen {
  readonly pids: readonly number[]
  readonly version: number
  readonly hasTag: boolean
  readonly startS: number
}

/** Each listed segment: what its PMT lists. */
function listed(bench: PresentationBench): readonly Seen[] {
  let startS = 0
  const { segments } = bench.playlist()
  return bench.content().map((bytes, index) => {
    const table = new ProgramTable()
    const marks = new Remarker().remark(bytes)
    table.follow({ bytes, marks, origin: { generation: 0, seq: 0 }, receivedAtMs: 0, discontinuity: false })
    const pmt = [...table.sections.values()].find(({ pid }) => pid === 0x1000)!.bytes
    const { streams, version } = parsePmt(pmt, pmt.length)!
    const seen = { pids: streams.map(({ pid }) => pid), version, hasTag: segments[index]!.hasTag, startS }
    startS += segments[index]!.seconds
    return seen
  })
}

/** Without the packets of a PID between two times, seconds of the stream. */
function without(bytes: Uint8Array, pid: number, from: number, to: number, durationS: number): Uint8Array {
  const kept: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    const time = (at / bytes.length) * durationS
    if (readPid(bytes, at) !== pid || time < from || time >= to) kept.push(bytes.subarray(at, at + PACKET_SIZE))
  }
  return Buffer.concat(kept)
}

/** The same of whole units, behind which the counters go on. */
function withoutUnits(bytes: Uint8Array, pid: number, from: number, to: number, durationS: number): Uint8Array {
  const kept: Uint8Array[] = []
  let isSilent = false
  let counter = 0
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    const packet = bytes.slice(at, at + PACKET_SIZE)
    const time = (at / bytes.length) * durationS
    const isIts = readPid(packet, 0) === pid
    if (isIts && isUnitStart(packet, 0)) isSilent = time >= from && time < to
    if (isIts && isSilent) continue
    if (isIts) packet[3] = (packet[3]! & 0xf0) | (counter++ & 15)
    kept.push(packet)
  }
  return Buffer.concat(kept)
}

/** Times of its PES packets, and counters of its packets. */
function audioOf(bytes: Uint8Array): { readonly times: readonly number[]; readonly counters: readonly number[] } {
  const times: number[] = []
  const counters: number[] = []
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    if (readPid(bytes, at) !== AUDIO || !hasPayload(bytes, at)) continue
    counters.push(readCounter(bytes, at))
    if (isUnitStart(bytes, at)) times.push(readPts(bytes, payloadOffset(bytes, at), at + PACKET_SIZE))
  }
  return { times, counters }
}

function assertChanges(seen: readonly Seen[]): void {
  for (const [index, { pids, version, hasTag }] of seen.entries()) {
    const before = seen[index - 1]
    if (before === undefined) continue
    const isSame = String(before.pids) === String(pids)
    assert.equal(hasTag, !isSame, `segment ${index}`)
    assert.equal(version, isSame ? before.version : (before.version + 1) % 32, `segment ${index}`)
  }
}

function codecsOf(bench: PresentationBench): string | undefined {
  return /CODECS="([^"]*)"/.exec(bench.presentation.multivariant()!.text)?.[1]
}

describe('a track that falls silent', () => {
  test('and is AAC goes on as silence, at its pace, with continuous counters, and without a discontinuity', () => {
    const durationS = 40
    const bench = new PresentationBench({ windowMs: 120_000 })
    const whole = buildTs({ durationS, ...GOPS, muxRate: 400_000, delayMs: 300 }).bytes
    bench.play([paced(withoutUnits(whole, AUDIO, 9.3, 28.7, durationS))])
    assert.equal(bench.presentation.counters.discontinuities, 1)
    assert.ok(listed(bench).every(({ pids, version }) => pids.length === 2 && version === 0))
    const { times, counters } = audioOf(Buffer.concat(bench.content()))
    assert.ok(counters.every((each, at) => at === 0 || each === ((counters[at - 1]! + 1) & 15)))
    const steps = times.slice(1).map((each, at) => each - times[at]!)
    // Frames of 1024 samples at 48 kHz; two in a PES packet of the stream.
    const longest = Math.max(...steps)
    assert.ok(Math.min(...steps) > 0 && longest < 90_000, `${Math.min(...steps)} to ${longest}`)
    assert.ok(steps.filter((step) => step > 25_000).length <= 1, 'nothing is missing but where it returns')
    assert.equal(codecsOf(bench), 'avc1.4d401e,mp4a.40.2')
  })

  test('and returns after 20 s is not listed meanwhile: from its first segment without it, and back with the first', () => {
    const durationS = 40
    const bench = new PresentationBench({ windowMs: 120_000 })
    const whole = buildTs({ durationS, ...GOPS, audio: { codec: 'mp2' }, muxRate: 600_000 }).bytes
    const codecs: (string | undefined)[] = []
    bench.onPublished = () => codecs.push(codecsOf(bench))
    bench.play([paced(without(whole, AUDIO, 9, 29, durationS))])
    const seen = listed(bench)
    assertChanges(seen)
    const silent = seen.filter(({ pids }) => !pids.includes(AUDIO))
    assert.ok(silent.length >= 8 && silent.length <= 10, `${silent.length} segments without`)
    assert.ok(silent.every(({ pids }) => pids.includes(VIDEO)))
    assert.ok(silent[0]!.startS >= 7 && silent[0]!.startS <= 11, `${silent[0]!.startS}`)
    assert.deepEqual([...new Set(codecs)], ['avc1.4d401e,mp4a.40.33', 'avc1.4d401e'])
    assert.equal(codecs.at(-1), 'avc1.4d401e,mp4a.40.33')
    assert.equal(bench.presentation.counters.discontinuities, 3)
    assert.equal(bench.presentation.counters.gaps, 0)
  })

  test('for less than a second is listed all the time, in segments of half a second', () => {
    const durationS = 12
    const bench = new PresentationBench({ windowMs: 60_000, segmentMs: 500 })
    const video = { gopFrames: 12, fps: 24, bitrate: 50_000 }
    const whole = buildTs({ durationS, video, muxRate: 400_000 }).bytes
    bench.play([paced(without(whole, AUDIO, 5, 5.8, durationS))])
    assert.equal(
      listed(bench).every(({ pids }) => pids.length === 2),
      true,
    )
    assert.equal(bench.presentation.counters.discontinuities, 1)
  })

  test('and is the video leaves the sound, cut on time', () => {
    const durationS = 40
    const bench = new PresentationBench({ windowMs: 120_000 })
    const whole = buildTs({ durationS, ...GOPS, muxRate: 400_000, pcr: { pid: 0x1ff } }).bytes
    bench.play([paced(without(whole, VIDEO, 9, 29, durationS))])
    const seen = listed(bench)
    assert.deepEqual([...new Set(seen.map(({ pids }) => String(pids)))], [`${VIDEO},${AUDIO}`, `${AUDIO}`])
    assert.equal(String(seen.at(-1)!.pids), `${VIDEO},${AUDIO}`)
    assert.ok(bench.playlist().segments.every(({ seconds }) => seconds <= 3.49))
    for (const [index, each] of seen.entries()) {
      if (index > 0 && String(each.pids) !== String(seen[index - 1]!.pids)) assert.equal(each.hasTag, true)
    }
  })
})

describe('a track that comes late', () => {
  for (const lateS of [0.3, 3, 12]) {
    test(`by ${lateS} s though it is announced: ${lateS < 2 ? 'the first list has it' : 'it is listed when it flows'}`, () => {
      const durationS = 24
      const bench = new PresentationBench({ windowMs: 60_000 })
      const whole = buildTs({ durationS, ...GOPS, muxRate: 400_000 }).bytes
      bench.play([paced(without(whole, AUDIO, 0, lateS, durationS))])
      const seen = listed(bench)
      assertChanges(seen)
      assert.equal(seen[0]!.pids.includes(AUDIO), lateS < 2)
      assert.equal(seen.at(-1)!.pids.includes(AUDIO), true)
      assert.equal(codecsOf(bench), 'avc1.4d401e,mp4a.40.2')
      const first = seen.find(({ pids }) => pids.includes(AUDIO))!
      assert.ok(first.startS <= lateS && first.startS > lateS - 2.5, `from ${first.startS} s`)
      assert.equal(bench.presentation.counters.discontinuities, lateS < 2 ? 1 : 2)
    })

    for (const isBumped of [true, false]) {
      test(`by ${lateS} s and is announced then, the version of the PMT ${isBumped ? 'bumped' : 'kept'}`, () => {
        const bench = new PresentationBench({ windowMs: 60_000 })
        const first = buildTs({ durationS: lateS, ...GOPS, audio: false })
        const second = buildTs({
          ...{ durationS: 24 - lateS, ...GOPS, pmtVersion: isBumped ? 1 : 0 },
          ...{ startPts90k: first.endPts90k, startCounters: first.nextCounters },
        })
        bench.play([paced(Buffer.concat([first.bytes, second.bytes]))])
        const seen = listed(bench)
        assertChanges(seen)
        assert.deepEqual(seen.at(-1)!.pids, [VIDEO, AUDIO])
        assert.equal(codecsOf(bench), 'avc1.4d401e,mp4a.40.2')
        assert.equal(seen.filter(({ hasTag }, index) => hasTag && index > 0).length, 1)
      })
    }
  }

  test('is waited for by the first list, with short segments for 2 s', () => {
    const durationS = 12
    const bench = new PresentationBench({ windowMs: 60_000, segmentMs: 500 })
    const video = { gopFrames: 12, fps: 24, bitrate: 50_000 }
    const whole = buildTs({ durationS, video, muxRate: 400_000 }).bytes
    bench.play([paced(without(whole, AUDIO, 0, 1.6, durationS))])
    assert.equal(
      listed(bench).every(({ pids }) => pids.includes(AUDIO)),
      true,
    )
    assert.equal(bench.presentation.counters.discontinuities, 1)
    const never = new PresentationBench({ windowMs: 60_000, segmentMs: 500 })
    never.play([paced(without(whole, AUDIO, 0, durationS, durationS))])
    assert.equal(
      listed(never).every(({ pids }) => String(pids) === `${VIDEO}`),
      true,
    )
    assert.ok(never.playlist().segments.length >= 18)
  })
})

describe('radio', () => {
  test('is cut on time, CODECS names the sound alone, and there is no RESOLUTION', () => {
    const bench = new PresentationBench({ windowMs: 60_000 })
    bench.play([paced({ durationS: 25, video: false, audio: { framesPerPes: 8 } })])
    const { segments, target } = bench.playlist()
    assert.ok(segments.length >= 10 && target === 3)
    for (const { seconds } of segments.slice(0, -1)) assert.ok(seconds >= 1.8 && seconds < 2.2, `${seconds}`)
    const text = bench.presentation.multivariant()!.text
    assert.match(text, /CODECS="mp4a\.40\.2"\n/)
    assert.doesNotMatch(text, /RESOLUTION|FRAME-RATE|CLOSED-CAPTIONS/)
    assert.match(text, /INDEPENDENT-SEGMENTS/)
  })

  test('in several languages has one as the variant, and the others in its group', () => {
    const bench = new PresentationBench({ windowMs: 60_000 })
    bench.play([paced({ durationS: 13, video: false, audio: [{ language: 'deu' }, { language: 'gsw' }] })])
    const text = bench.presentation.multivariant()!.text
    assert.match(text, /NAME="Swiss German",LANGUAGE="gsw",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="main\.audio258-/)
    assert.match(text, /CODECS="mp4a\.40\.2",AUDIO="aac"\n/)
    assert.equal(bench.playlist('main.audio258').segments.length, bench.playlist().segments.length)
  })
})
