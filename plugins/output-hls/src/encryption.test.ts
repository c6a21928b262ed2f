import assert from 'node:assert/strict'
import { createDecipheriv } from 'node:crypto'
import { describe, test } from 'node:test'
import { parsePlaylist, SegmentWatch, attributeOf, type MediaPlaylist, type Segment } from '@millrace/media/hls'
import { paced, PresentationBench, type TestMedia, type TimedChunk } from './presentation.test.kit.js'

const LADDER = ['720p', '240p']

function stream(durationS: number, fromMs = 0, generation = 0): TimedChunk[] {
  return paced({ durationS, video: { gopFrames: 50, fps: 25 }, audio: {} }, { fromMs, generation })
}

function parsed(text: string | undefined): MediaPlaylist {
  const playlist = parsePlaylist(text ?? assert.fail('there is no playlist'))
  return playlist.kind === 'media' ? playlist : assert.fail('no media playlist')
}

interface Listed {
  readonly segment: Segment
  /** Undefined: not encrypted. */
  readonly key: { readonly id: string; readonly iv: string } | undefined
}

/** Each segment with the EXT-X-KEY in force. */
function keysOf(text: string | undefined): readonly Listed[] {
  const { segments, tags } = parsed(text)
  return segments.map((segment) => {
    const tag = tags.findLast(({ name, line }) => name === 'EXT-X-KEY' && line < segment.line)
    if (tag === undefined || attributeOf(tag, 'METHOD') === 'NONE') return { segment, key: undefined }
    const [id = '', iv = ''] = [attributeOf(tag, 'URI')?.replace('.key', ''), attributeOf(tag, 'IV')?.slice(2)]
    return { segment, key: { id, iv } }
  })
}

function decrypted(bench: PresentationBench, { segment, key }: Listed): Buffer {
  const { kept } = bench.presentation.file(segment.uri) ?? assert.fail(`${segment.uri} is not there`)
  const { content } = kept as TestMedia
  if (key === undefined) return content
  const bytes = bench.presentation.key(key.id) ?? assert.fail(`${key.id} is not there`)
  const cipher = createDecipheriv('aes-128-cbc', bytes, Buffer.from(key.iv, 'hex'))
  return Buffer.concat([cipher.update(content), cipher.final()])
}

describe('encrypted segments', () => {
  test('have in them what they have in clear, and the checker finds nothing in them', () => {
    const plain = new PresentationBench().play([stream(16)])
    const bench = new PresentationBench({ keyRotation: 2 }).play([stream(16)])
    const listed = keysOf(bench.presentation.life?.text('main')?.text)
    assert.ok(new Set(listed.map(({ key }) => key?.id)).size >= 3)
    const watch = new SegmentWatch()
    const context = { areIndependent: true, isIFramesOnly: false, codecs: undefined }
    for (const [index, each] of listed.entries()) {
      const bytes = decrypted(bench, each)
      assert.deepEqual(bytes, plain.content()[index])
      assert.deepEqual(watch.push(each.segment, bytes, context), [])
    }
  })

  test('of all renditions have the same key, and are listed together', () => {
    const bench = new PresentationBench({ keyRotation: 1 }, LADDER)
    bench.play([stream(14), stream(14)])
    const [high, low] = LADDER.map((name) => keysOf(bench.presentation.life?.text(name)?.text))
    assert.deepEqual(
      high!.map(({ key }) => key),
      low!.map(({ key }) => key),
    )
    assert.equal(new Set(high!.map(({ key }) => key?.id)).size, high!.length)
  })

  test('of further audio have the key of the video that they belong to, and are decrypted with it', () => {
    const bench = new PresentationBench({ keyRotation: 1 })
    const audio = [{ language: 'deu' }, { language: 'eng' }]
    bench.play([paced({ durationS: 12, programs: [{ video: { gopFrames: 50, fps: 25 }, audio }] })])
    const text = bench.presentation.multivariant()?.text ?? ''
    const uris = [...text.matchAll(/^[^#\n]+$|(?<=EXT-X-MEDIA:.*URI=")[^"]+/gm)].map(([uri]) => uri)
    assert.equal(uris.length, 2, text)
    const [video, sound] = uris.map((uri) => keysOf(bench.presentation.playlist(uri)?.text))
    assert.deepEqual(
      sound!.map(({ key }) => key),
      video!.map(({ key }) => key),
    )
    for (const each of sound!) assert.equal(decrypted(bench, each)[0], 0x47)
  })

  test('have their key at the head of the playlist, however far it has moved on', () => {
    const bench = new PresentationBench({ keyRotation: 0, windowMs: 6000 }).play([stream(40)])
    const listed = keysOf(bench.presentation.life?.text('main')?.text)
    assert.ok(listed.every(({ key }) => key?.id === listed[0]?.key?.id && key !== undefined))
    const { tags } = parsed(bench.presentation.life?.text('main')?.text)
    assert.equal(tags.filter(({ name }) => name === 'EXT-X-KEY').length, 1)
  })

  test('and clear ones follow each other when the option changes; METHOD=NONE stands in front of clear ones', () => {
    const bench = new PresentationBench({ windowMs: 60_000 })
    const chunks = stream(24)
    const parts = [8000, 16_000, 24_000].map((to, index) => {
      return chunks.filter(({ atMs }) => atMs < to && atMs >= to - 8000 && index < 3)
    })
    for (const [index, keyRotation] of [undefined, 0, undefined].entries()) {
      bench.settings = { ...bench.settings, keyRotation }
      bench.play([parts[index]!])
    }
    const listed = keysOf(bench.presentation.life?.text('main')?.text)
    const kinds = listed.map(({ key }) => (key === undefined ? 'clear' : 'key'))
    assert.match(kinds.join(' '), /^(clear )+(key )+(clear ?)+$/)
    for (const each of listed) assert.equal(decrypted(bench, each)[0], 0x47)
  })

  test('are listed in order if the next one comes while they are being encrypted, and when the playlists end', () => {
    const bench = new PresentationBench({ keyRotation: 1 })
    const large = paced({ durationS: 7, video: { gopFrames: 50, fps: 25, bitrate: 8_000_000 } })
    const isEarly = ({ atMs }: { readonly atMs: number }): boolean => atMs < 3000
    bench.play([large.filter(isEarly)])
    // From here on nothing has a turn until the test says so.
    const later: (() => void)[] = []
    Object.assign(bench.host, { later: (run: () => void) => void later.push(run) })
    bench.play([large.filter((each) => !isEarly(each))])
    assert.ok(later.length > 0, 'a segment is too large for one slice')
    const { life } = bench.presentation
    const before = life!.list.entries.length
    bench.presentation.endLife()
    assert.equal(life!.list.entries.length, before + 1)
    const listed = keysOf(life!.text('main')?.text)
    for (const each of listed) assert.equal(decrypted(bench, each)[0], 0x47)
    const ended = life!.text('main')?.text
    for (const run of later) run()
    assert.equal(life!.text('main')?.text, ended, 'turns that come too late do nothing')
  })

  test('are listed by the node that takes over while they are being encrypted, in slices too', () => {
    const bench = new PresentationBench({ keyRotation: 1 })
    const later: (() => void)[] = []
    Object.assign(bench.host, { later: (run: () => void) => void later.push(run) })
    bench.play([paced({ durationS: 5, video: { gopFrames: 50, fps: 25, bitrate: 8_000_000 } })])
    const { life } = bench.presentation
    const before = life!.list.entries.length
    let published = 0
    Object.assign(bench.host, { onPublished: () => assert.fail('this node has been replaced') })
    const nextLater: (() => void)[] = []
    const next = Object.create(bench.host, {
      onPublished: { value: () => published++ },
      later: { value: (run: () => void) => nextLater.push(run) },
    }) as typeof bench.host
    bench.presentation.attach(next, ['main'], () => false)
    for (const run of later) run()
    assert.deepEqual([published, life!.list.entries.length], [0, before], 'turns of the node before do nothing')
    for (const run of nextLater) run()
    assert.deepEqual([published, life!.list.entries.length], [1, before + 1])
  })

  test('are listed at once by a node that has other renditions', () => {
    const bench = new PresentationBench({ keyRotation: 1 })
    Object.assign(bench.host, { later: () => undefined })
    bench.play([paced({ durationS: 5, video: { gopFrames: 50, fps: 25, bitrate: 8_000_000 } })])
    const { life } = bench.presentation
    const before = life!.list.entries.length
    bench.presentation.attach(bench.host, ['other'], () => false)
    assert.equal(life!.list.entries.length, before + 1)
  })

  test('are listed at the end of a stream too without holding up other work', async () => {
    const bench = new PresentationBench({ keyRotation: 1 })
    Object.assign(bench.host, { later: () => undefined })
    bench.play([paced({ durationS: 3.9, video: { gopFrames: 50, fps: 25, bitrate: 32_000_000 } })])
    const { life } = bench.presentation
    bench.presentation.finish()
    const before = life!.list.entries.length
    let turns = 0
    const count = (): void => {
      turns++
      next = setImmediate(count)
    }
    let next = setImmediate(count)
    await bench.presentation.listed()
    clearImmediate(next)
    assert.equal(life!.list.entries.length, before + 1)
    assert.ok(turns > 0)
    bench.presentation.endLife()
    assert.equal(life!.list.entries.length, before + 1)
  })

  test('are listed when their last slice has had its turn', () => {
    const bench = new PresentationBench({ keyRotation: 1 })
    const large = paced({ durationS: 5, video: { gopFrames: 50, fps: 25, bitrate: 8_000_000 } })
    bench.play([large], 6000)
    assert.equal(bench.presentation.life?.list.entries.length, 2)
  })
})

describe('a key', () => {
  test('is given out as long as its segments can be downloaded, and no longer', () => {
    const bench = new PresentationBench({ keyRotation: 1, windowMs: 6000 }).play([stream(10)])
    const [first] = keysOf(bench.presentation.life?.text('main')?.text)
    const { id } = first!.key!
    bench.play([stream(60, 10_000, 1)], 12_000)
    for (; bench.presentation.file(first!.segment.uri) !== undefined;) {
      assert.notEqual(bench.presentation.key(id), undefined)
      bench.clock.advance(1000)
      bench.presentation.tick()
    }
    assert.equal(bench.presentation.key(id), undefined)
  })

  test('of the process before is given out for a while, and is not used again where keys change', () => {
    const before = new PresentationBench({ keyRotation: 3 }).play([stream(10)])
    const [old] = keysOf(before.presentation.life?.text('main')?.text)
    const bytes = before.presentation.key(old!.key!.id)
    const bench = new PresentationBench({ keyRotation: 3 }, ['main'], before.saved.at(-1), before.savedKeys.at(-1))
    bench.play([stream(10)])
    assert.deepEqual(bench.presentation.key(old!.key!.id), bytes)
    const now = keysOf(bench.presentation.life?.text('main')?.text)
    assert.ok(now.every(({ key }) => key?.id !== old!.key!.id))
    bench.clock.advance(60_000)
    assert.equal(bench.presentation.key(old!.key!.id), undefined)
  })
})
