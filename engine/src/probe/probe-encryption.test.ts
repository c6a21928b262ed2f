// Encrypted streams and I-frame playlists, with a broken one for each rule that only a loader can see.
import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import { isUnitStart, PACKET_SIZE, readPid } from '@millrace/media/mpegts'
import { buildTs } from '../testing/ts-builder/build-ts.js'
import { probePlaylist } from './probe-playlist.js'
import { serveScript, type Script } from './scripted-server.test.kit.js'

const BASE = 'https://example.com'
const KEY = Buffer.alloc(16, 7)
const IV = Buffer.from('00000000000000000000000000000005', 'hex')
const { bytes: CLEAR } = buildTs({ durationS: 2, video: { gopFrames: 50, fps: 25 } })
const ENCRYPTED = encrypt(CLEAR)
const [FIRST, SECOND] = videoStarts(CLEAR) as [number, number]
const IV_TAG = `,IV=0x${IV.toString('hex')}`
const INIT = CLEAR.subarray(0, FIRST)

function encrypt(bytes: Uint8Array, key = KEY, iv = IV): Buffer {
  const cipher = createCipheriv('aes-128-cbc', key, iv)
  return Buffer.concat([cipher.update(bytes), cipher.final()])
}

function videoStarts(bytes: Uint8Array): readonly number[] {
  const starts: number[] = []
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    if (readPid(bytes, at) === 0x100 && isUnitStart(bytes, at)) starts.push(at)
  }
  return starts
}

function playlist(lines: readonly string[], sequence = 0): string {
  const head = ['#EXTM3U', '#EXT-X-VERSION:6', '#EXT-X-TARGETDURATION:2', `#EXT-X-MEDIA-SEQUENCE:${sequence}`]
  return [...head, ...lines, '#EXT-X-ENDLIST', ''].join('\n')
}

const MEDIA = playlist([`#EXT-X-KEY:METHOD=AES-128,URI="a.key"${IV_TAG}`, '#EXTINF:2,', 'a.ts'])
const RANGE = `#EXT-X-BYTERANGE:${SECOND - FIRST}@${FIRST}`
const I_FRAMES = playlist([
  ...['#EXT-X-I-FRAMES-ONLY', '#EXT-X-MAP:URI="init.ts"', `#EXT-X-KEY:METHOD=AES-128,URI="a.key"${IV_TAG}`],
  ...['#EXTINF:2,', RANGE, 'a.ts'],
])
const FILES: Script = {
  '/media.m3u8': () => ({ body: MEDIA }),
  '/iframes.m3u8': () => ({ body: I_FRAMES }),
  '/a.ts': (_, { headers }) => ranged(ENCRYPTED, headers?.['range']),
  '/a.key': () => ({ body: KEY }),
  '/init.ts': () => ({ body: INIT }),
}

function ranged(body: Uint8Array, range: string | undefined) {
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(range ?? '') ?? []
  if (from === undefined) return { body }
  return { status: 206, body: body.subarray(Number(from), Number(to) + 1) }
}

/** Rules that are broken, and what was seen; what Apple asks for is left out. */
async function probe(path: string, over: Script = {}): Promise<readonly string[]> {
  const server = serveScript({ ...FILES, ...over })
  const report = await probePlaylist(BASE + path, { watchMs: 0, segments: 9 }, server, server.clock)
  assert.ok(!('why' in report), JSON.stringify(report))
  assert.ok(report.playlists[0]!.segments <= 1)
  return report.findings.filter((each) => each.class !== 'apple').map(({ rule, seen }) => `${rule}: ${seen}`)
}

const rulesOf = (found: readonly string[]) => found.map((text) => text.split(':', 1)[0])

test('encrypted segments, and I-frames of encrypted segments, are decrypted and checked', async () => {
  assert.deepEqual(await probe('/media.m3u8'), [])
  assert.deepEqual(await probe('/iframes.m3u8'), [])
  const swapped = { '/a.ts': () => ({ body: encrypt(CLEAR.subarray(0, -1)) }) }
  assert.deepEqual(rulesOf(await probe('/media.m3u8', swapped)), ['ts-packets'])
  const whole = { '/a.ts': () => ({ body: ENCRYPTED }) }
  assert.deepEqual(await probe('/iframes.m3u8', whole), [])
})

test('without an IV, it is the sequence number', async () => {
  const body = playlist(['#EXT-X-KEY:METHOD=AES-128,URI="a.key"', '#EXTINF:2,', 'a.ts'], 5)
  assert.deepEqual(await probe('/media.m3u8', { '/media.m3u8': () => ({ body }) }), [])
})

test('what an I-frame range holds is looked at behind its initialisation section', async () => {
  const starts = videoStarts(CLEAR)
  const ranges: readonly [from: number, to: number][] = [
    [starts[1]!, starts[2]!],
    [starts[0]!, starts[9]!],
  ]
  for (const [from, to] of ranges) {
    const body = I_FRAMES.replace(RANGE, `#EXT-X-BYTERANGE:${to - from}@${from}`)
    assert.deepEqual(rulesOf(await probe('/iframes.m3u8', { '/iframes.m3u8': () => ({ body }) })), ['i-frame-picture'])
  }
})

const OTHER_KEY = Buffer.alloc(16, 8)
const vectors: readonly [name: string, path: string, over: Script, expected: string][] = [
  ['a key that is not there', '/media.m3u8', { '/a.key': () => undefined }, 'key-not-served: a.key: status 404'],
  [
    'a key in hexadecimal',
    '/media.m3u8',
    { '/a.key': () => ({ body: '07'.repeat(16) }) },
    'key-length: a.key: 32 bytes',
  ],
  [
    'another key',
    '/media.m3u8',
    { '/a.key': () => ({ body: OTHER_KEY }) },
    'segment-decrypt: a.ts: the padding is wrong: another key or IV, or damaged',
  ],
  [
    'no whole blocks',
    '/media.m3u8',
    { '/a.ts': () => ({ body: ENCRYPTED.subarray(1) }) },
    `segment-decrypt: a.ts: ${ENCRYPTED.length - 1} bytes are no whole blocks of 16`,
  ],
  ['no section', '/iframes.m3u8', { '/init.ts': () => undefined }, 'map-not-served: init.ts: status 404'],
  [
    'a range that does not end in the segment',
    '/iframes.m3u8',
    { '/a.ts': (_, { headers }) => ranged(ENCRYPTED.subarray(0, FIRST + 100), headers?.['range']) },
    'byterange-short: a.ts: ',
  ],
  [
    'a range behind the segment',
    '/iframes.m3u8',
    { '/a.ts': () => ({ status: 416 }) },
    'byterange-short: a.ts: status 416',
  ],
  [
    'no tables in the section',
    '/iframes.m3u8',
    { '/init.ts': () => ({ body: CLEAR.subarray(FIRST, FIRST + 188) }) },
    'map-tables:',
  ],
]

for (const [name, path, over, expected] of vectors) {
  test(`${name} is one finding`, async () => {
    const found = await probe(path, over)
    assert.equal(found.length, 1, found.join('\n'))
    assert.ok(found[0]!.startsWith(expected), found[0])
  })
}
