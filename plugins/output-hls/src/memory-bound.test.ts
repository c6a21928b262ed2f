import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { z } from 'zod'
import { LongList, type LongEntry } from './history/long-list.js'
import { BEFORE_LOSS_MS } from './history/losses.js'
import hls from './index.js'
import { options } from './options.js'
import { paced, PresentationBench } from './presentation.test.kit.js'

const LIFE = { id: '3.abcdefg', targetSeconds: 3 }
const FROM = 1_796_000_000
const MEMORY = 8 * 1024 * 1024
/** What five hours add to a process for each channel: `npm run bench -- dvr-memory`, docs/performance.md. */
const MEASURED_DVR = 4.67 * 1024 * 1024

function boundOf(more: Partial<z.input<typeof options>>, inlets = 1): number {
  const given = options.parse({ listener: 'web', path: '/one/index.m3u8', memory: '8MiB', ...more })
  return hls.memoryBound?.(given, Infinity, inlets) ?? assert.fail()
}

function entry(index: number, renditions: readonly string[]): LongEntry {
  const sequence = FROM + index
  const iframe = { init: '0123456789abcdef', offset: 376, length: 9000 + (index % 7000) }
  const file = { bytes: 250_000 + (index % 1000), isIndependent: true, iframe }
  return {
    ...{ sequence, name: String(sequence), ticks: 180_000, isNew: index === 0, dateMs: FROM * 1000 + index * 2000 },
    ...{ discontinuity: FROM, media: new Map(renditions.map((name) => [name, file])) },
  } as LongEntry
}

type Reader = 'watched' | 'unwatched'

/** Of five hours that are listed, and five that can still be asked for, and of what is listed behind losses. */
function fiveHours(renditions: readonly string[], reader: Reader = 'watched'): number {
  const behindLosses = BEFORE_LOSS_MS / 2000
  return (
    bytesOf(renditions, reader, { listed: 9000, all: 18_000 }) +
    bytesOf(renditions, reader, { listed: behindLosses, all: behindLosses })
  )
}

/** Where somebody watches, each playlist is loaded now and then, also zipped. */
function bytesOf(
  renditions: readonly string[],
  reader: Reader,
  segments: { readonly listed: number; readonly all: number },
): number {
  const list = new LongList()
  const version = { life: LIFE, hasEnded: false, isEvent: false }
  const textBytes = (): number => {
    if (reader === 'unwatched') return 0
    const texts = renditions.flatMap((name) => {
      return (['media', 'iframes'] as const).map((kind) => list.text(name, { ...version, kind }, 't') ?? assert.fail())
    })
    return texts.reduce((sum, text) => {
      const zipped = text.zip()
      return sum + text.plain.length + (zipped instanceof Promise ? assert.fail() : zipped.length)
    }, 0)
  }
  for (let index = 0; index < segments.all; index++) {
    list.append(LIFE, entry(index, renditions), renditions)
    list.trim(segments.listed * 180_000, LIFE)
    if (index % 1000 === 999) textBytes()
  }
  return list.memoryBytes + textBytes()
}

describe('the memory bound that `engine check` shows', () => {
  test('is that of the segments where nothing else is kept', () => {
    assert.equal(boundOf({}), MEMORY)
  })

  for (const renditions of [['main'], ['low', 'mid', 'high']]) {
    test(`has room for five hours of ${renditions.length} renditions, and not four times what is counted`, () => {
      const [measured, bound] = [fiveHours(renditions), boundOf({ dvr: '5h' }, renditions.length) - MEMORY]
      assert.ok(bound >= measured && bound < 4 * measured, `${bound} for ${measured}`)
    })

    test(`has room for five hours of ${renditions.length} renditions that nobody watches`, () => {
      const measured = fiveHours(renditions, 'unwatched')
      assert.ok(measured <= boundOf({ dvr: '5h' }, renditions.length) - MEMORY, `${measured}`)
    })
  }

  test('of five hours is at least what the bench has measured of the process, and not three times as much', () => {
    const bound = boundOf({ dvr: '5h' }) - MEMORY
    assert.ok(bound >= MEASURED_DVR && bound < MEASURED_DVR * 3, `${bound}`)
  })

  test('has room for all that an event can have', () => {
    assert.equal(boundOf({ playlistType: 'event' }), boundOf({ dvr: '24h' }))
  })
})

describe('the usual memory that `engine check` shows', () => {
  const usualOf = (more: Partial<z.input<typeof options>>, bitsPerSecond: number): number => {
    const given = options.parse({ listener: 'web', path: '/one/index.m3u8', ...more })
    return hls.usualMemory?.(given, bitsPerSecond, 1).sharedBytes ?? assert.fail()
  }

  for (const { name, dvrMs, windowMs, memoryBytes } of [
    { name: 'a window', dvrMs: 0, windowMs: 12_000, memoryBytes: 64 * 1024 * 1024 },
    { name: '`dvr` in memory', dvrMs: 60_000, windowMs: 12_000, memoryBytes: 64 * 1024 * 1024 },
    { name: 'a memory that is full', dvrMs: 600_000, windowMs: 12_000, memoryBytes: 4 * 1024 * 1024 },
  ]) {
    test(`of ${name} is what it takes, within a factor of three`, () => {
      const durationS = 180
      const chunks = paced({ durationS, video: { gopFrames: 10, fps: 5, bitrate: 600_000 }, audio: [] })
      const bytes = chunks.reduce((sum, { chunk }) => sum + chunk.bytes.length, 0)
      const bench = new PresentationBench({ dvrMs, windowMs, memoryBytes }).play([chunks])
      const [{ collector }] = bench.presentation.renditions as [PresentationBench['presentation']['renditions'][0]]
      const held = bench.presentation.memoryBytes + collector.bufferedBytes
      const rate = (8 * bytes) / durationS
      const usual = usualOf({ window: `${windowMs}ms`, dvr: `${dvrMs}ms`, memory: `${memoryBytes / 1024}KiB` }, rate)
      assert.ok(usual < 3 * held && held < 3 * usual, `${usual} said, ${held} held`)
    })
  }

  test('is at most the bound, and with five hours on a disk at least what the bench has measured', () => {
    for (const dvr of ['0s', '5h']) {
      assert.ok(usualOf({ dvr, memory: '8MiB' }, 5e6) <= boundOf({ dvr }))
    }
    const long = usualOf({ dvr: '5h', store: { path: 'hls' } }, 1e6) - usualOf({}, 1e6)
    assert.ok(long >= MEASURED_DVR && long < 3 * MEASURED_DVR, `${long}`)
  })
})
