import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ChunkReader } from './chunk-reader.js'
import type { ChunkReaderOptions } from './chunk-reader.js'
import { renderChunks } from './chunk-writer.js'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

interface Seen {
  readonly type: number
  readonly id: number
  readonly time: number
  readonly body: string
}

/** Everything at once, and byte by byte: the same. */
function read(bytes: Uint8Array, options: Partial<ChunkReaderOptions> = {}) {
  const [whole, bytewise] = [bytes.length, 1].map((size) => {
    const seen: Seen[] = []
    const reader = new ChunkReader(({ type, messageStreamId: id, timestampMs: time, body }) => {
      if (type === 1) reader.setChunkSize(Buffer.from(body).readUInt32BE())
      else if (type === 2) reader.abort(Buffer.from(body).readUInt32BE())
      else seen.push({ type, id, time, body: Buffer.from(body).toString('hex') })
    }, options)
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    return { seen, problem: reader.problem, reader }
  })
  assert.deepEqual(bytewise!.seen, whole!.seen)
  assert.equal(bytewise!.problem, whole!.problem)
  return whole!
}

function times(...parts: string[]): number[] {
  const { seen, problem } = read(hex(parts.join('')))
  assert.equal(problem, undefined)
  return seen.map(({ time }) => time)
}

describe('header', () => {
  test('types 0 to 3 carry, keep or repeat what the stream had', () => {
    const { seen } = read(
      hex(`04 0003e8 000001 09 01000000 aa
           44 000010 000002 08 bbcc
           84 000005 ddee
           c4 ff00`),
    )
    assert.deepEqual(seen, [
      { type: 9, id: 1, time: 1000, body: 'aa' },
      { type: 8, id: 1, time: 1016, body: 'bbcc' },
      { type: 8, id: 1, time: 1021, body: 'ddee' },
      { type: 8, id: 1, time: 1026, body: 'ff00' },
    ])
  })

  test('a new message of type 3 after type 0 repeats its time as the delta', () => {
    assert.deepEqual(times('04 000028 000001 09 01000000 aa', 'c4 bb'), [40, 80])
  })

  test('chunk stream ids have one, two or three bytes', () => {
    const header = '000001 000001 09 01000000 aa'
    const { reader, seen } = read(
      hex(`3f ${header} 00 00 ${header} 00 ff ${header} 01 0001 ${header} 01 ffff ${header}`),
    )
    assert.equal(seen.length, 5)
    // 319 and 320 differ; 64 as two bytes is not 63.
    assert.equal(reader.chunkStreamCount, 5)
  })

  test('the same id in two forms is one chunk stream', () => {
    assert.deepEqual(times('00 06 000001 000001 09 01000000 aa', '81 0600 000002 bb'), [1, 3])
  })

  test('a type other than 0 on a chunk stream without a header is a problem', () => {
    for (const bytes of ['44 000001 000001 09 aa', '84 000001 aa', 'c4 aa']) {
      assert.equal(read(hex(bytes)).problem, 'no message header on its chunk stream')
    }
  })
})

describe('extended time stamps', () => {
  const first = '04 002af8 000001 09 01000000 aa'

  test('type 1 and 2 carry a delta of 32 bits', () => {
    assert.deepEqual(times(first, '44 ffffff 000001 09 00fffc18 bb'), [11_000, 11_000 + 16_776_216])
    assert.deepEqual(times(first, '84 ffffff 00fffc18 bb'), [11_000, 11_000 + 16_776_216])
  })

  for (const [name, repeated] of [
    ['with', '01000000'],
    ['without', ''],
  ] as const) {
    test(`type 3 ${name} the time within a message`, () => {
      const body = '55'.repeat(300)
      const chunks = `04 ffffff 00012c 09 01000000 01000000 ${'55'.repeat(128)}
        c4 ${repeated} ${'55'.repeat(128)} c4 ${repeated} ${'55'.repeat(44)}`
      assert.deepEqual(read(hex(chunks)).seen, [{ type: 9, id: 1, time: 0x1000000, body }])
    })

    test(`type 3 ${name} the delta as the first chunk of a message`, () => {
      const delta = repeated === '' ? '' : '01000001'
      assert.deepEqual(times(first, '44 ffffff 000003 09 01000001 bbbbbb', `c4 ${delta} cccccc`), [
        11_000,
        11_000 + 0x1000001,
        11_000 + 2 * 0x1000001,
      ])
    })
  }

  test('type 3 with the time instead of the delta', () => {
    const time = 11_000 + 0x1000001
    assert.deepEqual(
      times(first, '44 ffffff 000082 09 01000001', 'bb'.repeat(128), 'c4', time.toString(16).padStart(8, '0'), 'bbbb'),
      [11_000, time],
    )
  })

  test('without the time, a payload that begins like it is not taken for it', () => {
    const { seen } = read(
      hex(`04 ffffff 000084 09 01000000 01000000 ${'55'.repeat(128)} c4 01000001 04 000000 000001 09 01000000 aa`),
    )
    assert.equal(seen[0]!.body, '55'.repeat(128) + '01000001')
    assert.equal(seen[1]!.body, 'aa')
  })

  test('without the time, a payload that ends where it might begin is whole with the next chunk', () => {
    const { seen } = read(
      hex(`04 ffffff 000081 09 01000000 01000000 ${'55'.repeat(128)} c4 01 05 000000 000001 09 01000000 aa`),
    )
    assert.deepEqual(
      seen.map(({ body }) => body),
      ['55'.repeat(128) + '01', 'aa'],
    )
  })

  test('times wrap at 2^32', () => {
    assert.deepEqual(times('04 ffffff 000001 09 01000000 ffffffff aa', '84 000010 bb'), [0xffff_ffff, 15])
  })
})

describe('messages', () => {
  test('chunks of several streams may alternate', () => {
    const { seen } = read(
      hex(`04 000000 000081 09 01000000 ${'aa'.repeat(128)}
           05 000000 000001 08 01000000 bb
           c4 aa`),
    )
    assert.deepEqual(
      seen.map(({ body }) => body),
      ['bb', 'aa'.repeat(129)],
    )
  })

  test('an abort drops what has come, and type 3 begins anew', () => {
    const { seen } = read(
      hex(`04 000000 000081 09 01000000 ${'aa'.repeat(128)}
           02 000000 000004 02 00000000 00000004
           04 000000 000001 09 01000000 bb`),
    )
    assert.deepEqual(
      seen.map(({ body }) => body),
      ['bb'],
    )
  })

  test('messages of 0, 1 and 2 bytes', () => {
    const { seen } = read(
      hex('04 000000 000000 08 01000000 04 000000 000001 08 01000000 af 04 000000 000002 08 01000000 af00'),
    )
    assert.deepEqual(
      seen.map(({ body }) => body),
      ['', 'af', 'af00'],
    )
  })

  for (const size of [1, 127, 4096, 0x7fffffff]) {
    test(`Set Chunk Size ${size}`, () => {
      const body = Buffer.alloc(500, 7)
      const message = { type: 9, chunkStreamId: 4, messageStreamId: 1, timestampMs: 5, body }
      const set = { ...message, chunkStreamId: 2, type: 1, body: hex(size.toString(16).padStart(8, '0')) }
      const { seen } = read(Buffer.concat([renderChunks(set, 128), renderChunks(message, size)]))
      assert.deepEqual(seen, [{ type: 9, id: 1, time: 5, body: body.toString('hex') }])
    })
  }

  for (const size of ['00000000', '80000000']) {
    test(`Set Chunk Size ${size} is a problem`, () => {
      assert.equal(read(hex(`02 000000 000004 01 00000000 ${size}`)).problem, 'chunk size out of range')
    })
  }
})

describe('bounds', () => {
  test('a message that is announced longer than the limit is a problem', () => {
    assert.equal(read(hex('04 000000 000401 09 01000000'), { maxMessage: 1024 }).problem, 'message too long')
  })

  test('memory grows with what arrives, not with what is announced', () => {
    const { reader } = read(hex('04 000000 ffffff 09 01000000 aa'))
    assert.ok(reader.heldBytes <= 4096, `${reader.heldBytes}`)
  })

  test('all unfinished messages together have a bound, and memory is given back when it is passed', () => {
    const chunk = (id: number): string =>
      `${id.toString(16).padStart(2, '0')} 000000 ffffff 09 01000000 ${'aa'.repeat(128)}`
    const chunks = Array.from({ length: 20 }, (_, at) => chunk(at + 3)).join('')
    const { problem, reader } = read(hex(chunks), { maxUnfinished: 40_000 })
    assert.equal(problem, 'unfinished messages too long')
    assert.equal(reader.heldBytes, 0)
  })

  test('thousands of chunk streams are a problem', () => {
    const chunks = Array.from(
      { length: 2000 },
      (_, at) =>
        `01 ${(at & 255).toString(16).padStart(2, '0')} ${(at >> 8).toString(16).padStart(2, '0')} 000000 000002 09 01000000 aabb`,
    )
    const { problem, reader } = read(hex(chunks.join('')))
    assert.equal(problem, 'too many chunk streams')
    assert.equal(reader.chunkStreamCount, 0)
  })

  test('a message that lies whole in the bytes is not copied, and memory is used again for the others', () => {
    const bodies: Uint8Array[] = []
    const reader = new ChunkReader(({ body }) => bodies.push(body))
    const message = { type: 9, chunkStreamId: 4, messageStreamId: 1, timestampMs: 0 }
    const small = renderChunks({ ...message, body: Buffer.alloc(100) }, 128)
    reader.push(small)
    assert.equal(bodies[0]!.buffer, small.buffer)
    for (let count = 0; count < 2; count++) reader.push(renderChunks({ ...message, body: Buffer.alloc(4000) }, 128))
    assert.equal(bodies[1]!.buffer, bodies[2]!.buffer)
  })
})

test('what is written is read again, with and without extended time', () => {
  for (const timestampMs of [0, 0xfffffe, 0xffffff, 0x1000000, 2 ** 32 + 5]) {
    for (const length of [0, 1, 128, 129, 1000]) {
      const body = Buffer.from(Array.from({ length }, (_, at) => at & 255))
      const { seen } = read(renderChunks({ type: 8, chunkStreamId: 6, messageStreamId: 3, timestampMs, body }, 128))
      assert.deepEqual(seen, [{ type: 8, id: 3, time: timestampMs >>> 0, body: body.toString('hex') }])
    }
  }
})
