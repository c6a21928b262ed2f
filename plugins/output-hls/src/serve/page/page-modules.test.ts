// The modules of the page that need no browser.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { refusedFormats } from '../../../dist/page/formats.js'
import { type FatalError, nextRecovery, startRecovery } from '../../../dist/page/recovery.js'
import { clockText, rateText, secondsText, spokenText } from '../../../dist/page/time-text.js'
import { troubleText } from '../../../dist/page/trouble-text.js'

const CHROMIUM = (type: string): boolean => /avc1|mp4a/.test(type)

describe('formats that a browser refuses', () => {
  const rows: readonly [string, string[], string | undefined][] = [
    ['all can be played', ['video h264', 'audio aac'], undefined],
    ['HEVC', ['video h265', 'audio aac'], 'the picture is HEVC (H.265)'],
    ['both', ['video mpeg2video', 'audio mp2'], 'the picture is MPEG-2 video, and the sound is MPEG audio layer 2'],
    ['one of two sounds is enough', ['video h264', 'audio ac3', 'audio aac'], undefined],
    ['one that has no name here', ['video xyz'], 'the picture is xyz'],
    ['nothing is known', [], undefined],
  ]
  for (const [name, tracks, named] of rows) {
    test(name, () => {
      const parsed = tracks.map((track) => {
        const [media = '', codec = ''] = track.split(' ')
        return { media, codec }
      })
      const sentence = refusedFormats(parsed, CHROMIUM)
      assert.equal(sentence?.replace(/^[^:]+: (.*)\. VLC.*$/, '$1'), named)
    })
  }
})

describe('after a fatal error', () => {
  const network: FatalError = {
    ...{ nowMs: 0, isNetwork: true, isUnplayable: false, status: 0, hasLevels: true, random: 0.5 },
  }

  test('of the network, loading goes on soon, and never waits for longer than four seconds', () => {
    let state = startRecovery()
    for (let failure = 0; failure < 50; failure++) {
      const { action, delayMs, state: next } = nextRecovery(state, { ...network, random: failure % 2 })
      assert.equal(action, 'startLoad')
      assert.ok(delayMs > 400 && delayMs < 4000, String(delayMs))
      state = next
    }
  })

  test('the first playlist is loaded again where the others are refused or gone, or there is none yet', () => {
    for (const status of [401, 403, 404, 410]) {
      assert.equal(nextRecovery(startRecovery(), { ...network, status }).action, 'loadSource')
    }
    assert.equal(nextRecovery(startRecovery(), { ...network, hasLevels: false }).action, 'loadSource')
  })

  test('somebody who is refused again and again asks rarely', () => {
    let state = startRecovery()
    let last = 0
    for (let failure = 0; failure < 5; failure++) {
      const recovery = nextRecovery(state, { ...network, status: 403 })
      state = recovery.state
      last = recovery.delayMs
    }
    assert.equal(last, 10_000)
  })

  test('of the media, the decoder starts again, and the second time everything', () => {
    const first = nextRecovery(startRecovery(), { ...network, isNetwork: false })
    assert.deepEqual([first.action, first.delayMs], ['recoverMedia', 0])
    const soon = nextRecovery(startRecovery(first.state), { ...network, isNetwork: false, nowMs: 3000 })
    assert.equal(soon.action, 'rebuild')
    const later = nextRecovery(startRecovery(first.state), { ...network, isNetwork: false, nowMs: 60_000 })
    assert.equal(later.action, 'recoverMedia')
  })
})

test('each answer of the server has a sentence', () => {
  const sentenceOf = (status: number, answer = '', isOnline = true): string =>
    troubleText({ kind: 'network', status, answer }, undefined, isOnline).sentence
  assert.match(sentenceOf(0), /cannot be reached/)
  assert.match(sentenceOf(0, '', false), /offline/)
  assert.match(sentenceOf(403), /may not watch/)
  assert.match(sentenceOf(404), /no channel/)
  assert.match(sentenceOf(503, 'no data so far'), /off the air/)
  assert.match(sentenceOf(503, 'refused: max'), /Too many/)
  assert.match(troubleText({ kind: 'formats' }, undefined, true).sentence, /cannot play/)
})

test('times and rates are short to read, and whole to hear', () => {
  assert.deepEqual([7, 750, 3723, -1].map(clockText), ['0:07', '12:30', '1:02:03', '0:00'])
  assert.deepEqual([0, 1, 65, 7322].map(spokenText), [
    '0 seconds',
    '1 second',
    '1 minute 5 seconds',
    '2 hours 2 minutes 2 seconds',
  ])
  assert.deepEqual([undefined, 6.24, 90, Infinity].map(secondsText), ['–', '6.2 s', '1:30', '–'])
  assert.deepEqual([undefined, 850_000, 4_200_000].map(rateText), ['–', '850 kb/s', '4.2 Mb/s'])
})
