import assert from 'node:assert/strict'
import { test } from 'node:test'
import { iframeVariants } from '../playlist/iframe-variants.js'
import { Life } from '../playlist/life.js'
import { renderMultivariant } from '../playlist/render-multivariant.js'
import { TestMedia } from '../presentation.test.kit.js'
import { Rendition } from '../rendition.js'
import { describePresentation } from './describe-presentation.js'

const NOTHING = { language: '', parameterSets: 0 }

test('RESOLUTION is the size at which a picture is shown, also where its samples are not square', () => {
  const rendition = new Rendition('main')
  const life = new Life({
    ...{ number: 0, targetSeconds: 3, from: { media: 1, discontinuity: 1 }, files: new Map(), token: 't', mark: 'm' },
    ranges: { tags: () => [] },
  })
  const media = {
    ...{ kept: new TestMedia(Buffer.alloc(1880), () => undefined), isIndependent: true },
    iframe: { offset: 376, length: 188, init: 'one.init' },
  }
  life.append({ name: '1', ticks: 180_000, isNew: false, dateMs: 0, media: new Map([['main', media]]) }, Infinity, 0)
  for (const [size, resolution] of [
    [{ width: 720, height: 576, sampleAspect: 16 / 11 }, '1047x576'],
    [{ width: 720, height: 480, sampleAspect: 10 / 11 }, '655x480'],
    [{ width: 1280, height: 720 }, '1280x720'],
  ] as const) {
    const track = { pid: 256, streamType: 0x1b, codec: 'h264', media: 'video' as const, ...NOTHING }
    const format = { name: 'avc1.4d401e', ...size }
    rendition.description.tracks = [{ track, format, descriptors: new Uint8Array(0) }]
    const lines = [
      ...renderMultivariant(describePresentation([rendition], life)).split('\n'),
      ...iframeVariants([rendition], life),
    ]
    const sizes = lines.flatMap((line) => /RESOLUTION=(\d+x\d+)/.exec(line)?.[1] ?? [])
    assert.deepEqual(sizes, [resolution, resolution])
  }
})
