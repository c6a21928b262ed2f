import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestMedia } from '../presentation.test.kit.js'
import { Life } from './life.js'
import { playlistUri } from './render-playlist.js'
import { segmentName } from './segment-names.js'

test('the playlists of a life that has ended are there for all that it lists, whatever is published now', () => {
  const parts = { number: 0, targetSeconds: 3, from: { media: 1, discontinuity: 1 }, files: new Map(), token: 't' }
  const life = new Life({ ...parts, mark: 'm', ranges: { tags: () => [] } })
  const media = new Map(
    ['main', 'main.audio258'].map((name) => {
      return [name, { kept: new TestMedia(Buffer.alloc(188), () => undefined), isIndependent: true }]
    }),
  )
  for (let index = 0; index < 4; index++) {
    life.append({ name: `${index}`, ticks: 180_000, isNew: false, dateMs: index * 2000, media }, Infinity, 0)
  }
  const uri = playlistUri('main.audio258', life.id)
  assert.equal(life.playlist(uri, ['main']), undefined)
  life.end(10_000)
  assert.match(life.playlist(uri, ['other'])?.text ?? '', /ENDLIST/)
  assert.equal(life.playlist(playlistUri('other', life.id), ['other']), undefined)
})

test('the date ranges of a life that has ended are those that it had then, without those behind its end', () => {
  const parts = { number: 0, targetSeconds: 3, from: { media: 1, discontinuity: 1 }, files: new Map(), token: 't' }
  const asked: (readonly [number, number | undefined])[] = []
  const tags = (fromMs: number, untilMs?: number): readonly string[] => {
    asked.push([fromMs, untilMs])
    return [`#EXT-X-DATERANGE:ID="${asked.length}"`]
  }
  const life = new Life({ ...parts, mark: 'm', ranges: { tags } })
  const kept = new TestMedia(Buffer.alloc(188), () => undefined)
  const media = new Map(['low', 'high'].map((name) => [name, { kept, isIndependent: true }]))
  for (let index = 0; index < 4; index++)
    life.append({ name: `${index}`, ticks: 180_000, isNew: false, dateMs: index * 2000, media }, Infinity, 0)
  life.end(10_000)
  for (const name of ['low', 'high']) assert.match(life.text(name)!.text, /ID="1"/)
  assert.deepEqual(asked, [[0, 8000]])
})

test('no two segments have the same name, also where a clock starts anew', () => {
  const segments = [1, 2].map((sequence) => ({ sequence, start90k: 900_123, dateMs: 1_790_000_000_123.4 }))
  const named = (by: 'sequence' | 'timestamp' | 'system', granularity: number): readonly string[] =>
    segments.map((segment) => segmentName({ by, granularity }, segment))
  assert.deepEqual(named('sequence', 1000), ['1', '2'])
  assert.deepEqual(named('timestamp', 1000), ['900000_1', '900000_2'])
  assert.deepEqual(named('system', 1), ['1790000000123_1', '1790000000123_2'])
})
