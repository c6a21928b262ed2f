// The long list alone: what it takes in memory and in time, and that its texts are what they have to be.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { readPlaylist, type ReadPlaylist } from '../playlist/read-playlist.test.kit.js'
import type { TextVersion } from '../serve/playlist-text.js'
import { VersionChecker } from '../version-checker.test.kit.js'
import { LongList, type LongEntry } from './long-list.js'
import { LongText } from './long-text.js'
import { SegmentTable } from './segment-table.js'

const LIFE = { id: '3.abcdefg', targetSeconds: 3 }
const EVENT = { kind: 'media', life: LIFE, hasEnded: false, isEvent: false } as const
const FROM = 1_796_000_000

function entry(index: number): LongEntry {
  const sequence = FROM + index
  const file = { bytes: 250_000 + (index % 1000), isIndependent: true }
  return {
    ...{ sequence, name: String(sequence), ticks: 180_000, isNew: index === 0, dateMs: FROM * 1000 + index * 2000 },
    ...{ discontinuity: FROM, media: new Map([['main', file]]) },
  }
}

/** Somebody watches, and has each thousandth version zipped. */
function watched(list: LongList, count: number, windowTicks = Infinity): LongList {
  for (let index = 0; index < count; index++) {
    list.append(LIFE, entry(index), ['main'])
    list.trim(windowTicks, LIFE)
    if (index % 1000 === 999) zippedNow(list.text('main', EVENT, 't')!)
  }
  return list
}

/** From blocks that are zipped already: it need not be waited for. */
function zippedNow(text: TextVersion): Buffer {
  const zipped = text.zip()
  return zipped instanceof Promise ? assert.fail('it is zipped later') : zipped
}

test('a version that others have followed is zipped beside other work', async () => {
  const list = new LongList()
  for (let index = 0; index < 5000; index++) list.append(LIFE, entry(index), ['main'])
  const text = list.text('main', EVENT, 't') ?? assert.fail()
  list.append(LIFE, entry(5000), ['main'])
  const zipped = text.zip()
  assert.ok(zipped instanceof Promise)
  assert.deepEqual(gunzipSync(await zipped), text.plain)
})

test('what nobody has watched is zipped in a few turns, beside other work until then', async () => {
  const list = new LongList()
  for (let index = 0; index < 5000; index++) list.append(LIFE, entry(index), ['main'])
  const zipped: (Buffer | Promise<Buffer>)[] = []
  for (let index = 5000; index < 5003; index++) {
    const text = list.text('main', EVENT, 't')!
    zipped.push(text.zip())
    assert.deepEqual(gunzipSync(await text.zip()), text.plain)
    list.append(LIFE, entry(index), ['main'])
  }
  assert.deepEqual(
    zipped.map((each) => each instanceof Promise),
    [true, true, false],
  )
})

test('nine thousand segments take less than 100 bytes each', () => {
  const list = watched(new LongList(), 9000)
  assert.equal(list.length, 9000)
  const text = list.text('main', EVENT, 't') ?? assert.fail()
  const zipped = zippedNow(text)
  assert.ok(zipped.length < text.plain.length / 8, `${zipped.length} of ${text.plain.length}`)
  assert.ok(list.memoryBytes / 9000 < 100, `${list.memoryBytes / 9000} bytes`)
})

test('nine thousand segments that nobody watches take no more', () => {
  const list = new LongList()
  for (let index = 0; index < 9000; index++) list.append(LIFE, entry(index), ['main'])
  assert.ok(list.memoryBytes / 9000 < 100, `${list.memoryBytes / 9000} bytes`)
})

test('a new version costs little more than a copy of the text', () => {
  const list = watched(new LongList(), 9200, 9000 * 180_000)
  let index = 9200
  const publish = (): void => {
    list.append(LIFE, entry(index++), ['main'])
    list.trim(9000 * 180_000, LIFE)
  }
  const once = zippedNow(list.text('main', EVENT, 't')!)
  assert.ok(once.length > 0)
  // Of what is not zipped again, nothing else has changed.
  const started = process.cpuUsage()
  for (let round = 0; round < 20; round++) {
    publish()
    const text = list.text('main', EVENT, 't')!
    assert.equal(gunzipSync(zippedNow(text)).length, text.plain.length)
  }
  const { user, system } = process.cpuUsage(started)
  assert.ok((user + system) / 20 < 30_000, `${(user + system) / 20} us for each`)
})

test('whatever is added and removed, the text is that of the rows, zipped or not', () => {
  const rows = fc.array(fc.oneof(fc.string(), fc.constant(undefined)), { maxLength: 1500, size: 'max' })
  fc.assert(
    fc.property(rows, (steps) => {
      const text = new LongText()
      const expected: string[] = []
      for (const step of steps) {
        if (step === undefined) assert.equal(text.removeFirst(), expected.shift() ?? '')
        else {
          text.append(`${step}\n`)
          expected.push(`${step}\n`)
        }
      }
      const plain = text.render('head\n', 'tail\n')
      assert.equal(plain.toString(), `head\n${Buffer.from(expected.join('')).toString()}tail\n`)
      assert.deepEqual(gunzipSync(text.zip(plain, 'head\n', 'tail\n') ?? assert.fail()), plain)
      assert.equal(text.length, expected.length)
    }),
    { numRuns: 20 },
  )
})

test('whatever rows are replaced, the text is that of the rows, zipped or not', () => {
  const replaced = fc.array(fc.tuple(fc.nat(), fc.string()), { maxLength: 30 })
  fc.assert(
    fc.property(fc.nat(1600), fc.nat(700), replaced, (added, removed, changes) => {
      const text = new LongText()
      const rows = Array.from({ length: added }, (_, index) => `row ${index}\n`)
      for (const row of rows) text.append(row)
      for (let count = 0; count < removed; count++) text.removeFirst()
      rows.splice(0, removed)
      for (const [at, lines] of changes) {
        const row = at % (rows.length + 2)
        text.replace(row, (before) => {
          assert.equal(before, rows[row])
          return `${lines}\n`
        })
        if (row < rows.length) rows[row] = Buffer.from(`${lines}\n`).toString()
        text.append('more\n')
        rows.push('more\n')
      }
      const plain = text.render('head\n', 'tail\n')
      assert.equal(plain.toString(), `head\n${rows.join('')}tail\n`)
      assert.deepEqual(gunzipSync(text.zip(plain, 'head\n', 'tail\n') ?? assert.fail()), plain)
      for (const row of rows) assert.equal(text.removeFirst(), row)
    }),
    { numRuns: 50 },
  )
})

test('segments that are lost are gaps, the first leaves the list, and the text follows the rules', () => {
  const list = new LongList()
  const names = ['main', 'low']
  const key = (index: number) => ({ id: index.toString(16).padStart(16, '0'), iv: '0'.repeat(32) })
  for (let index = 0; index < 1200; index++) {
    const [isNew, media] = [index % 7 === 0, new Map()]
    const iframe = { offset: 376, length: 1000, init: `init-${index >> 5}.ts` }
    for (const name of names) media.set(name, { bytes: 5000, isIndependent: true, key: key(index >> 4), iframe })
    list.append(LIFE, { ...entry(index), isNew, discontinuity: FROM + Math.ceil((index + 1) / 7), media }, names)
  }
  const before = read(list, 'media')
  for (const index of [700, 512, 511, 2, 1, 3, 700, 1199, 5000]) list.makeGap(FROM + index)
  for (const kind of ['media', 'iframes'] as const) {
    const { segments } = read(list, kind)
    assert.equal(segments.length, 1200)
    assert.deepEqual(
      segments.flatMap(({ isGap }, index) => (isGap ? [index] : [])),
      [1, 2, 3, 511, 512, 700, 1199],
    )
  }
  const same = ({ segments }: ReadPlaylist): unknown => segments.map((each) => ({ ...each, isGap: false }))
  assert.deepEqual(same(read(list, 'media')), same(before))
  for (const [index, bytes] of [
    [700, undefined],
    [701, 5000],
  ] as const) {
    assert.equal(list.table.bytesAt(list.table.findSequence(FROM + index), 'low'), bytes)
  }
  list.makeGap(FROM)
  for (const kind of ['media', 'iframes'] as const) assert.equal(read(list, kind).sequence, FROM + 4)
})

/** Checked. */
function read(list: LongList, kind: 'media' | 'iframes'): ReadPlaylist {
  const [main, low] = ['main', 'low'].map((name) => list.text(name, { ...EVENT, kind, isEvent: false }, 't')!)
  for (const { text } of [main!, low!]) new VersionChecker().push(kind, text, 0)
  assert.deepEqual(gunzipSync(zippedNow(main!)), main!.plain)
  return readPlaylist(main!.text)
}

test('the table finds segments by any name, whatever is added and removed', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 400, size: 'max' }), fc.boolean(), (steps, isNamedByTime) => {
      const table = new SegmentTable()
      const expected: { sequence: number; name: string }[] = []
      let sequence = 5
      for (const isAdded of steps) {
        if (!isAdded) {
          table.removeFirst()
          expected.shift()
          continue
        }
        sequence += 1
        const name = isNamedByTime ? `${8_000_000_000 + sequence * 7}` : String(sequence)
        const media = new Map(sequence % 3 === 0 ? [] : [['main', { bytes: sequence }]])
        table.append({ sequence, name, ticks: 90_000, isNew: sequence % 2 === 0, dateMs: sequence, media })
        expected.push({ sequence, name })
      }
      assert.equal(table.length, expected.length)
      for (const [index, row] of expected.entries()) {
        assert.equal(table.find(row.name), index)
        assert.equal(table.nameAt(index), row.name)
        assert.equal(table.bytesAt(index, 'main'), row.sequence % 3 === 0 ? undefined : row.sequence)
        assert.equal(table.isNewAt(index), row.sequence % 2 === 0)
      }
      for (const name of ['', 'x', '4', '99999999', '7_7', '-1']) assert.equal(table.find(name), -1, name)
    }),
  )
})

test('a stream that names its renditions anew again and again takes no more memory, and what is newest is found', () => {
  const table = new SegmentTable()
  for (let sequence = 0; sequence < 2000; sequence++) {
    const media = new Map(['main', `main.audio${sequence}`].map((name) => [name, { bytes: sequence }]))
    table.append({ sequence, name: `${sequence}`, ticks: 1, isNew: false, dateMs: 0, media })
  }
  assert.ok(table.renditions.length <= 64)
  assert.ok(table.memoryBytes < 2000 * 1.5 * (40 + 4 * 64), `${table.memoryBytes}`)
  for (const [index, name] of [
    [0, 'main'],
    [1999, 'main'],
    [1999, 'main.audio1999'],
  ] as const) {
    assert.equal(table.bytesAt(index, name), index)
  }
})

test('a list that has ended has no date ranges from behind its end', () => {
  const list = watched(new LongList(), 10)
  const asked: (number | undefined)[] = []
  const ranges = {
    tags: (_fromMs: number, untilMs?: number): readonly string[] => {
      asked.push(untilMs)
      return []
    },
  }
  list.text('main', { ...EVENT, ranges }, 'other')
  list.text('main', { ...EVENT, ranges, hasEnded: true }, 'other')
  assert.deepEqual(asked, [undefined, FROM * 1000 + 20_000])
})
